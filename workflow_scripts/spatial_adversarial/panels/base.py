"""What a kind of panel is, and a kind of figure or table: what it needs, the rows it computes, how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from spatial_adversarial.records.panel import Line, Member, Panel, Profile
from spatial_adversarial.records.tidy import PublishedRow, Row
from spatial_adversarial.statistics.sample import Sample

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from spatial_adversarial.records.drawing import DrawnFigure, DrawnPanel
    from spatial_adversarial.records.evaluation import Evaluation
    from spatial_adversarial.records.plane import Slices

Made = tuple[Row, Sample]  # a tidy row, and its replicates and values by seed
POINT, STRENGTH = (
    "point",
    "strength",
)  # what a panel's x axis is: points of a profile or epochs; training strengths


class Results(Protocol):
    """What a kind asks of the runs and evaluations that a target needs.

    paper, target: names for the rows. bootstrap: replicates, level, seed. level: of all intervals.
    """

    paper: str
    target: str
    bootstrap: dict

    @property
    def level(self) -> float: ...
    def seeds(self, path: str) -> list[int]: ...
    def status(self, path: str, settings: dict | None) -> str: ...
    def origin(self, path: str) -> str: ...
    def evaluation(self, path: str, profile: Profile, seed: int) -> Evaluation: ...
    def history(self, path: str, seed: int) -> pd.DataFrame: ...
    def boundary(self, paths: list[str]) -> Slices: ...
    def clean(self, panel: Panel, member: Member) -> dict: ...
    def blank(self) -> Sample: ...


class PanelKind:
    """A kind of panel. Its methods take torch and matplotlib only where they compute and draw.

    needs: the key of a panel's YAML that says what is drawn. x_axis: POINT, STRENGTH, or empty for pictures and
    planes. evaluates: whether the panel has lines, evaluations of profiles.
    marks_unlearnt: whether a caption has to explain how networks that have not learnt look. published_at: the column
    of published numbers' points. in_figures: a figure's YAML may ask for it; by_default: a panel with what it needs and
    without a kind is one. is_shown: it is more than something to choose from.
    """

    needs = "profile"
    x_axis = ""
    evaluates = True
    marks_unlearnt = False
    published_at = "x"
    in_figures = True
    by_default = False
    is_shown = True

    def lines(self, spec: dict, named: Callable[[str], list[dict]]) -> list[dict]:
        """The lines of a panel's YAML, each a profile and a metric; `named` finds `lines` of the paper's file."""
        return []

    def slices(self, panel: Panel) -> list[tuple[str, str]]:
        """The pairs of runs whose boundaries it cuts."""
        return []

    def histories(self, panel: Panel) -> list[str]:
        """The runs whose training history it draws."""
        return []

    def rows(self, panel: Panel, results: Results) -> Iterator[Made]:
        """Its tidy rows."""
        raise NotImplementedError

    def rows_not_run(self, panel: Panel, results: Results) -> Iterator[Made]:
        """The rows that say that it was not run."""
        yield Row(**frame(panel, results), status="not run"), results.blank()

    def published(self, panel: Panel, results: Results) -> Iterator[Made]:
        """The points of its lines as published: rows of `source` "published", at a strength or a point."""
        for line in panel.lines:
            profile = next(iter(line.profiles.values()))
            at = {"x": next(iter(line.at.values()))} if line.at else {}
            about = {"profile": profile.key, "x_unit": profile.unit, "metric": line.metric, "status": "run"}
            for x, value in line.points:
                place = at | {self.published_at: x}
                yield PublishedRow(**frame(panel, results), **about, **place, value=value), results.blank()

    def description(self, panel: Panel) -> dict:
        """The fields of its DrawnPanel beside those that all panels have."""
        return {}

    def bands(self, about: Caption) -> str:
        """What its bands are, in words; empty where it draws none."""
        return about.intervals

    def beyond_reach(self, panel: Panel) -> bool:
        """Whether it draws eps beyond what its attack's steps reach."""
        return False

    def draw(self, axes: Axes, rows: pd.DataFrame, panel: DrawnPanel) -> list[Line2D]:
        """Draw the panel of a description from its own rows, and return its lines; ValueError for missing rows."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a caption is made of: the words of the target's intervals, whether runs have several seeds, stand-ins."""

    intervals: str
    several_seeds: bool
    stand_ins: frozenset[str]


class TargetKind:
    """A kind of figure or table, by its `kind` in a paper's file.

    label: what it is in lists of targets. made_of: "panels" or "rows", as the config's budget chooses among them.
    shares_numbers: a figure of the same panels in another paper may take its numbers. has_aggregate: it has rows in a
    file of their own.
    """

    name = ""
    label = "figure"
    is_table = False
    made_of = ""
    shares_numbers = False
    has_aggregate = True

    def simulate(self, paper: str, spec: dict, seed: int) -> pd.DataFrame | None:
        """The rows of a target that needs no runs; None for all others."""
        return None

    def chosen_by_validation(self, spec: dict) -> set[str]:
        """The rows among which a row is chosen by its accuracy on validation images."""
        return set()

    def computed(
        self, spec: dict, made: list[Made], level: float, validation: Mapping[str, float]
    ) -> Iterator[Made]:
        """The rows that are computed from the target's other rows."""
        return iter(())

    def description(
        self, spec: dict, panels: tuple[Panel, ...], words: Callable[[Line], str]
    ) -> tuple | None:
        """What its drawing takes in place of a description of each panel; None where it takes these."""
        return None

    def caption(self, spec: dict, panels: tuple[Panel, ...], about: Caption) -> list[str]:
        """Its own sentences of a caption."""
        return []

    def pages(self, figure: DrawnFigure) -> list[dict]:
        """A figure's description as one for each page that it takes."""
        return [figure]

    def draw(self, rows: pd.DataFrame, figure: DrawnFigure) -> Figure:
        """Draw a whole figure from its tidy rows; ValueError names figure and panel of whatever is missing."""
        raise NotImplementedError


def frame(panel: Panel, results: Results) -> dict:
    """The columns that all rows of a panel share."""
    return {
        "paper": results.paper,
        "target": results.target,
        "panel": panel.letter,
        "data": panel.data,
        "model": panel.model,
        "group": panel.group,
        "family": panel.family,
        "attack_space": "",
    }
