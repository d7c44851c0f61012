"""What a figure is drawn from, beside its tidy rows."""

from dataclasses import dataclass, replace
from typing import Any

from spatial_adversarial.records.panel import base_letter


@dataclass(frozen=True, kw_only=True)
class DrawnLine:
    """A line of a panel: a metric of a profile, at all of its points or at the one `x`."""

    profile: str
    metric: str
    label: str
    x: float | None = None


@dataclass(frozen=True, kw_only=True)
class DrawnPanel:
    """A panel: its letter, kind and state, its members, and what its kind draws.

    x_axis: "point" or "strength", what its x axis is; empty for none. strengths: of its members, weakest first, in the
    unit that strength_label names. data, network, family: in words. status: run, not run or reduced. grid: the points
    of its profile, in x_unit. reach: how far its attack can move, None for no limit.
    most_lines: of the panel of its figure that has most, so that lines look alike in all. over: the panels of a user's
    own models that are drawn over it.
    """

    letter: str
    kind: str
    x_axis: str = ""
    title: str = ""
    data: str = ""
    network: str = ""
    family: str = ""
    strength_label: str = ""
    strengths: tuple[float | None, ...] = ()
    attack_space: str = ""
    status: str = "run"
    reason: str = ""
    metric: str = ""
    profile: str = ""
    x_unit: str = ""
    label: str = ""
    grid: tuple[float, ...] = ()
    reach: float | None = None
    lines: tuple[DrawnLine, ...] = ()
    most_lines: int = 0
    over: tuple["DrawnPanel", ...] = ()


@dataclass(frozen=True, kw_only=True)
class ParetoPanel:
    """The panel of a Pareto figure: {method: rows of the table}, those compared list by list, axes x and y.

    columns: {axis: column of the table}; labels: {axis: its label}; rows: {row: its label}.
    """

    methods: dict[str, list[str]]
    zoom: list[str]
    columns: dict[str, str]
    labels: dict[str, str]
    rows: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class DrawnFigure:
    """A figure, or one page of it: its kind, its words and its panels in reading order.

    all_panels: those of all pages, where there are several; trade_off: whether the page may show the trade-off.
    not_run: panels that a line below the others names, in place of a row of empty frames.
    """

    paper: str
    target: str
    kind: str
    title: str
    columns: int
    caption: str = ""
    panels: tuple[Any, ...] = ()
    all_panels: tuple[Any, ...] = ()
    trade_off: bool = True
    not_run: tuple[DrawnPanel, ...] = ()


def over_their_panels(panels: tuple[DrawnPanel, ...]) -> tuple[DrawnPanel, ...]:
    """A figure's panels; those of a user's own models, "a mine", lie in the `over` of panel a where both were run."""
    run = {panel.letter for panel in panels if panel.status != "not run" and panel.x_axis == "point"}

    def is_over(panel: DrawnPanel) -> bool:
        base = base_letter(panel.letter)
        return panel.letter != base and {panel.letter, base} <= run

    over = [panel for panel in panels if is_over(panel)]
    return tuple(
        replace(panel, over=tuple(one for one in over if base_letter(one.letter) == panel.letter))
        for panel in panels
        if not is_over(panel)
    )
