"""Profile panels: a metric against the test transform or attack, one line a training strength."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullLocator
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.records.climbed_label import of_label

WIDE = 1.6  # inches of a panel whose curves' ends are labelled
END_LABEL = 0.09  # inches between two of these labels
MET = 0.03  # curves that differ by less have met
BEYOND = "out of reach"
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
    axes.fill_between(x, low, high, color=look["color"], alpha=0.18 * look.get("alpha", 1), linewidth=0)
    every = max(1, round(len(x) / 5))  # markers of a long curve would hide it
    return axes.plot(x, value, label=label, clip_on=False, markevery=every, **look)[0]


def draw_panel(axes: Axes, rows: DataFrame, panel: dict) -> list[Line2D]:
    """Draw one profile (for example a rate of invariance over rotation ranges) and return its lines.

    `rows` are the panel's own rows in the tidy columns; `panel["strengths"]` gives the lines, weakest first. Those
    of networks not shown to have learnt are pale, and the legend says so.
    ValueError if a strength has no row of the panel's metric.
    """
    rows, published = style.by_source(rows[rows["metric"] == panel["metric"]])
    rows = rows.assign(x=rows["x"].map(style.number))
    strengths = rows["strength"].map(style.number)
    lines = []
    for strength, look in zip(panel["strengths"], style.looks(len(panel["strengths"])), strict=True):
        own = rows[np.isclose(strengths, style.number(strength), rtol=0, atol=1e-6)]
        if own.empty:
            raise ValueError(f"panel {panel['panel']}: no {panel['metric']} for training strength {strength}")
        label = style.member_text(own, strength, panel["strength_label"])
        look = look | ({"alpha": style.PALE} if style.not_learnt(own).any() else {})
        lines.append(curve(axes, own, look, label))
    grey = {"color": "0.2", "marker": "o"}
    lines += style.hollow(axes, published["x"].map(style.number), published["value"], grey)
    joint = "rotation" in panel["profile"] and "translation" in panel["profile"]
    x_axis(axes, panel["x_unit"], list(rows["x"]), joint=joint)
    _shade_beyond(axes, panel.get("reach"), rows["x"].max())
    style.percent_axis(axes, style.metric_label(panel["metric"]))
    return lines


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
    if unit == "eps":
        _eps_axis(axes, values)


def _shade_beyond(axes: Axes, reach: float | None, largest: float) -> None:
    """Shade and name the eps that an attack's steps do not reach; `reach` is None where there is no such limit."""
    if reach is None or reach >= largest:
        return
    axes.axvspan(reach, largest, color="0.93", linewidth=0, zorder=0)
    look = {"rotation": 90, "ha": "left", "va": "top", "fontsize": 5.5, "color": "0.4", "clip_on": True}
    axes.annotate(BEYOND, (reach, 1), (2, 0), textcoords="offset points", **look)


def crop(panels: list[Axes], rows: DataFrame, reach: float | None) -> None:
    """End the common x axis of eps panels one point after their curves have met, or one out of reach, if that is less.

    `rows`: the tidy rows of all these panels. Curves have met where no two of a panel differ by more than MET; those of
    networks not shown to have learnt do not count.
    """
    rows = style.by_source(of_label(rows))[0]
    rows = rows[~style.not_learnt(rows) & (rows["status"] != "not run")]
    numbers = rows.assign(at=rows["x"].map(style.number), value=rows["value"].astype(float))
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
        for line in axes.lines:
            line.set_clip_on(True)
        if axes.get_xlabel() and [last] == met:
            axes.set_xlabel(f"{axes.get_xlabel()}\nbeyond: all meet", linespacing=1)


def label_ends(axes: Axes, lines: list[Line2D], inches: tuple[float, float]) -> None:
    """Write each curve's strength at its end in a panel of `inches` (width, height) where all of them fit."""
    low, high = axes.get_xlim()
    ends = sorted(
        ((line.get_ydata()[-1], line) for line in lines if len(line.get_ydata())), key=lambda end: end[0]
    )
    span = axes.get_ylim()[1] - axes.get_ylim()[0]
    close = any(b[0] - a[0] < END_LABEL / inches[1] * span for a, b in pairwise(ends))
    if inches[0] < WIDE or close or axes.get_xscale() != "linear":
        return
    axes.set_xlim(low, high + (high - low) * 0.42 / inches[0])
    for y, line in ends:
        look = {"color": line.get_color(), "va": "center", "fontsize": 6.5}
        text = line.get_label().split(" · ")[0].split(" (")[0]
        axes.annotate(text, (line.get_xdata()[-1], y), (4, 0), textcoords="offset points", **look)


def _eps_axis(axes: Axes, values: list[float]) -> None:
    if not style.in_255ths(values):
        axes.xaxis.set_major_locator(MultipleLocator(0.2))
        axes.xaxis.set_major_formatter("{x:g}")
        return
    # Budgets double from point to point: on a linear axis all but the last two would share the left edge.
    axes.set_xscale("symlog", base=2, linthresh=1 / 255, linscale=0.8)
    axes.axvline(1 / 255, color="0.55", linewidth=0.6, linestyle=(0, (1, 1.5)), zorder=0.5)
    ticks = sorted(set(values))
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    told = {0, *ticks[1::2], ticks[-1]}  # the labels of all would touch
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{round(255 * x)}" if x in told else ""))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("eps × 255, log > 1")
