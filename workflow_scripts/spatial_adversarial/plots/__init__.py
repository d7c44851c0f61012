"""Figures of panels from tidy rows: a grid, or one after another with the legends below their panels."""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas import DataFrame

from spatial_adversarial.plots import grid, layout, profile_curves, style
from spatial_adversarial.records.climbed_label import of_label
from spatial_adversarial.records.drawing import DrawnFigure, DrawnPanel

Drawn = tuple[Axes, DrawnPanel, list[Line2D]]  # a panel: its axes, its description, its lines
NAMES = ("data", "network", "family")  # a panel's own; what all panels share is told once, above them
DrawPanel = Callable[
    [Axes, DataFrame, DrawnPanel], list[Line2D]
]  # (axes, a panel's own rows, its description) -> its lines


def draw_panels(rows: DataFrame, figure: DrawnFigure, draw_panel: DrawPanel) -> Figure:
    """Draw a figure of panels, each by `draw_panel`, from its tidy rows.

    `figure` has "paper", "target", "title", "columns" and "panels" in reading order; each panel has a "panel"
    (its letter), "kind", "x_axis", "title", "status" (run, not run or reduced), "reason", "strengths" with their
    "strength_label", and what its kind asks for; those in its "over" are drawn over it. ValueError names figure and
    panel of whatever is missing.
    """

    def one(axes: Axes, panel: DrawnPanel) -> list[Line2D]:
        return _draw_panel(axes, rows, panel, figure, draw_panel)

    return grid.draw(rows, figure, one) if layout.is_grid(figure) else _in_frame(figure, one)


def _in_frame(figure: DrawnFigure, draw_panel: Callable[[Axes, DrawnPanel], list[Line2D]]) -> Figure:
    panels, columns = figure.panels, min(figure.columns, len(figure.panels))
    size = style.ALONE if columns == 1 else style.WIDE if columns == 2 else style.COMPACT
    canvas, all_axes = style.frame(len(panels), columns, size=size, legends=True)
    reduced = any(panel.status == "reduced" for panel in panels)
    common = [key for key in NAMES if len({getattr(panel, key) for panel in panels}) == 1]
    heading = [figure.title + (" [reduced budget]" if reduced else "")]
    heading.append(", ".join(style.spelled_out(getattr(panels[0], key)) for key in common))
    text = "\n".join(fill(line, int(13.5 * canvas.get_figwidth())) for line in heading if line)
    canvas.suptitle(text, x=0.02, ha="left")
    for axes, panel in zip(all_axes, panels, strict=True):
        own = ", ".join(style.spelled_out(getattr(panel, key)) for key in NAMES if key not in common)
        style.title(axes, f"({panel.letter}) {own}".strip())
    drawn = [(axes, panel, draw_panel(axes, panel)) for axes, panel in zip(all_axes, panels, strict=True)]
    rows_drawn = [drawn[i : i + columns] for i in range(0, len(drawn), columns)]
    style.room_for_titles(canvas, [[axes for axes, _, _ in row] for row in rows_drawn])
    for _, block in groupby(rows_drawn, key=_families):
        _write_legends(list(block), columns)
    style.foot(canvas, layout.note(figure), grow=layout.NOTE_LINE)
    return canvas


def _family(panel: DrawnPanel) -> tuple:
    """What neighbouring panels must share to share a legend."""
    if panel.x_axis == "strength":
        return ("strength",)
    return panel.kind, panel.strength_label, tuple(panel.strengths)


def _families(row: list[Drawn]) -> list[tuple]:
    return [family for family, _ in groupby(_family(panel) for _, panel, _ in row)]


def _write_legends(block: list[list[Drawn]], columns: int) -> None:
    """Write the legends of a block of rows with the same families under its last row, one a family."""
    alone = len(_families(block[-1])) == 1
    for family, run in groupby(block[-1], key=lambda one: _family(one[1])):
        run = list(run)
        lines = [
            line for row in block for _, panel, lines in row if _family(panel) == family for line in lines
        ]
        handles = list({line.get_label(): line for line in lines}.values())
        if handles:
            heading = "" if family == ("strength",) else run[0][1].strength_label
            style.legend_below(run[0][0], columns if alone else len(run), handles, heading)


def _draw_panel(
    axes: Axes, rows: DataFrame, panel: DrawnPanel, figure: DrawnFigure, draw_panel: DrawPanel
) -> list[Line2D]:
    """Draw one panel into its axes and return its lines: none where it was not run."""
    if panel.status == "not run":
        style.not_run(axes, panel.reason)
        return []
    most = max(len(one.lines) for one in figure.panels)
    looks = layout.looks_over(figure)
    try:
        lines = draw_panel(axes, of_label(_rows_run(rows, panel)), replace(panel, most_lines=most))
        for one in panel.over:
            own = of_label(_rows_run(rows, one))
            lines.append(profile_curves.draw_over(axes, own, one, looks[one.network]))
        return lines
    except ValueError as error:
        raise ValueError(f"{figure.paper} {figure.target}: {error}") from None


def _rows_run(rows: DataFrame, panel: DrawnPanel) -> DataFrame:
    return rows[(rows["panel"] == panel.letter) & (rows["status"] != "not run")]
