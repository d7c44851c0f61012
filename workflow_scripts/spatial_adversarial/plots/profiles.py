"""Profile panels: a metric against the test transform or attack, one line a training strength."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullFormatter
from pandas import DataFrame

from spatial_adversarial.plots import style

X_LABELS = {
    "degrees": "rotation range (±degrees)",
    "fraction": "shift range (±share of side)",
    "eps": "PGD L-inf eps",
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
    every = max(1, len(x) // 12)  # markers of a long curve would hide it
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
        label = style.strength_text(strength, panel["strength_label"])
        if style.not_learnt(own).any():
            look, label = look | {"alpha": style.PALE}, f"{label} ({style.UNLEARNT})"
        lines.append(curve(axes, own, look, label))
    grey = {"color": "0.2", "marker": "o"}
    lines += style.hollow(axes, published["x"].map(style.number), published["value"], grey)
    joint = "rotation" in panel["profile"] and "translation" in panel["profile"]
    normalised = panel["attack_space"] == "normalized"
    x_axis(axes, panel["x_unit"], list(rows["x"]), joint=joint, normalised=normalised)
    style.percent_axis(axes, style.metric_label(panel["metric"]))
    return lines


def x_axis(
    axes: Axes, unit: str, values: list[float], *, joint: bool = False, normalised: bool = False
) -> None:
    """Give the x axis of a profile its ticks and label.

    `unit` is "degrees", "fraction", "eps" or "epoch" (else ValueError); `values` are the points, in it; `joint` says
    that a shift of i of the side comes with a rotation of 180 i degrees; `normalised` that eps is in units of
    the network's normalised input.
    """
    if unit not in X_LABELS:
        raise ValueError(f"x_unit {unit!r} is none of {', '.join(X_LABELS)}")
    axes.set_xlabel("range i (±i side, ±180i°)" if joint else X_LABELS[unit])
    if unit == "degrees":
        axes.xaxis.set_major_locator(MultipleLocator(45))
    if unit == "fraction":
        axes.xaxis.set_major_locator(MultipleLocator(0.1))
        axes.xaxis.set_major_formatter("{x:g}")
    if unit == "eps":
        _eps_axis(axes, values, "normalised" if normalised else "PGD L-inf")


def _eps_axis(axes: Axes, values: list[float], kind: str) -> None:
    if not style.in_255ths(values):
        axes.set_xlabel(f"{kind} eps")
        return
    # Budgets double from point to point: on a linear axis all but the last two would share the left edge.
    axes.set_xscale("symlog", base=2, linthresh=1 / 255, linscale=0.8)
    ticks = sorted(set(values))
    axes.xaxis.set_major_locator(FixedLocator(ticks[::2]))
    axes.xaxis.set_minor_locator(FixedLocator(ticks[1::2]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{round(255 * x)}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"{kind} eps × 255")
