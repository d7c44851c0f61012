"""Where a grid's panels stand: rows of one data set, network and family, columns of one profile, on one page.

All of it follows from the figure's description, without data: sizes are in inches from the page's upper left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import fill

from spatial_adversarial.plots import style
from spatial_adversarial.records.drawing import DrawnFigure, DrawnPanel

WIDTH = 7.0
LEFT = 0.75  # a row's name and the ticks of its first panel
LEGEND = 1.5  # a row's legend, on its right
HEADING, HEADING_LINE = 0.12, 0.16
PLANE = (2.6, 1.5)  # the trade-off plane's axes
HEADER_LINE = 0.115  # of a column's name
NOTE_LINE = 0.125  # of the note on panels that were not run
BELOW = 0.45  # ticks and label of an x axis
TITLE = 0.12  # between rows that are trained with different strengths: their legends have a title each
LETTER = 0.15  # above each panel
GAP, OWN_SCALE = 0.1, 0.38  # between columns; before one with a scale of its own
TALLEST, LOWER = 1.8, 1.25  # inches of a panel, and of one in three rows or more
LOWEST = 0.8  # inches of a panel: what would be lower goes on a second page
AGAINST = {"rotation": "rotations", "translation": "translations", "rotation_translation": "both together"}
DISTANCE = "mean_l2_distance"


@dataclass(frozen=True)
class Cell:
    """A panel's place: its row and column, its box, and which of its names are written."""

    panel: DrawnPanel
    row: int
    box: tuple[float, float, float, float]  # left, top, width, height
    header: float | None  # the lower edge of its column's name, where none above has the same
    x_axis: bool  # none below has the same
    y_axis: bool  # the first of its row, or on a scale of its own


@dataclass(frozen=True)
class Layout:
    height: float
    plane: float | None  # the top of the trade-off plane's axes
    cells: tuple[Cell, ...]
    legend_left: float  # of the rows' legends; the page's width where one below serves all
    below: float  # of the note at the page's foot


def row_key(panel: DrawnPanel) -> tuple:
    """What the panels of a row have in common."""
    return panel.data, panel.network, panel.family


def x_key(panel: DrawnPanel) -> tuple:
    """What panels must share to share an x axis."""
    if panel.x_axis == "strength":
        return panel.strength_label, *panel.strengths
    return panel.profile, panel.x_unit, panel.attack_space, *panel.grid


def has_invariance_and_robustness(panels: Sequence[DrawnPanel]) -> bool:
    """Whether a row has a rate of invariance and, in pixels, a fooling rate: a trade-off to show."""
    metrics = {panel.metric for panel in panels if panel.x_axis == "point" and not _normalised(panel)}
    return {"rate_of_invariance", "one_minus_fooling_rate"} <= metrics


def rows_of(panels: Sequence[DrawnPanel]) -> list[list[DrawnPanel]]:
    """The panels by data set, network and family, in the order of their first letters."""
    rows: dict[tuple, list[DrawnPanel]] = {}
    for panel in panels:
        rows.setdefault(row_key(panel), []).append(panel)
    return list(rows.values())


def is_grid(figure: DrawnFigure) -> bool:
    """Whether the panels make a grid: profiles or histories do, panels against the strength where they fill one."""
    panels = figure.panels
    axes = {panel.x_axis for panel in panels}
    if axes == {"strength"}:
        rows = rows_of(panels)
        return len(rows_of(panels + figure.not_run)) > 1 and len(panels) == len(rows) * len(_columns(rows))
    return axes == {"point"}


def folded(figure: DrawnFigure) -> DrawnFigure:
    """The figure without the rows of which no panel was run, which it names; as it is where none was run at all."""
    run = {row_key(panel) for panel in figure.panels if panel.status != "not run"}
    kept = tuple(panel for panel in figure.panels if row_key(panel) in run)
    rest = tuple(panel for panel in figure.panels if row_key(panel) not in run)
    return replace(figure, panels=kept, not_run=rest) if run else figure


def note(figure: DrawnFigure) -> str:
    """The line, wrapped to the page, that names the panels of the rows that were not run; empty for none."""
    by_reason: dict[str, list[str]] = {}
    for panel in figure.not_run:
        by_reason.setdefault(panel.reason, []).append(panel.letter)
    unbroken = {reason: ",\u00a0".join(letters) for reason, letters in by_reason.items()}
    parts = [f"({letters}) {reason}".rstrip() for reason, letters in unbroken.items()]
    return fill(f"Not run: {'; '.join(parts)}", 115) if parts else ""


def layout(figure: DrawnFigure) -> Layout:
    """Place a figure's panels: no page is higher than `style.PAGE`, more rows are lower ones."""
    rows = rows_of(figure.panels)
    order = _columns(rows_of(figure.all_panels or figure.panels))
    columns, packed = [column for column in order if column in _columns(rows)], False
    if len(rows) > 1 and len(columns) == len(figure.panels):
        columns, packed = [None] * max(map(len, rows)), True  # no column is shared: each row has its own
    at = [[k if packed else columns.index(_column(panel)) for k, panel in enumerate(row)] for row in rows]
    lows = [_x_axes(r, rows, at) for r in range(len(rows))]
    scaled = [_own_scale(column) for column in columns]
    scales = [_y_axes(row, at[r], scaled) for r, row in enumerate(rows)]
    strengths = figure.panels[0].x_axis == "strength"
    right = 0.1 if strengths else LEGEND
    labelled = {c for r, own in enumerate(scales) for c, scale in zip(at[r], own, strict=True) if scale}
    beside = {c for columns_of in at for c in columns_of if c - 1 in columns_of}
    gaps = [0.0] + [OWN_SCALE if c in labelled & beside else GAP for c in range(1, len(columns))]
    width = (WIDTH - LEFT - right - sum(gaps)) / len(columns)
    lefts = [LEFT + k * width + sum(gaps[: k + 1]) for k in range(len(columns))]

    top = HEADING + HEADING_LINE * len(heading(figure).splitlines()) + 0.1
    plane = top if any(map(has_invariance_and_robustness, plane_rows(figure))) else None
    top += PLANE[1] + BELOW if plane is not None else 0
    lines = max(header(panel, width).count("\n") + 1 for panel in figure.panels)
    named = HEADER_LINE * max(2, lines) + 0.03
    headers = [named if r == 0 or packed else 0.0 for r in range(len(rows))]
    labels = list(map(_label, rows))
    headers = [
        max(high, TITLE if r and not strengths and labels[r] != labels[r - 1] else 0)
        for r, high in enumerate(headers)
    ]
    axes = [BELOW if any(low) else 0.04 for low in lows]
    below = NOTE_LINE * len(note(figure).splitlines())
    bottom = below + (0.3 if strengths else 0.05)  # one legend for all rows
    free = style.PAGE - top - sum(headers) - sum(axes) - bottom - LETTER * len(rows)
    height = min(
        free / len(rows), max(0.9 * width, _legend_height(figure)), TALLEST if len(rows) < 3 else LOWER
    )

    cells, names = [], top
    for r, row in enumerate(rows):
        top += headers[r] + LETTER
        names = top - LETTER if r == 0 or packed else names
        for c, panel, low, own in zip(at[r], row, lows[r], scales[r], strict=True):
            first = packed or all(c not in columns_of for columns_of in at[:r])
            name = names if first else None
            cells.append(Cell(panel, r, (lefts[c], top, width, height), name, low, own))
        top += height + axes[r]
    legend = WIDTH if strengths else WIDTH - LEGEND + 0.08
    return Layout(round(top + bottom, 6), plane, tuple(cells), legend, below)


def pages(figure: DrawnFigure) -> list[DrawnFigure]:
    """A grid's pages as figures of their own: one where its panels are no lower than LOWEST, or need no more room.

    A page has "all_panels", whose columns keep their order on each, and "trade_off": whether that stands on it, for
    all rows. Pages end between rows that are trained with different strengths where they can.
    """
    rest, found = rows_of(figure.panels), []
    while rest:
        made = [_page(figure, rest[:count], not found) for count in range(1, len(rest) + 1)]
        fitting = [k for k, page in enumerate(made, 1) if _is_legible(page)] or [1]
        ends = [k for k in fitting if k == len(rest) or _label(rest[k]) != _label(rest[k - 1])]
        count = max(ends or fitting)
        rest = rest[count:]
        found.append(made[count - 1])
    if len(found) == 1:
        return [figure]
    title = figure.title
    found[:-1] = [replace(page, not_run=()) for page in found[:-1]]
    return [replace(page, title=f"{title} (page {k} of {len(found)})") for k, page in enumerate(found, 1)]


def _page(figure: DrawnFigure, rows: list[list[DrawnPanel]], first: bool) -> DrawnFigure:
    own = [panel for row in rows for panel in row]
    return replace(figure, panels=tuple(own), all_panels=figure.panels, trade_off=first)


def _is_legible(page: DrawnFigure) -> bool:
    places = layout(page)
    return places.height < style.PAGE - 0.01 or places.cells[0].box[3] >= LOWEST


def _label(row: list[DrawnPanel]) -> str:
    return row[0].strength_label


def plane_rows(figure: DrawnFigure) -> list[list[DrawnPanel]]:
    """The rows, of panels that were run, that the trade-off plane of a figure, or of a page of it, shows."""
    panels = [panel for panel in figure.all_panels or figure.panels if panel.status != "not run"]
    return rows_of(panels) if figure.trade_off else []


def looks_over(figure: DrawnFigure) -> dict[str, dict]:
    """The look of each network that is drawn over a figure's curves, by its name: the same in all panels and pages."""
    panels = figure.all_panels or figure.panels
    networks = dict.fromkeys(one.network for panel in panels for one in panel.over)
    return {network: style.OVER[k % len(style.OVER)] for k, network in enumerate(networks)}


def common_names(figure: DrawnFigure) -> list[str]:
    """The data set and the network where all rows have the same: beside a plane, its legend names them once."""
    rows = plane_rows(figure)
    if len(rows) < 2 or not any(map(has_invariance_and_robustness, rows)):
        return []
    first = rows[0][0]
    return [
        getattr(first, key) for key in ("data", "network") if len({getattr(row[0], key) for row in rows}) == 1
    ]


def heading(figure: DrawnFigure) -> str:
    """The figure's title, with what is reduced, wrapped to the page."""
    reduced = any(panel.status == "reduced" for panel in figure.panels)
    return fill(figure.title + (" [reduced budget]" if reduced else ""), 100)


def header(panel: DrawnPanel, width: float) -> str:
    """A column's name, what is measured, in which unit, against what, wrapped to `width` inches."""
    if panel.x_axis == "strength":
        what = "mean L2 distance" if panel.lines[0].metric == DISTANCE else "accuracy (%)"
        lines = [what, "in normalised inputs" if _normalised(panel) else "in pixels"]
    else:
        lines = [f"{style.metric_label(panel.metric)} (%)"]
        attack = "PGD, normalised" if _normalised(panel) else "PGD, L-inf"
        lines += [] if panel.x_unit == "epoch" else [AGAINST.get(panel.profile, attack)]
    return "\n".join(fill(line.replace(" (%)", "\u00a0(%)"), int(21.5 * width)) for line in lines)


def _normalised(panel: DrawnPanel) -> bool:
    return panel.attack_space == "normalized"


def _column(panel: DrawnPanel) -> tuple:
    if panel.x_axis == "strength":
        return "strength", _normalised(panel), *(line.metric for line in panel.lines)
    return panel.profile, panel.metric, _normalised(panel)


def _columns(rows: list[list[DrawnPanel]]) -> list[tuple]:
    """The columns in the order of the longest row, then those that only others have."""
    found = (_column(panel) for row in sorted(rows, key=len, reverse=True) for panel in row)
    return list(dict.fromkeys(found))


def _own_scale(column: tuple | None) -> bool:
    return column is not None and DISTANCE in column


def _x_axes(r: int, rows: list[list[DrawnPanel]], at: list[list[int]]) -> list[bool]:
    """Which panels of row r write their x axis: those with none of the same axis next below them."""
    below = {}
    for columns, row in reversed(list(zip(at[r + 1 :], rows[r + 1 :], strict=True))):
        run = [panel.status != "not run" for panel in row]  # an empty frame has no axis
        below |= {c: x_key(panel) for c, panel, there in zip(columns, row, run, strict=True) if there}
    return [below.get(c) != x_key(panel) for c, panel in zip(at[r], rows[r], strict=True)]


def _y_axes(row: list[DrawnPanel], at: list[int], scaled: list[bool]) -> list[bool]:
    """Which panels of a row write their y axis: those whose neighbour on the left, of the ones run, has another."""
    own, before = [], None
    for c, panel in zip(at, row, strict=True):
        run = panel.status != "not run"  # an empty frame has no axis
        own.append(run and (before is None or scaled[c] or scaled[before]))
        before = c if run else before
    return own


def _legend_height(figure: DrawnFigure) -> float:
    """Inches of the longest legend of a row."""
    if figure.panels[0].x_axis == "strength":
        return 0.0

    def lines(panel: DrawnPanel) -> int:
        over = (style.name_over(f"{one.network} · 100.0%") for one in panel.over)
        return len(panel.strengths) + sum(name.count("\n") + 1 for name in over)

    return 0.115 * max(map(lines, figure.panels)) + 0.05
