"""One look for every figure: colours, line styles, axes in the papers' units, frames and deterministic files.

Figures are drawn at the size at which they are printed: two panels fill a column (3.5 in), four a page.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter
from pandas import DataFrame, Series

from spatial_adversarial.metrics import METRICS
from spatial_adversarial.runner.files import write_atomic

RC = {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.6,
    "lines.markeredgewidth": 0.4,
    "figure.titlesize": 8,
    "figure.titleweight": "bold",
    "pdf.fonttype": 42,
}
COMPACT = (1.75, 1.7)  # inches a panel: two in a column, four in a page
WIDE = (3.3, 2.5)  # inches a panel that fills a column
ALONE = (5.0, 3.0)  # inches of one with none beside it
TITLE_LINE = 0.13  # inches of each line of a title after its first
LABELS = 0.5  # inches of a panel's height, and width, for its title, ticks and labels
EMPTY = 0.01  # inches of a legend's row before it has a legend
PAGE = 9.0  # inches that a figure is high at most
# Equal steps of lightness L* from 61 to 8 and of hue from 50 to -80 degrees, each as saturated as sRGB allows.
STEPS = ("#f06b2c", "#e73944", "#c9075c", "#9d016d", "#6c017c", "#02197f", "#011833")
MARKERS = "os^DvPX"
DASHES = ("-", (0, (4, 1)), (0, (4, 1, 1, 1)), (0, (1, 0.8)))  # 4 and 7 are coprime: 28 different lines
# Of a line over others that are of another kind: a colour, a dash and a marker that `looks` never gives.
APART = {
    "color": "0.45",
    "linestyle": (0, (6, 1.5, 1, 1.5, 1, 1.5)),
    "marker": "*",
    "markeredgecolor": "white",
}

AS_GIVEN = "as given"  # the strength's label of a user's own network
# Of networks over a paper's curves: a hue that no training strength has; a fifth network has the first one's, dashed.
OVER = [
    {
        "color": color,
        "linestyle": dash,
        "linewidth": 1.5,
        "marker": marker,
        "markeredgecolor": "white",
        "zorder": 3,
    }
    for dash in DASHES
    for color, marker in (("#0b8a3a", "p"), ("#4f9e00", "h"), ("#00806e", "8"), ("#8a9a00", "d"))
]
OVER_LETTERS = 24  # of a line of their names in a legend

FAMILIES = {"R": "rotations (R)", "T": "translations (T)", "RT": "rotations and translations (RT)"}

PALE = 0.3  # opacity of what a network shows that is not shown to have learnt
UNLEARNT = "not learnt"


@contextmanager
def look() -> Iterator[None]:
    """matplotlib's defaults with `RC` over them: nothing of a user's matplotlibrc reaches a figure or its bytes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def palette(n: int) -> list[str]:
    """Return n hexadecimal colours from light to dark, the weakest training strength first.

    Lightness falls steadily and hue turns from orange to blue: up to seven stay apart in colour, in grey and without
    the green cones, and the order survives. The lightest has a contrast of at least 3 on white.
    """
    if n <= len(STEPS):
        return [STEPS[round(k)] for k in np.linspace(0, len(STEPS) - 1, n)]
    ramp = matplotlib.colors.LinearSegmentedColormap.from_list("steps", STEPS)
    return [matplotlib.colors.to_hex(color) for color in ramp(np.linspace(0, 1, n))]


def looks(n: int) -> list[dict]:
    """Return n sets of Line2D properties that differ in colour, dash and marker (n at most 28)."""
    return [
        {
            "color": color,
            "linestyle": DASHES[i % len(DASHES)],
            "marker": MARKERS[i % len(MARKERS)],
            "markeredgecolor": "white",
        }
        for i, color in enumerate(palette(n))
    ]


def in_255ths(values: list[float]) -> bool:
    """Say whether budgets in [0, 1] are whole 255ths rather than round decimals (multiples of 0.05)."""

    def are_integers(scale: int) -> bool:
        return all(math.isclose(v * scale, round(v * scale), abs_tol=1e-3) for v in values)

    return are_integers(255) and not are_integers(20)


def by_source(rows: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return (our rows, published rows); rows without a source are ours."""
    theirs = rows["source"] == "published" if "source" in rows else rows.index != rows.index
    return rows[~theirs], rows[theirs]


def hollow(axes: Axes, x: list[float], y: list[float], look: dict) -> list[Line2D]:
    """Mark published numbers by hollow markers, joined by dots, in the colour of our line `look`.

    Return the legend's entry, if any.
    """
    if not len(x):
        return []
    shape = {
        "linestyle": (0, (1, 1.5)),
        "linewidth": 0.6,
        "fillstyle": "none",
        "markersize": 4,
        "markeredgewidth": 0.7,
    }
    x, y = zip(*sorted(zip(x, y, strict=True)), strict=True)
    axes.plot(x, y, color=look["color"], marker=look["marker"], clip_on=False, **shape)
    return [Line2D([], [], color="0.2", marker="o", label="hollow: published", **shape)]


def not_learnt(rows: DataFrame) -> Series:
    """Which rows are of networks that are not shown to have learnt; none where the rows do not tell."""
    return rows["learnt"] == "no" if "learnt" in rows else Series(False, rows.index)


def spelled_out(family: str) -> str:
    """A family's name with R, T and RT in words."""
    first, _, rest = family.partition(", ")
    return ", ".join(filter(None, [FAMILIES.get(first, first), rest]))


def member_text(rows: DataFrame, strength: float, label: str) -> str:
    """A member in a legend: its strength and, where its `rows` tell, its clean accuracy: "180° · 91.7%"."""
    return with_clean_accuracy(strength_text(strength, label), rows)


def with_clean_accuracy(text: str, rows: DataFrame) -> str:
    """A name in a legend with its network's clean accuracy, where its `rows` tell: "My network · 91.7%"."""
    told = rows["clean_accuracy"].dropna() if "clean_accuracy" in rows else []
    text += f" · {100 * float(told.iloc[0]):.1f}%" if len(told) else ""
    return f"{text} ({UNLEARNT})" if not_learnt(rows).any() else text


def name_over(text: str) -> str:
    """The name of a network over a paper's curves, in lines that fit a row's legend."""
    return fill(text, OVER_LETTERS, break_on_hyphens=False)


def strength_text(strength: float, label: str) -> str:
    """Return a strength as printed: "60°" under a label that ends in "±degrees", else "8/255" or "0.2".

    A network that was not trained here has none: AS_GIVEN is printed in its place.
    """
    if label == AS_GIVEN:
        return label
    if label.replace(" ", "").endswith("±degrees"):
        return f"{strength:g}°"
    return f"{round(strength * 255)}/255" if in_255ths([strength]) else f"{strength:g}"


def metric_label(metric: str) -> str:
    """Return the printed name of a metric; ValueError if there is none of that name."""
    if metric not in METRICS:
        raise ValueError(f"metric {metric!r} is none of {', '.join(METRICS)}")
    return METRICS[metric].label


def percent_axis(axes: Axes, label: str) -> None:
    """Show the y axis, whose values lie in [0, 1], as 0 to 100 percent under `label`."""
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:g}"))
    axes.set_ylabel(f"{label} (%)")


def frame(
    panels: int, columns: int, *, size: tuple[float, float] = WIDE, legends: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure of `panels` axes in rows of `columns`, each with its labels about `size` inches.

    With `legends`, a row of the grid stays free under each row of panels: `legend_below` gives it its height.
    """
    columns = min(columns, panels)
    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.03)
    step = 2 if legends else 1
    ratios = [size[1] - LABELS, EMPTY] * rows if legends else None
    grid = figure.add_gridspec(step * rows, columns, height_ratios=ratios)
    return figure, [figure.add_subplot(grid[step * (i // columns), i % columns]) for i in range(panels)]


def title(axes: Axes, text: str) -> None:
    """Set the panel's title, wrapped so that it stays within the panel."""
    inches = axes.figure.get_figwidth() / axes.get_gridspec().ncols - LABELS
    axes.set_title(fill(text, int(inches * 18), break_on_hyphens=False))


def room_for_titles(figure: Figure, rows: list[list[Axes]]) -> None:
    """Make the figure as much higher as its heading and the panels' titles take beyond a line each."""
    lines = sum(max(axes.get_title().count("\n") for axes in row) for row in rows)
    lines += figure.get_suptitle().count("\n")
    figure.set_figheight(figure.get_figheight() + TITLE_LINE * lines)


def legend_below(first: Axes, span: int, handles: list[Line2D], heading: str) -> None:
    """Write one legend, in reading order, under `span` columns of a frame with legends.

    They begin at the panel `first`. The figure grows by the legend's height.
    """
    spec, grid, figure = first.get_subplotspec(), first.get_gridspec(), first.figure
    row, column = spec.rowspan.start + 1, spec.colspan.start
    width = figure.get_figwidth() / grid.ncols * span
    entry = 0.45 + 0.055 * max(len(h.get_label()) for h in handles)  # inches: line, gaps and letters
    lines = math.ceil(len(handles) / max(1, int(width / entry)))
    columns = math.ceil(len(handles) / lines)
    axes = figure.add_subplot(grid[row, column : column + span])
    axes.set_axis_off()
    box = axes.legend(
        handles=[h for c in range(columns) for h in handles[c::columns]],  # matplotlib fills column by column
        title=heading or None,
        ncols=columns,
        loc="upper center",
        borderpad=0,
        borderaxespad=0,
        labelspacing=0.3,
        handlelength=2.4,
        columnspacing=1,
    )
    box.set_in_layout(False)
    ratios = grid.get_height_ratios()
    growth = max(0, 0.1 + 0.14 * (lines + bool(heading)) - ratios[row])
    ratios[row] += growth
    grid.set_height_ratios(ratios)
    figure.set_figheight(figure.get_figheight() + growth)


def foot(figure: Figure, text: str, grow: float = 0.0) -> None:
    """Write a note at the figure's foot, which grows by so many inches a line of it."""
    if not text:
        return
    if grow:
        more = grow * len(text.splitlines()) + 0.05
        figure.set_figheight(figure.get_figheight() + more)
        room = more / figure.get_figheight()
        figure.get_layout_engine().set(rect=(0, room, 1, 1 - room))
    y = 0.03 / figure.get_figheight()
    figure.text(0.02, y, text, ha="left", va="bottom", fontsize=6.5, color="0.35", in_layout=False)


def not_run(axes: Axes, reason: str) -> None:
    """Leave the panel an empty frame that says "not run" and why."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="0.7", linestyle=(0, (3, 3)))
    text = "not run" + (f"\n{fill(reason, 24)}" if reason else "")
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="0.35")


def save_png(figure: Figure, png: str | Path) -> None:
    """Write a figure atomically as PNG alone."""
    with look(), write_atomic(png) as path:
        figure.savefig(path, format="png", dpi=200, metadata={"Software": None})


def save(pages: Figure | list[Figure], pdf: str | Path, png: str | Path) -> list[Path]:
    """Write a figure's pages atomically as one PDF and as PNGs (200 dots an inch): same figure, same bytes.

    The PNG of page 2 is <png>_2.png, and so on; these are returned.
    """
    pages = [pages] if isinstance(pages, Figure) else pages
    more = [Path(png).with_stem(f"{Path(png).stem}_{k}") for k in range(2, len(pages) + 1)]
    with look():
        for page in pages:
            page.draw_without_rendering()
            page.set_layout_engine("none")  # the layout is the slow part: once is enough for both files
        with write_atomic(pdf) as path, PdfPages(path, metadata={"CreationDate": None}) as file:
            for page in pages:
                file.savefig(page)
    for page, path in zip(pages, [png, *more], strict=True):
        save_png(page, path)
    return more
