"""Pareto figures: models as numbered points of two accuracies, the front, and the area below it shaded."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from pandas import DataFrame

from spatial_adversarial.pareto import on_front
from spatial_adversarial.plots import style

MARGIN = 0.08  # share of the zoomed range that is left free on each side


def draw(rows: DataFrame, figure: dict) -> Figure:
    """Draw all models on the left, and on the right a zoom on the methods of `zoom`, which are numbered there.

    `figure` has one panel: "methods" (name: rows of the table), "zoom", and for the axes x and y their "columns"
    and "labels". Bars are the intervals of each model. Models not run are left out; with none the panels say so.
    """
    panel, points = figure["panels"][0], _points(rows, figure["panels"][0])
    canvas, (left, right) = style.frame(2, 2, size=(3.4, 3.2), legends=True)
    reduced = (rows["status"] == "reduced").any()
    canvas.suptitle(figure["title"] + (" [reduced budget]" if reduced else ""))
    looks = dict(zip(panel["methods"], style.looks(len(panel["methods"])), strict=True))
    for axes, title in ((left, "all models"), (right, f"zoom: {', '.join(panel['zoom'])}")):
        axes.set_title(title)
        if points.empty:
            style.not_run(axes, "no model of the table")
            continue
        _draw_points(axes, points, looks)
        _label_axes(axes, panel["labels"])
    if not points.empty:
        zoomed = points["method"].isin(panel["zoom"])
        _write_numbers(left, points[~zoomed])
        _write_numbers(right, points)
        left.set(xlim=(-0.02, 1.06 * points["x_high"].max()), ylim=(-0.02, 1.06 * points["y_high"].max()))
        _zoom(left, right, points[zoomed])
        style.legend_below(left, 2, _handles(rows, looks, points), "hypervolume (%)")
    return canvas


def _points(rows: DataFrame, panel: dict) -> DataFrame:
    """A row for each model that was run: key, method, and x, y with their lows and highs."""
    cells = rows[(rows["kind"] == "row") & (rows["status"] != "not run")]
    wide = {
        axis: cells[cells["column"] == name]
        .set_index("panel")[["value", "low", "high"]]
        .add_prefix(f"{axis}_")
        for axis, name in panel["columns"].items()
    }
    points = wide["x"].join(wide["y"], how="inner")
    points["pale"] = points.index.isin(cells["panel"][style.not_learnt(cells)])
    method = {row: name for name, own in panel["methods"].items() for row in own}
    return points.assign(method=points.index.map(method))


def _draw_points(axes: Axes, points: DataFrame, looks: dict) -> None:
    x, y = points["x_value"].to_numpy(float), points["y_value"].to_numpy(float)
    front = points[on_front(x, y)].sort_values("x_value")
    steps_x = np.concatenate([[0], front["x_value"], front["x_value"].iloc[-1:]])
    steps_y = np.concatenate([front["y_value"].iloc[:1], front["y_value"], [0]])
    axes.fill_between(steps_x, steps_y, step="pre", color="0.93", linewidth=0, zorder=0)
    axes.plot(steps_x, steps_y, drawstyle="steps-pre", color="0.55", linewidth=0.8, zorder=1)
    for method, look in looks.items():
        own = points[points["method"] == method]
        bars = [
            np.abs(
                own[[f"{axis}_low", f"{axis}_high"]].to_numpy(float).T - own[f"{axis}_value"].to_numpy(float)
            )
            for axis in "xy"
        ]
        marks = {"color": look["color"], "marker": look["marker"], "markersize": 4}
        axes.errorbar(
            own["x_value"], own["y_value"], bars[1], bars[0], fmt="none", ecolor=look["color"], alpha=0.35
        )
        for pale, part in own.groupby("pale"):
            axes.plot(
                part["x_value"], part["y_value"], linestyle="none", alpha=style.PALE if pale else 1, **marks
            )


def _write_numbers(axes: Axes, points: DataFrame) -> None:
    for key, point in points.iterrows():
        place = (point["x_value"], point["y_value"])
        axes.annotate(key, place, (3, 3), textcoords="offset points", fontsize=6, annotation_clip=True)


def _label_axes(axes: Axes, labels: dict) -> None:
    axes.set(xlabel=labels["x"], ylabel=labels["y"])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))


def _zoom(left: Axes, right: Axes, points: DataFrame) -> None:
    """Limit the right axes to the points and their intervals, framed on the left; without any, to nothing."""
    if points.empty:
        return
    limits = {}
    for name in "xy":
        low, high = points[f"{name}_low"].min(), points[f"{name}_high"].max()
        margin = MARGIN * max(high - low, 0.02)
        limits[f"{name}lim"] = (low - margin, high + margin)
    right.set(**limits)
    (x, x_end), (y, y_end) = limits.values()
    left.add_patch(Rectangle((x, y), x_end - x, y_end - y, fill=False, linestyle=":", color="0.3"))


def _handles(rows: DataFrame, looks: dict, points: DataFrame) -> list[Line2D]:
    """A legend's entry for each method drawn: its mark, and its hypervolume with the interval; what is pale."""
    volumes = rows[rows["metric"] == "hypervolume"].set_index("panel")
    mark = {"linestyle": "none", "marker": "o", "color": "0.2", "alpha": style.PALE}
    pale = [Line2D([], [], label=f"pale: {style.UNLEARNT}", **mark)] if points["pale"].any() else []
    return pale + [
        Line2D(
            [],
            [],
            linestyle="none",
            color=look["color"],
            marker=look["marker"],
            label="{}: {:.1f} [{:.1f}, {:.1f}]".format(
                method, *(100 * float(volumes.loc[method, key]) for key in ("value", "low", "high"))
            ),
        )
        for method, look in looks.items()
        if (points["method"] == method).any()
    ]
