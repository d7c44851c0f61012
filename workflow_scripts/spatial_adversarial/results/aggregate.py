"""A target's tidy rows, from the evaluations of its runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spatial_adversarial.catalog import Target
from spatial_adversarial.catalog.families import Member
from spatial_adversarial.catalog.panels import Line, Panel, Profile
from spatial_adversarial.metrics import METRICS, outcomes
from spatial_adversarial.records.climbed_label import climbed
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.identity import run_and_weights
from spatial_adversarial.results.derived_rows import Made, derive, dominated
from spatial_adversarial.results.inputs import Finder, Folder, Inputs
from spatial_adversarial.results.store import Aggregate
from spatial_adversarial.settings.numbers import number_text
from spatial_adversarial.statistics.bootstrap import over_seeds, summarise
from spatial_adversarial.statistics.intervals import Sample
from spatial_adversarial.statistics.learnt import has_learnt

COLUMNS = [
    "paper",
    "target",
    "panel",
    "data",
    "model",
    "group",
    "family",
    "strength",
    "attack_space",
    "profile",
    "x",
    "x_unit",
    "metric",
    "value",
    "low",
    "high",
    "interval",
    "n",
    "seed",
    "status",
]

# after all others, so that the older columns keep their places
ADDED = ["clean_accuracy", "learnt", "zero_gradient", "attacked_label"]

ATTACK = ("attack", "loss", "steps", "step", "restarts", "targets", "queries")  # of a cell's profile


class Aggregator:
    """Computes the rows of one target.

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
        self.target, self.seeds, self.bootstrap, self.status = target, seeds, bootstrap, status
        self.inputs = Inputs(evaluation, run)
        self.origin, self.classes = origin, classes
        self._told: dict[str, dict] = {}

    def table(self, slices: dict[tuple[str, str], Path]) -> Aggregate:
        """The numbers over all panels; a panel not run is one row that says so."""
        made = [
            pair
            for panel in self.target.panels
            for pair in (self._not_run(panel) if panel.reason else self._panel(panel, slices))
        ]
        made += [(row, self._blank()) for panel in self.target.panels for row in self._published(panel)]
        if self.target.kind == "results":
            made += derive(self.target.spec, made, self.bootstrap["level"], self._validation())
        if self.target.kind == "pareto":
            made += dominated(self.target.spec, made, self.bootstrap["level"])
        rows, samples = zip(*made, strict=True)
        frame = pd.DataFrame(rows)
        side = pd.DataFrame({name: [getattr(one, name) for one in samples] for name in ("origin", "images")})
        side["reach"] = frame.pop("reach") if "reach" in frame else np.nan
        extra = [name for name in frame.columns if name not in (*COLUMNS, *ADDED)]
        rows = frame.reindex(columns=[*COLUMNS, *extra, *ADDED])
        replicates = np.stack([one.drawn for one in samples]).astype(np.float32)
        return Aggregate(rows, replicates, _by_seed(samples), side)

    def _validation(self) -> dict[str, float]:
        """{row: its run's accuracy on validation images at the end, the mean over seeds} of rows chosen among by it."""
        chosen, found = self.target.chosen_by_validation(), {}
        for panel in self.target.panels:
            if panel.letter in chosen and not panel.reason:
                run, _ = run_and_weights(panel.members[0].path)
                tables = [self.inputs.history(run, seed) for seed in self.seeds(run)]
                found[panel.letter] = float(np.mean([t.validation_accuracy.iloc[-1] for t in tables]))
        return found

    def _blank(self) -> Sample:
        return Sample(np.nan, np.full(self.bootstrap["replicates"], np.nan, dtype=np.float32))

    def _clean(self, panel: Panel, member: Member) -> dict:
        """A network's clean accuracy, the mean over its seeds, and whether each of them is shown to have learnt.

        From its largest evaluation in the target: of unmoved images and of pixels, where there is one. Nothing of
        a network that the target does not evaluate.
        """
        if member.path not in self._told:
            used = [
                profile
                for other in self.target.panels
                for line in other.lines
                if not other.reason and (profile := line.profiles.get(member.path))
            ]
            self._told[member.path] = self._clean_of(member.path, used, self.classes[panel.data])
        return self._told[member.path]

    def _clean_of(self, path: str, used: list[Profile], classes: int) -> dict:
        if not used:
            return {}
        plainest = max(profile.plain for profile in used)
        plain = [profile for profile in used if profile.plain == plainest]
        largest = [
            max((self.inputs.evaluation(path, one, seed) for one in plain), key=lambda e: len(e.label))
            for seed in self.seeds(path)
        ]
        accuracy = float(np.mean([np.mean(one.clean == one.label) for one in largest]))
        learnt = all(has_learnt(one.clean, one.label, classes) for one in largest)
        return {"clean_accuracy": accuracy, "learnt": "yes" if learnt else "no"}

    def _frame(self, panel: Panel) -> dict:
        return {
            "paper": self.target.paper,
            "target": self.target.name,
            "panel": panel.letter,
            "data": panel.data,
            "model": panel.model,
            "group": panel.group,
            "family": panel.family,
            "attack_space": "",
        }

    def _not_run(self, panel: Panel) -> Iterator[Made]:
        frame = self._frame(panel) | {"status": "not run"}
        cells = [frame | self._cell(panel, line) for line in panel.lines if line.name]
        for row in cells or [frame]:
            yield row, self._blank()

    @staticmethod
    def _cell(panel: Panel, line: Line) -> dict:
        """What a table says of a cell beside the tidy columns; nothing of a figure's point."""
        if not line.name:
            return {}
        (profile,) = line.profiles.values()
        attacked = "attack" in profile.settings and METRICS[line.metric].climbs
        settings = {key: value for key, value in profile.settings.items() if attacked}
        if settings:
            settings |= profile.perturbation.columns()
        told = {"row": panel.title, "kind": panel.kind, "column": line.name, "metric": line.metric}
        return told | {key: settings.get(key, "") for key in ATTACK} | {"published": line.published}

    def _panel(self, panel: Panel, slices: dict) -> Iterator[Made]:
        if panel.kind == "boundary":
            yield from self._boundary(panel, slices[panel.members[0].path, panel.members[1].path])
            return
        if panel.kind == "history":
            yield from self._histories(panel)
            return
        if panel.kind == "images":
            yield from self._images(panel)
            return
        for line in panel.lines:
            for member in panel.members:
                labels = climbed(line.profiles[member.path].settings, METRICS[line.metric].climbs)
                for label in labels[:1] if line.name else labels:  # a cell has one number
                    yield from self._line(panel, line, member, label)

    def _histories(self, panel: Panel) -> Iterator[Made]:
        """A column of each member's training history, by epoch: the mean and Student's interval over several seeds."""
        for member in panel.members:
            seeds = self.seeds(member.path)
            tables = [self.inputs.history(member.path, seed) for seed in seeds]
            frame = self._frame(panel) | {"strength": number_text(member.strength)}
            frame |= {"status": self.status(member.path, None)}
            frame |= {"profile": "history", "x_unit": "epoch", "metric": panel.curve}
            frame |= {"seed": " ".join(map(str, seeds)), "n": len(tables)} | self._clean(panel, member)
            for epoch, values in zip(
                tables[0].epoch, np.stack([table[panel.curve] for table in tables], axis=1), strict=True
            ):
                yield frame | {"x": str(epoch)} | over_seeds(values, self.bootstrap["level"]), self._blank()

    def _line(self, panel: Panel, line: Line, member: Member, label: str) -> Iterator[Made]:
        profile = line.profiles[member.path]
        seeds = self.seeds(member.path)
        found = [self.inputs.evaluation(member.path, profile, seed) for seed in seeds]
        measured = [outcomes(evaluation, line.metric, label) for evaluation in found]
        summary = summarise(measured, most=METRICS[line.metric].most, **self.bootstrap)
        several = len(seeds) > 1
        frame = self._frame(panel) | self._cell(panel, line)
        frame |= self._clean(panel, member) | {"reach": np.nan if profile.reach is None else profile.reach}
        frame |= {
            "strength": number_text(member.strength),
            "attack_space": panel.space if "attack" in profile.settings else "",
            "profile": profile.key,
            "x_unit": profile.unit,
            "metric": line.metric,
            "interval": "seeds" if several else "test images",
            "n": len(found) if several else len(found[0].label),
            "seed": " ".join(map(str, seeds)),
            "status": self.status(member.path, profile.settings),
            "attacked_label": label,
        }
        zero = self._zero_gradients(found) if METRICS[line.metric].climbs else None
        for k, x in enumerate(found[0].x):
            if line.at is None or line.at[member.path] == x:
                numbers = {name: float(summary[name][k]) for name in ("value", "low", "high")}
                numbers |= {} if zero is None else {"zero_gradient": float(zero[k])}
                drawn, by_seed, images = (summary[name][k] for name in ("replicates", "seeds", "images"))
                sample = Sample(numbers["value"], drawn, by_seed, self.origin(member.path), int(images))
                yield frame | {"x": number_text(x)} | numbers, sample

    @staticmethod
    def _zero_gradients(found: list[Evaluation]) -> np.ndarray | None:
        """The share of images left standing at a gradient of 0, [P], the mean over seeds; None for all but PGD."""
        if found[0].zero_gradient is None:
            return None
        return np.mean([evaluation.zero_gradient.mean(axis=(1, 2)) for evaluation in found], axis=0)

    def _published(self, panel: Panel) -> Iterator[dict]:
        """The points of a figure's lines as published: rows of `source` "published", at a strength or a point."""
        across = "strength" if panel.kind == "strength" else "x"
        for line in panel.lines:
            profile = next(iter(line.profiles.values()))
            for x, value in line.points:
                frame = self._frame(panel) | {
                    "profile": profile.key,
                    "x_unit": profile.unit,
                    "metric": line.metric,
                }
                at = {"x": number_text(next(iter(line.at.values())))} if line.at else {}
                yield (
                    frame
                    | at
                    | {across: number_text(x), "value": value, "source": "published", "status": "run"}
                )

    def _boundary(self, panel: Panel, path: Path) -> Iterator[Made]:
        """The signed margin of each model on a grid of the plane: positive where it keeps its class of x0."""
        paths = [member.path for member in panel.members]
        x, y, margins = self.inputs.boundary(path, paths, self.seeds(paths[0])[0])
        for member, margin in zip(panel.members, margins, strict=True):
            frame = self._frame(panel) | {
                "strength": number_text(member.strength),
                "profile": "boundary",
                "x_unit": "l2",
            }
            frame |= {"metric": "margin", "seed": str(self.seeds(member.path)[0])}
            frame |= {"status": self.status(member.path, None)} | self._clean(panel, member)
            for i, j in np.ndindex(margin.shape):
                yield (
                    frame | {"x": f"{x[j]:.4f}", "y": f"{y[i]:.4f}", "value": float(margin[i, j])},
                    self._blank(),
                )

    def _images(self, panel: Panel) -> Iterator[Made]:
        """The first attacked image of each point: its class and probability, and its pixels as hexadecimal bytes."""
        (line,), (member,) = panel.lines, panel.members
        profile = line.profiles[member.path]
        seed, status = self.seeds(member.path)[0], self.status(member.path, profile.settings)
        found = self.inputs.evaluation(member.path, profile, seed)
        frame = self._frame(panel) | {"profile": profile.key, "x_unit": profile.unit, "metric": "probability"}
        frame |= {"n": 1, "seed": str(seed), "status": status, "label": int(found.label[0])}
        frame |= self._clean(panel, member)
        for k, x in enumerate(found.x):
            image = found.pictures.images[k, 0]
            seen = {
                "value": float(found.pictures.probability[k, 0]),
                "prediction": int(found.pictures.prediction[k, 0]),
            }
            seen |= {"shape": " ".join(map(str, image.shape)), "pixels": image.tobytes().hex()}
            yield frame | {"x": number_text(x)} | seen, self._blank()


def _by_seed(samples: Sequence[Sample]) -> np.ndarray:
    """The values by seed of all rows, [rows, S], with nan where a row has fewer seeds than another."""
    table = np.full((len(samples), max(1, *(len(one.seeds) for one in samples))), np.nan)
    for row, one in zip(table, samples, strict=True):
        row[: len(one.seeds)] = one.seeds
    return table
