"""Profile panels: a metric against the test transform or attack, one line a training strength."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.records.climbed_label import of_label
from spatial_adversarial.records.drawing import DrawnPanel
from spatial_adversarial.records.panel import base_letter

WIDE = 1.3  # inches of a panel whose curves' ends are labelled
END_LABEL = 0.09  # inches between two of these labels
TICK_LABEL = 0.19  # inches between two labels of ticks on the eps axis
MET = 0.03  # curves that differ by less have met
BEYOND = "out of reach"  # short: the panel's letter stands beside it
LINEAR, BREAK = 1 / 255, "//"  # up to where an axis of doubling budgets is linear, and the mark that says so
OVER = "over"  # marks the lines of networks drawn over a panel's own
X_LABELS = {
    "degrees": "±degrees",
    "fraction": "±share of side",
    "eps": "eps",
    "epoch": "epoch",
}


def curve(axes: Axes, rows: DataFrame, look: dict, label: str) -> Line2D:
    """Draw value against x with its 95% band (low to high) and return the line.

    ValueError if two rows share an x: they belong to different runs, seeds or attack spaces.
    """
    rows = rows.sort_values("x")
    if rows["x"].duplicated().any():
        raise ValueError(f"line {label!r} has two values at one x")
    x, value, low, high = rows[["x", "value", "low", "high"]].to_numpy(float).T
    if len(x) == 1:  # a band has no width there
        bar = {"color": look["color"], "alpha": 0.5 * look.get("alpha", 1), "linewidth": 0.8}
        axes.vlines(x, low, high, **bar)
    axes.fill_between(x, low, high, color=look["color"], alpha=0.18 * look.get("alpha", 1), linewidth=0)
    every = max(1, round(len(x) / 5))  # markers of a long curve would hide it
    return axes.plot(x, value, label=label, clip_on=False, markevery=every, **look)[0]


def draw_panel(axes: Axes, rows: DataFrame, panel: DrawnPanel) -> list[Line2D]:
    """Draw one profile (for example a rate of invariance over rotation ranges) and return its lines.

    `rows` are the panel's own rows in the tidy columns; `panel.strengths` gives the lines, weakest first. Those
    of networks not shown to have learnt are pale, and the legend says so.
    ValueError if a strength has no row of the panel's metric.
    """
    rows, published = style.by_source(rows[rows["metric"] == panel.metric])
    lines = []
    for strength, look in zip(panel.strengths, style.looks(len(panel.strengths)), strict=True):
        own = rows[np.isclose(rows["strength"], strength, rtol=0, atol=1e-6)]
        if own.empty:
            raise ValueError(f"panel {panel.letter}: no {panel.metric} for training strength {strength}")
        label = style.member_text(own, strength, panel.strength_label)
        look = look | ({"alpha": style.PALE} if style.not_learnt(own).any() else {})
        lines.append(curve(axes, own, look, label))
    grey = {"color": "0.2", "marker": "o"}
    lines += style.hollow(axes, published["x"], published["value"], grey)
    joint = "rotation" in panel.profile and "translation" in panel.profile
    x_axis(axes, panel.x_unit, list(rows["x"]), joint=joint)
    _shade_beyond(axes, panel.reach, rows["x"].max())
    style.percent_axis(axes, style.metric_label(panel.metric))
    return lines


def draw_over(axes: Axes, rows: DataFrame, panel: DrawnPanel, look: dict) -> Line2D:
    """Draw a network's curve over the others of its profile and return the line, named with its clean accuracy.

    `rows` are the network's own in the tidy columns, `panel` describes its panel. ValueError if it has none.
    """
    rows = style.by_source(rows[rows["metric"] == panel.metric])[0]
    if rows.empty:
        raise ValueError(f"panel {panel.letter}: no {panel.metric}")
    line = curve(
        axes,
        rows,
        look | ({"alpha": style.PALE} if style.not_learnt(rows).any() else {}),
        style.name_over(style.with_clean_accuracy(panel.network, rows)),
    )
    line.set_gid(OVER)
    return line


def x_axis(axes: Axes, unit: str, values: list[float], *, joint: bool = False) -> None:
    """Give the x axis of a profile its ticks and label.

    `unit` is "degrees", "fraction", "eps" or "epoch" (else ValueError); `values` are the points, in it; `joint` says
    that a shift of i of the side comes with a rotation of 180 i degrees.
    """
    if unit not in X_LABELS:
        raise ValueError(f"x_unit {unit!r} is none of {', '.join(X_LABELS)}")
    axes.set_xlabel("i (±i side, ±180i°)" if joint else X_LABELS[unit])
    if unit == "degrees":
        axes.xaxis.set_major_locator(MultipleLocator(60))
    if unit == "fraction":
        axes.xaxis.set_major_locator(MultipleLocator(0.1))
        axes.xaxis.set_major_formatter("{x:g}")
    if unit == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if unit == "eps":
        _eps_axis(axes, values)


def _shade_beyond(axes: Axes, reach: float | None, largest: float) -> None:
    """Shade and, above the panel, name the eps that an attack's steps do not reach; `reach` None: no such limit."""
    if reach is None or reach >= largest:
        return
    axes.axvspan(reach, largest, color="0.92", linewidth=0, zorder=0)
    look = {"ha": "right", "va": "bottom", "fontsize": 5.5, "color": "0.4"}
    axes.annotate(BEYOND, (1, 1), (0, 1), "axes fraction", "offset points", **look)


def crop(panels: list[Axes], rows: DataFrame, reach: float | None) -> None:
    """End the common x axis of eps panels one point after their curves have met, or one out of reach, if that is less.

    `rows`: the tidy rows of all these panels. Curves have met where no two of a panel differ by more than MET; those of
    networks not shown to have learnt do not count.
    """
    rows = style.by_source(of_label(rows))[0]
    rows = rows.assign(panel=rows["panel"].map(base_letter))
    rows = rows[rows["status"] != "not run"]
    whose = "all that learnt" if style.not_learnt(rows).any() else "all"
    rows = rows[~style.not_learnt(rows)]
    numbers = rows.assign(at=rows["x"], value=rows["value"].astype(float))
    spread = numbers.groupby(["panel", "at"])["value"].agg(lambda values: values.max() - values.min())
    points = sorted(numbers["at"].unique())
    apart = max((at for (_, at), width in spread.items() if width > MET), default=np.inf)
    met = [at for at in points if at > apart][:1]
    beyond = [at for at in points if reach is not None and at > reach + 1e-9][:1]
    if not met + beyond or min(met + beyond) == points[-1]:
        return
    last = min(met + beyond)
    right = last * (1.02 if [last] == beyond else 1.001)  # nothing of the shade where all of it is cut
    for axes in panels:
        axes.set_xlim(right=right)
        for text in axes.texts:
            text.set_visible(text.get_text() != BEYOND or right > 1.01 * reach)
        for line in axes.lines:
            line.set_clip_on(True)
        if axes.get_xlabel() and [last] == met:
            axes.set_xlabel(f"{axes.get_xlabel()}\nbeyond: {whose} meet", linespacing=1)


def label_ends(panels: list[tuple[Axes, list[Line2D]]], inches: tuple[float, float]) -> None:
    """Write each curve's strength at its end, in those of some panels of one x axis where all of them fit.

    inches: a panel's width and height. All panels leave the same room, so that the axis stays the same.
    """
    fitting = [(axes, ends) for axes, lines in panels if _are_apart(axes, ends := _ends(lines), inches[1])]
    if inches[0] < WIDE or not fitting or fitting[0][0].get_xscale() != "linear":
        return
    longest = max(len(_strength(line)) for _, ends in fitting for _, line in ends)
    for axes, _ in panels:
        low, high = axes.get_xlim()
        axes.set_xlim(low, high + (high - low) * (0.1 + 0.055 * longest) / inches[0])
    for y, line in (end for _, ends in fitting for end in ends):
        look = {"color": line.get_color(), "va": "center", "fontsize": 6.5}
        place = line.get_xdata()[-1], y
        line.axes.annotate(_strength(line), place, (4, 0), textcoords="offset points", **look)


def _ends(lines: list[Line2D]) -> list[tuple[float, Line2D]]:
    """The last value of each curve, from the lowest, without those of networks drawn over them."""
    ends = [
        (line.get_ydata()[-1], line) for line in lines if len(line.get_ydata()) and line.get_gid() != OVER
    ]
    return sorted(ends, key=lambda end: end[0])


def _are_apart(axes: Axes, ends: list[tuple[float, Line2D]], height: float) -> bool:
    low, high = axes.get_ylim()
    return bool(ends) and all(b[0] - a[0] >= END_LABEL / height * (high - low) for a, b in pairwise(ends))


def _strength(line: Line2D) -> str:
    return line.get_label().split(" · ")[0].split(" (")[0]


def _eps_axis(axes: Axes, values: list[float]) -> None:
    if not style.in_255ths(values):
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5]))
        axes.xaxis.set_major_formatter("{x:g}")
        return
    # Budgets double from point to point: on a linear axis all but the last two would share the left edge.
    axes.set_xscale("symlog", base=2, linthresh=LINEAR, linscale=0.8)
    axes.axvline(LINEAR, color="0.55", linewidth=0.6, linestyle=(0, (1, 1.5)), zorder=0.5)
    look = {"ha": "center", "va": "center", "fontsize": 6, "clip_on": False}
    axes.text(LINEAR, 0, BREAK, transform=axes.get_xaxis_transform(), **look)
    ticks = sorted(set(values))
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{round(255 * x)}" if x in _labelled(axes, ticks) else "")
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("eps × 255, log₂ above 1")


def _labelled(axes: Axes, ticks: list[float]) -> list[float]:
    """The ticks whose labels do not touch: the first and the last in view, and what fits between them."""
    ticks = [tick for tick in ticks if tick <= axes.get_xlim()[1]]
    places = axes.transData.transform([(tick, 0) for tick in ticks])[:, 0] / axes.figure.dpi
    kept = ticks[:1]
    last = places[0]
    for tick, place in list(zip(ticks, places, strict=True))[1:-1]:
        if place - last >= TICK_LABEL and places[-1] - place >= TICK_LABEL:
            kept.append(tick)
            last = place
    return [*kept, *ticks[1:][-1:]]
