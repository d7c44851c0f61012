"""Figures from tidy rows: each panel is drawn by the module of its kind, the legends below their panels."""

from itertools import groupby
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas import DataFrame

from spatial_adversarial.plots import adversarial_images, boundary, grid, layout, profiles, strengths, style
from spatial_adversarial.records.climbed_label import of_label

Drawn = tuple[Axes, dict, list[Line2D]]  # a panel: its axes, its description, its lines
NAMES = ("data", "network", "family")  # a panel's own; what all panels share is told once, above them
PANELS = {
    "profile": profiles.draw_panel,
    "strength": strengths.draw_panel,
    "boundary": boundary.draw_panel,
    "images": adversarial_images.draw_panel,
    "history": profiles.draw_panel,  # a curve each member too
}


def draw(rows: DataFrame, figure: dict) -> Figure:
    """Draw a whole figure from its tidy rows.

    `figure` has "paper", "target", "title", "columns" and "panels" in reading order; each panel has a "panel"
    (its letter), "kind", "title", "status" (run, not run or reduced), "reason", "strengths" with their
    "strength_label", and what its kind asks for. ValueError names figure and panel of whatever is missing.
    """
    with style.look():
        if figure["panels"][0]["kind"] == "theory":
            from spatial_adversarial.plots import (
                theory_figure,  # a kind of its own: it lays out the whole figure
            )

            return theory_figure.draw(rows, figure)
        if figure["panels"][0]["kind"] == "pareto":
            from spatial_adversarial.plots import pareto_front  # so does this one

            return pareto_front.draw(rows, figure)
        if layout.is_grid(figure["panels"]):
            return grid.draw(rows, figure, lambda axes, panel: _draw_panel(axes, rows, panel, figure))
        return _draw_panels(rows, figure)


def _draw_panels(rows: DataFrame, figure: dict) -> Figure:
    panels, columns = figure["panels"], min(figure["columns"], len(figure["panels"]))
    size = style.WIDE if columns <= 2 else style.COMPACT
    canvas, all_axes = style.frame(len(panels), columns, size=size, legends=True)
    reduced = any(panel["status"] == "reduced" for panel in panels)
    common = [key for key in NAMES if len({panel[key] for panel in panels}) == 1]
    heading = [figure["title"] + (" [reduced budget]" if reduced else "")]
    heading.append(", ".join(style.spelled_out(panels[0][key]) for key in common))
    canvas.suptitle("\n".join(fill(line, int(13 * canvas.get_figwidth())) for line in heading if line))
    for axes, panel in zip(all_axes, panels, strict=True):
        own = ", ".join(style.spelled_out(panel[key]) for key in NAMES if key not in common)
        style.title(axes, f"({panel['panel']}) {own}".strip())
    drawn = [
        (axes, panel, _draw_panel(axes, rows, panel, figure))
        for axes, panel in zip(all_axes, panels, strict=True)
    ]
    rows_drawn = [drawn[i : i + columns] for i in range(0, len(drawn), columns)]
    style.room_for_titles(canvas, [[axes for axes, _, _ in row] for row in rows_drawn])
    for _, block in groupby(rows_drawn, key=_families):
        _write_legends(list(block), columns)
    return canvas


def _family(panel: dict) -> tuple:
    """What neighbouring panels must share to share a legend."""
    if panel["kind"] == "strength":
        return ("strength",)
    return panel["kind"], panel["strength_label"], tuple(panel["strengths"])


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
            heading = "" if family == ("strength",) else run[0][1]["strength_label"]
            style.legend_below(run[0][0], columns if alone else len(run), handles, heading)


def _draw_panel(axes: Axes, rows: DataFrame, panel: dict, figure: dict) -> list[Line2D]:
    """Draw one panel into its axes and return its lines: none where it was not run."""
    if panel["status"] == "not run":
        style.not_run(axes, panel["reason"])
        return []
    if panel["kind"] not in PANELS:
        raise ValueError(f"{figure['paper']} {figure['target']}: panel kind {panel['kind']!r} is unknown")
    most = max(len(one.get("lines", ())) for one in figure["panels"])
    own = of_label(rows[(rows["panel"] == panel["panel"]) & (rows["status"] != "not run")])
    try:
        return PANELS[panel["kind"]](axes, own, panel | {"most_lines": most})
    except ValueError as error:
        raise ValueError(f"{figure['paper']} {figure['target']}: {error}") from None
