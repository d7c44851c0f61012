"""Grids of panels: each row and column is named once, axes are shared, and the trade-off stands above in one plane."""

from collections.abc import Callable
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas import DataFrame

from spatial_adversarial.plots import profile_curves, style, trade_off
from spatial_adversarial.plots.layout import (
    LEFT,
    LETTER,
    PLANE,
    WIDTH,
    Cell,
    Layout,
    common_names,
    header,
    heading,
    layout,
    looks_over,
    note,
    plane_rows,
    rows_of,
    x_key,
)
from spatial_adversarial.records.drawing import DrawnFigure, DrawnPanel
from spatial_adversarial.records.panel import base_letter

SMALL = 6.5  # points of the letters of legends and of rows' names


def draw(
    rows: DataFrame, figure: DrawnFigure, draw_panel: Callable[[Axes, DrawnPanel], list[Line2D]]
) -> Figure:
    """Draw a grid. `draw_panel(axes, panel)` draws one panel of it and returns its lines."""
    places = layout(figure)
    canvas = Figure(figsize=(WIDTH, places.height))
    canvas.suptitle(heading(figure), x=0.02, y=1 - 0.08 / places.height, ha="left", va="top")
    drawn = [(cell, *_draw_cell(canvas, cell, places, draw_panel)) for cell in places.cells]
    _crop(rows, drawn)
    _label_ends(drawn)
    grid = rows_of(figure.panels)
    for r, row in enumerate(grid):
        own = [(cell, lines) for cell, _, lines in drawn if cell.row == r]
        _name_row(canvas, own[0][0], places, common_names(figure))
        if places.legend_left < WIDTH:
            before = grid[r - 1][0].strength_label if r else ""
            label = row[0].strength_label
            _row_legend(canvas, own, places, label if before != label else "")
    if places.legend_left == WIDTH:
        lines = [line for _, _, own in drawn for line in own]
        foot = (0.5, places.below / places.height)
        canvas.legend(
            handles=_once(lines), loc="lower center", bbox_to_anchor=foot, ncols=6, borderaxespad=0.2
        )
    style.foot(canvas, note(figure))
    if places.plane is not None:
        axes = _axes(canvas, (LEFT, places.plane, *PLANE), places.height)
        trade_off.draw(axes, rows, plane_rows(figure), common_names(figure), looks_over(figure))
    return canvas


def _axes(canvas: Figure, box: tuple[float, float, float, float], height: float) -> Axes:
    left, top, width, high = box
    return canvas.add_axes((left / WIDTH, 1 - (top + high) / height, width / WIDTH, high / height))


def _draw_cell(
    canvas: Figure, cell: Cell, places: Layout, draw_panel: Callable[[Axes, DrawnPanel], list[Line2D]]
) -> tuple[Axes, list[Line2D]]:
    axes = _axes(canvas, cell.box, places.height)
    lines = draw_panel(axes, cell.panel)
    axes.set_title(f"({cell.panel.letter})", loc="left", pad=2)
    if cell.header is not None:
        left, _, width, _ = cell.box
        x, y = (left + width / 2) / WIDTH, 1 - cell.header / places.height
        text = header(cell.panel, width)
        canvas.text(x, y, text, ha="center", va="bottom", fontsize=7, linespacing=1.05)
    axes.set_ylabel("")
    if not cell.x_axis:
        axes.set_xlabel("")
        axes.tick_params(axis="x", which="both", labelbottom=False)
    if not cell.y_axis:
        axes.tick_params(axis="y", labelleft=False)
    return axes, lines


def _name_row(canvas: Figure, first: Cell, places: Layout, common: list[str]) -> None:
    """Write once, upright on its left, what of a row's data set, network and family is not common to all rows."""
    _, top, _, height = first.box
    wide = int(21.5 * (height + LETTER))
    words = [first.panel.data, first.panel.network, style.spelled_out(first.panel.family)]
    own = [word for word in words if word and word not in common]
    text = "\n".join(fill(word, wide, break_on_hyphens=False) for word in own)
    y = 1 - (top + height / 2) / places.height
    look = {"rotation": 90, "ha": "left", "va": "center", "multialignment": "center"}
    canvas.text(0.06 / WIDTH, y, text, fontsize=SMALL, linespacing=1.1, **look)


def _row_legend(canvas: Figure, own: list[tuple[Cell, list[Line2D]]], places: Layout, label: str) -> None:
    """Write a row's members on its right: strength and clean accuracy."""
    handles = _once([line for _, lines in own for line in lines])
    if not handles:
        return
    first = own[0][0]
    top = first.box[1]
    look = {
        "borderpad": 0,
        "borderaxespad": 0,
        "labelspacing": 0.12,
        "handlelength": 2,
        "handletextpad": 0.5,
    }
    place = (places.legend_left / WIDTH, 1 - top / places.height)
    canvas.legend(handles=handles, loc="upper left", bbox_to_anchor=place, fontsize=SMALL, **look)
    if label:
        label = fill(label, 27)
        text = f"{label}\n· clean accuracy" if first.row == 0 and "·" in handles[0].get_label() else label
        y = 1 - (top - LETTER) / places.height
        canvas.text(place[0], y, text, ha="left", va="bottom", fontsize=SMALL, linespacing=1.1)


def _label_ends(drawn: list[tuple[Cell, Axes, list[Line2D]]]) -> None:
    """Label curves at their ends, the panels of one column and x axis alike."""
    shown = [one for one in drawn if one[2] and one[0].panel.x_axis != "strength"]
    for key in dict.fromkeys((cell.box[0], x_key(cell.panel)) for cell, _, _ in shown):
        column = [one for one in shown if (one[0].box[0], x_key(one[0].panel)) == key]
        panels = [(axes, [line for line in lines if line.axes is axes]) for _, axes, lines in column]
        profile_curves.label_ends(panels, column[0][0].box[2:])


def _once(lines: list[Line2D]) -> list[Line2D]:
    return list({line.get_label(): line for line in lines}.values())


def _crop(rows: DataFrame, drawn: list[tuple[Cell, Axes, list[Line2D]]]) -> None:
    """End the x axes of PGD panels where their curves have met, the same for all that share one."""
    for key in dict.fromkeys(x_key(cell.panel) for cell, _, _ in drawn):
        shared = [(cell.panel, axes) for cell, axes, lines in drawn if lines and x_key(cell.panel) == key]
        if shared and shared[0][0].x_unit == "eps":
            letters = [panel.letter for panel, _ in shared]
            own = rows[rows["panel"].map(base_letter).isin(letters)]
            profile_curves.crop([axes for _, axes in shared], own, shared[0][0].reach)
