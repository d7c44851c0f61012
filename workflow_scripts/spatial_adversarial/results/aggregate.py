"""A target's tidy rows, from the evaluations of its runs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spatial_adversarial.catalog import Target
from spatial_adversarial.panels import PANELS, TARGETS
from spatial_adversarial.panels.base import Made
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.identity import run_and_weights
from spatial_adversarial.records.panel import Member, Panel, Profile
from spatial_adversarial.records.plane import Slices
from spatial_adversarial.records.tidy import SIDE, frame
from spatial_adversarial.results.inputs import Finder, Folder, Inputs
from spatial_adversarial.results.store import Aggregate
from spatial_adversarial.statistics.intervals import Sample
from spatial_adversarial.statistics.learnt import has_learnt


class Aggregator:
    """Computes the rows of one target: what panels.base.Results asks of its runs and evaluations.

    seeds(run without seed): the seeds that it was trained with; status(run, a profile's settings or None): "run" or
    "reduced".
    """

    def __init__(
        self,
        target: Target,
        *,
        seeds: Callable[[str], list[int]],
        bootstrap: dict,
        status: Callable[[str, dict | None], str],
        evaluation: Finder,
        run: Folder | None = None,
        classes: Mapping[str, int],
        origin: Callable[[str], str] = str,
    ):
        """classes: of each data set. origin: of a run or snapshot, the run that its training goes back to."""
        self._target, self.paper, self.target = target, target.paper, target.name
        self.seeds, self.status, self.origin = seeds, status, origin
        self.bootstrap, self.level = bootstrap, bootstrap["level"]
        self.inputs = Inputs(evaluation, run)
        self._classes = classes
        self._slices: dict[tuple[str, str], Path] = {}
        self._clean: dict[str, dict] = {}

    def table(self, slices: dict[tuple[str, str], Path]) -> Aggregate:
        """The numbers over all panels; a panel not run is one row that says so."""
        self._slices, panels = slices, self._target.panels
        kinds = [(PANELS[panel.kind], panel) for panel in panels]
        made = [
            pair
            for kind, panel in kinds
            for pair in (kind.rows_not_run if panel.reason else kind.rows)(panel, self)
        ]
        made += [pair for kind, panel in kinds for pair in kind.published(panel, self)]
        of_all = TARGETS[self._target.kind]
        made += of_all.computed(self._target.spec, made, self.level, self._validation())
        return _aggregate(made)

    def evaluation(self, path: str, profile: Profile, seed: int) -> Evaluation:
        return self.inputs.evaluation(path, profile, seed)

    def history(self, path: str, seed: int) -> pd.DataFrame:
        return self.inputs.history(path, seed)

    def boundary(self, paths: list[str]) -> Slices:
        """x [P], y [Q] and margins [2, Q, P] of the plane through two runs."""
        return self.inputs.boundary(self._slices[tuple(paths)], paths, self.seeds(paths[0])[0])

    def blank(self) -> Sample:
        """The sample of a row without an interval."""
        return Sample(np.nan, np.full(self.bootstrap["replicates"], np.nan, dtype=np.float32))

    def clean(self, panel: Panel, member: Member) -> dict:
        """A network's clean accuracy, the mean over its seeds, and whether each of them is shown to have learnt.

        From its largest evaluation in the target: of unmoved images and of pixels, where there is one. Nothing of
        a network that the target does not evaluate.
        """
        if member.path not in self._clean:
            used = [
                profile
                for other in self._target.panels
                for line in other.lines
                if not other.reason and (profile := line.profiles.get(member.path))
            ]
            self._clean[member.path] = self._clean_of(member.path, used, self._classes[panel.data])
        return self._clean[member.path]

    def _clean_of(self, path: str, used: list[Profile], classes: int) -> dict:
        if not used:
            return {}
        plainest = max(profile.plain for profile in used)
        plain = [profile for profile in used if profile.plain == plainest]
        largest = [
            max((self.evaluation(path, one, seed) for one in plain), key=lambda e: len(e.label))
            for seed in self.seeds(path)
        ]
        accuracy = float(np.mean([np.mean(one.clean == one.label) for one in largest]))
        learnt = all(has_learnt(one.clean, one.label, classes) for one in largest)
        return {"clean_accuracy": accuracy, "learnt": "yes" if learnt else "no"}

    def _validation(self) -> dict[str, float]:
        """{row: its run's accuracy on validation images at the end, the mean over seeds} of rows chosen among by it."""
        chosen, found = self._target.chosen_by_validation(), {}
        for panel in self._target.panels:
            if panel.letter in chosen and not panel.reason:
                run, _ = run_and_weights(panel.members[0].path)
                tables = [self.history(run, seed) for seed in self.seeds(run)]
                found[panel.letter] = float(np.mean([t.validation_accuracy.iloc[-1] for t in tables]))
        return found


def _aggregate(made: list[Made]) -> Aggregate:
    rows, samples = zip(*made, strict=True)
    table = frame(rows)
    side = pd.DataFrame({name: [getattr(one, name) for one in samples] for name in ("origin", "images")})
    side[SIDE] = table.pop(SIDE)
    table["by_seed"] = [_listed(one.seeds) for one in samples]
    return Aggregate(
        table, np.stack([one.drawn for one in samples]).astype(np.float32), _by_seed(samples), side
    )


def _listed(seeds: np.ndarray) -> str | None:
    """The values of several seeds as the CSV has them, in the order of its column `seed`; None for one seed's."""
    return " ".join(f"{value:.6g}" for value in seeds) if len(seeds) > 1 else None


def _by_seed(samples: Sequence[Sample]) -> np.ndarray:
    """The values by seed of all rows, [rows, S], with nan where a row has fewer seeds than another."""
    table = np.full((len(samples), max(1, *(len(one.seeds) for one in samples))), np.nan)
    for row, one in zip(table, samples, strict=True):
        row[: len(one.seeds)] = one.seeds
    return table
