"""Pareto figures: models as numbered points of two accuracies, the front, and lists compared one by one."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from pandas import DataFrame, Series

from spatial_adversarial.metrics.hypervolume import on_front
from spatial_adversarial.plots import style
from spatial_adversarial.plots.numbering import label_points
from spatial_adversarial.records.drawing import DrawnFigure, ParetoPanel

SIZE = (7.0, 5.2)
PLANE = (0.095, 0.26, 0.505, 0.62)  # shares of the page: left, bottom, width, height
LISTS = (0.71, 0.49, 0.27, 0.37)
PALE = f"pale: {style.UNLEARNT}, in no area and on no front"


def draw(rows: DataFrame, figure: DrawnFigure) -> Figure:
    """Draw all models on the left, each numbered once, and on the right the lists of `zoom` against one model.

    `figure` has one panel: "methods" (name: rows of the table), "zoom" (the methods that are sets of lists), and for
    the axes x and y their "columns" and "labels". Bars are the intervals of each model. Models not run are left out;
    with none the panels say so.
    """
    panel = figure.panels[0]
    points = _points(rows, panel)
    canvas = Figure(figsize=SIZE)
    reduced = (rows["status"] == "reduced").any() if len(rows) else False
    heading = figure.title + (" [reduced budget]" if reduced else "")
    canvas.suptitle(fill(heading, 100), x=0.02, y=0.985, ha="left", va="top")
    plane, lists = canvas.add_axes(PLANE), canvas.add_axes(LISTS)
    if points.empty:
        style.not_run(plane, "no model of the table")
        style.not_run(lists, "no model of the table")
        return canvas
    looks = dict(zip(panel.methods, style.looks(len(panel.methods)), strict=True))
    _draw_points(plane, points, looks)
    _label_axes(plane, panel.labels)
    places = list(zip(points["x_value"], points["y_value"], strict=True))
    label_points(plane, places, list(map(_number, points.index)))
    volumes = rows[rows["metric"] == "hypervolume"].set_index("panel")["value"].astype(float)
    _compare_lists(lists, points, panel, volumes)
    canvas.legend(
        handles=_handles(rows, looks, points),
        loc="lower left",
        bbox_to_anchor=(0.02, 0.01),
        ncols=3,
        fontsize=6.5,
        handlelength=1,
        handletextpad=0.4,
        title="dominated area (%), from (0, 0): a set of several lists has more than any one of them",
        alignment="left",
        borderaxespad=0,
        columnspacing=0.9,
    )
    return canvas


def _points(rows: DataFrame, panel: ParetoPanel) -> DataFrame:
    """A row for each model that was run: key, method, and x, y with their lows and highs."""
    if rows.empty:
        return DataFrame()
    cells = rows[(rows["kind"] == "row") & (rows["status"] != "not run")]
    wide = {
        axis: cells[cells["column"] == name]
        .set_index("panel")[["value", "low", "high"]]
        .add_prefix(f"{axis}_")
        for axis, name in panel.columns.items()
    }
    points = wide["x"].join(wide["y"], how="inner").astype(float)
    points["pale"] = points.index.isin(cells["panel"][style.not_learnt(cells)])
    method = {str(row): name for name, own in panel.methods.items() for row in own}
    return points.assign(method=points.index.astype(str).map(method))


def _front(points: DataFrame) -> DataFrame:
    """The front of the models that are shown to have learnt."""
    points = points[~points["pale"]]
    found = on_front(points["x_value"].to_numpy(float), points["y_value"].to_numpy(float))
    return points[found].sort_values("x_value")


def _draw_points(axes: Axes, points: DataFrame, looks: dict) -> None:
    front = _front(points)
    steps_x = np.concatenate([[0], front["x_value"], front["x_value"].iloc[-1:]])
    steps_y = np.concatenate([front["y_value"].iloc[:1], front["y_value"], [0] * (len(front) > 0)])
    axes.fill_between(steps_x[: len(steps_y)], steps_y, step="pre", color="0.95", linewidth=0, zorder=0)
    axes.plot(steps_x[: len(steps_y)], steps_y, drawstyle="steps-pre", color="0.45", linewidth=0.8, zorder=1)
    axes.set_title(f"front: rows {', '.join(map(_number, front.index)) or 'none'}", pad=4)
    for method, look in looks.items():
        own = points[points["method"] == method]
        bars = [
            np.abs(own[[f"{axis}_low", f"{axis}_high"]].to_numpy().T - own[f"{axis}_value"].to_numpy())
            for axis in "xy"
        ]
        marks = {"color": look["color"], "marker": look["marker"], "markersize": 4.5}
        axes.errorbar(
            own["x_value"],
            own["y_value"],
            bars[1],
            bars[0],
            fmt="none",
            ecolor=look["color"],
            alpha=0.35,
            elinewidth=1,
        )
        for pale, part in own.groupby("pale"):
            alpha = style.PALE if pale else 1
            axes.plot(part["x_value"], part["y_value"], linestyle="none", alpha=alpha, **marks)
    for name in "xy":
        low, high = points[f"{name}_low"].min(), points[f"{name}_high"].max()
        margin = 0.07 * max(high - low, 0.02)
        axes.set(**{f"{name}lim": (low - margin, high + margin)})


def _number(key: str) -> str:
    return str(key).replace("_", " ")


def _label_axes(axes: Axes, labels: dict) -> None:
    axes.set(xlabel=labels["x"], ylabel=labels["y"])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))


def one_model(points: DataFrame, sets: list[str]) -> Series:
    """Of the models outside `sets` that have learnt, the one that dominates most: what each list is compared with."""
    alone = points[~points["method"].isin(sets) & ~points["pale"]]
    return alone.loc[(alone["x_value"] * alone["y_value"]).idxmax()] if len(alone) else Series(dtype=object)


def _compare_lists(axes: Axes, points: DataFrame, panel: ParetoPanel, volumes: Series) -> None:
    """Draw how far each list of the sets lies from one model in both accuracies, and say of how many it holds.

    Lists that have not learnt are pale, and in no count.
    """
    lists, base = points[points["method"].isin(panel.zoom)], one_model(points, panel.zoom)
    if lists.empty or base.empty:
        style.not_run(axes, "no list and no one model to compare")
        return
    places = -np.arange(len(lists))
    gains = {axis: 100 * (lists[f"{axis}_value"] - base[f"{axis}_value"]) for axis in "xy"}
    names = {axis: panel.labels[axis].split(" accuracy")[0].split(",")[0].lower() for axis in "xy"}
    marks = {"x": {"marker": "o", "fillstyle": "full"}, "y": {"marker": "s", "fillstyle": "none"}}
    axes.axvline(0, color="0.45", linewidth=0.8)
    for axis, mark in marks.items():
        ends = 100 * (lists[[f"{axis}_low", f"{axis}_high"]] - base[f"{axis}_value"])
        for place, pale, gain, own in zip(places, lists["pale"], gains[axis], ends.to_numpy(), strict=True):
            look = {"color": "0.2", "alpha": style.PALE if pale else 1}
            axes.plot(own, [place, place], linewidth=0.6, **look)
            axes.plot(gain, place, linestyle="none", markersize=4.5, **mark, **look)
        axes.plot([], [], linestyle="none", color="0.2", markersize=4.5, label=names[axis], **mark)
    axes.set_yticks(places, [_number(key) for key in lists.index])
    axes.set_ylim(places[-1] - 0.6, 0.6)
    axes.set_xlabel(f"points above row {_number(base.name)}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.2), ncols=2, handletextpad=0.2, columnspacing=1)
    learnt = ~lists["pale"]
    better = {axis: int(((gain > 0) & learnt).sum()) for axis, gain in gains.items()}
    both = int(((gains["x"] > 0) & (gains["y"] > 0) & learnt).sum())
    axes.set_title(fill(f"each list less row {_number(base.name)}, {base['method']}", 38), pad=4, x=-0.16)
    told = [
        f"Row {_number(base.name)}: of single models the one that dominates most.",
        f"Of {learnt.sum()} list{'s' * int(learnt.sum() != 1)} {better['x']} gain in {names['x']} accuracy, "
        f"{better['y']} in {names['y']}, "
        f"{both} in both. Bars: each list's own interval.",
    ]
    shown = set(lists["method"][learnt])
    told += [_gain(volumes, method, base) for method in panel.zoom if method in shown]
    text = "\n".join(fill(line, 46) for line in told)
    axes.text(-0.16, -0.42, text, transform=axes.transAxes, va="top", fontsize=6.5, linespacing=1.3)


def _gain(volumes: Series, method: str, base: Series) -> str:
    """What a set of lists dominates beyond one model, in words."""
    gain = 100 * (volumes[method] - base["x_value"] * base["y_value"])
    return f"{method} as a set: {gain:+.1f} points of dominated area (intervals: below left).".replace(
        "-", "−"
    )


def _handles(rows: DataFrame, looks: dict, points: DataFrame) -> list[Line2D]:
    """A legend's entry for each method drawn: its mark, and its hypervolume with the interval; what is pale."""
    volumes = rows[rows["metric"] == "hypervolume"].set_index("panel")
    mark = {"linestyle": "none", "marker": "o", "color": "0.2", "alpha": style.PALE}
    pale = [Line2D([], [], label=PALE, **mark)] if points["pale"].any() else []
    return [
        Line2D(
            [],
            [],
            linestyle="none",
            color=look["color"],
            marker=look["marker"],
            label=_area(method, volumes.loc[method], points),
        )
        for method, look in looks.items()
        if (points["method"] == method).any()
    ] + pale


def _area(method: str, volume: Series, points: DataFrame) -> str:
    own = points[points["method"] == method]
    count = f" ({len(own)} models)" if len(own) > 1 else ""
    if own["pale"].all():
        return f"{method}{count}: {style.UNLEARNT}"
    numbers = (100 * float(volume[key]) for key in ("value", "low", "high"))
    return "{}{}: {:.1f} [{:.1f}, {:.1f}]".format(method, count, *numbers)
