"""A panel of a theory figure: bounds as named lines, what is attainable as an area, classifiers as points."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.theory.bounds import CLASSIFIERS

X_LABELS = {
    "probability": "p = Pr(x0 = y)",
    "coordinates": "d, number of coordinates",
    "m/d": "m/d, unit of the shifts",
    "eta": "η = 1 − adversarial accuracy",
}
HUES = ["#000000", "#3a9bdc", "#1f5fa8", "#08306b", "#e69f00", "#8c510a"]
HUES += ["#d55e00", "#009e73", "#cc79a7", "#7f7f7f", "#7a1fa2"]
COLORS = dict(zip(CLASSIFIERS, HUES, strict=True)) | {"best on x": "#009e73", "best on shifted x": "#999933"}
CODES = {"search": "s", "Sidelnikov": "o", "m-sequence": "^"}
LINES = {"upper_bound": "-", "lower_bound": (0, (4, 2)), "inequality_right": "-"}
NAMES = {"upper_bound": "upper bound", "lower_bound": "lower bound", "inequality_right": "right side"}
TIGHT = {"linestyle": (0, (1, 1)), "color": "0.2", "linewidth": 1.2}
ATTAINABLE = {"facecolor": "#fff0b8", "edgecolor": "#a67c00", "linewidth": 0.8}
EMPTY = {"facecolor": "0.87", "edgecolor": "none"}
VACUOUS = {"facecolor": "none", "edgecolor": "0.75", "hatch": "////", "linewidth": 0}
STEP = 1.8  # points between classifiers at one x
GREY = "0.35"
GAP = 0.085  # least distance between two names at a line's end, in accuracy


def draw_panel(axes: Axes, rows: DataFrame) -> None:
    """Draw a panel of a theory figure but for its title, from its rows."""
    if rows["x_unit"].iloc[0] == "eta":
        _draw_along_eta(axes, rows)
    else:
        _draw_sides(axes, rows)
    if rows["statement"].iloc[0] in ("theorem2", "theorem3"):
        axes.axhline(0.5, color="0.5", linestyle=":", linewidth=0.8, zorder=1)
    _draw_points(axes, rows)
    _label_axes(axes, rows)


def _draw_along_eta(axes: Axes, rows: DataFrame) -> None:
    """The regions, the attainable area and the sides along eta, each named where it begins."""
    curves = rows[rows["classifier"].isna()]
    sides = curves[curves["side"] == "bound"]
    least, most = (curves[curves["metric"] == f"frontier_{end}"] for end in ("lower", "upper"))
    axes.fill_between(most["x"], least["value"], most["value"], **ATTAINABLE, zorder=1)
    edge = 1 - rows["p"].iloc[0] if (sides["hypothesis"] == "empty").any() else 0
    axes.axvspan(0, edge, **EMPTY, zorder=0)
    vacuous = sides[(sides["metric"] == "upper_bound") & (sides["hypothesis"] == "vacuous")]
    if len(vacuous) > 1:
        axes.axvspan(vacuous["x"].min(), 1, **VACUOUS, zorder=0)
    for metric, line in sides[sides["x"] >= edge - 1e-9].groupby("metric", sort=False):
        look = {"linestyle": LINES[metric], "color": GREY, "linewidth": 1.1} if metric in LINES else TIGHT
        axes.plot(line["x"], line["value"], **look, zorder=2)
    _name_sides(axes, sides, edge)


def _name_sides(axes: Axes, sides: DataFrame, edge: float) -> None:
    """Name each side in the grey region where it begins, or beside its middle where there is none."""
    look = {"color": GREY, "textcoords": "offset points"}
    for metric, line in sides.groupby("metric"):
        some = line[(line["x"] >= edge - 1e-9) & (line["hypothesis"] != "vacuous")]
        middle = some.iloc[len(some) // 2][["x", "value"]]
        if metric == "tight_lower" and "tight_upper" not in set(sides["metric"]):
            axes.annotate("1 − η", middle, xytext=(-3, -2), ha="right", va="top", **look)
        elif edge and metric != "tight_upper":
            box = {"facecolor": EMPTY["facecolor"], "edgecolor": "none", "pad": 0.5}
            place = {"xytext": (-7, 0), "ha": "right", "va": "center", "bbox": box}
            axes.annotate(NAMES.get(metric, "tight form"), some.iloc[0][["x", "value"]], **place, **look)
        elif not edge and middle["x"] > 0.3:
            axes.annotate(NAMES[metric], middle, xytext=(-3, 2), ha="right", **look)
        elif not edge:
            axes.annotate(NAMES[metric], middle, xytext=(5, 0), va="center", **look)


def _draw_sides(axes: Axes, rows: DataFrame) -> None:
    """The sides at the own eta of the classifiers that are evidence, named at their right ends."""
    if rows["x_unit"].iloc[0] in ("coordinates", "m/d"):
        axes.set_xscale("log", base=2)
    sides = rows[rows["side"].isin(["bound", "right"]) & (rows["hypothesis"] != "by construction")]
    names = []
    for classifier, some in sides.sort_values("x").groupby(sides["classifier"].fillna("")):
        color = COLORS.get(classifier, GREY)
        for metric, line in some[some["metric"].isin(LINES)].groupby("metric"):
            axes.plot(line["x"], line["value"], color=color, linestyle=LINES[metric], linewidth=1.1)
            names.append((line["value"].iloc[-1], NAMES[metric], color))
        least, most = (some[some["metric"] == f"tight_{end}"] for end in ("lower", "upper"))
        if not least.empty:
            most, name = (
                (some[some["metric"] == "upper_bound"], "1 − η") if most.empty else (most, "tight form")
            )
            axes.fill_between(least["x"], least["value"], most["value"], color=color, alpha=0.25, linewidth=0)
            names.append((least["value"].iloc[-1], name, color))
    height = np.inf
    for value, name, color in sorted(names, reverse=True):  # from above, GAP apart
        height = min(value, height - GAP)
        place = {"xytext": (14, 0), "textcoords": "offset points", "va": "center", "annotation_clip": False}
        axes.annotate(name, (sides["x"].max(), height), color=color, **place)


def _draw_points(axes: Axes, rows: DataFrame) -> None:
    """Rings with intervals: side by side at one x, one inside the other where classifiers coincide along eta."""
    shown, along = _shown(rows), rows["x_unit"].iloc[0] == "eta"
    lanes = shown.groupby(["classifier", "metric"], sort=False)
    for lane, ((classifier, metric), points) in enumerate(lanes):
        shift = 0 if along else STEP * (lane - (len(lanes) - 1) / 2)
        moved = axes.transData + ScaledTranslation(shift / 72, 0, axes.figure.dpi_scale_trans)
        filled = matched(classifier, metric) and rows["statement"].iloc[0] == "proposition1"
        look = {
            "color": COLORS[classifier],
            "fillstyle": "full" if filled else "none",
            "markersize": 7.5 - 0.45 * lane if along else 4,
        }
        for code, some in points.groupby(points["code"].astype(object).fillna("")):
            arms = [some["value"] - some["low"], some["high"] - some["value"]]
            marker = {"linestyle": "none", "marker": CODES.get(code, "o"), "markeredgewidth": 0.9}
            axes.errorbar(some["x"], some["value"], np.abs(arms), **look, **marker, transform=moved, zorder=3)


def matched(classifier: str, metric: str) -> bool:
    """Say whether one of Proposition 1's classifiers is tested on what it is the best on."""
    return (classifier == "best on x") == (metric == "natural_accuracy")


def _shown(rows: DataFrame) -> DataFrame:
    """The rows that are points: what the statement bounds."""
    statement = rows["statement"].iloc[0]
    if statement == "proposition1":
        return rows[rows["side"] == "simulated"]
    metric = "adversarial_accuracy" if statement == "theorem2_adversarial" else "spatial_accuracy"
    metric = "inequality_left" if (rows["metric"] == "inequality_left").any() else metric
    return rows[rows["metric"] == metric]


def _label_axes(axes: Axes, rows: DataFrame) -> None:
    statement, unit, shown = rows["statement"].iloc[0], rows["x_unit"].iloc[0], set(_shown(rows)["metric"])
    axes.set_xlabel(X_LABELS[unit])
    if unit == "eta":
        axes.set_xlim(-0.02, 1.03)
    if unit == "eta" and statement == "theorem2_adversarial":
        axes.set_xlabel("η = 1 − spatial accuracy")
    if shown == {"inequality_left"}:
        axes.set_ylabel("both sides × 2 (1 − p)")
        axes.set_ylim(-0.03, 1.03)
    else:
        style.percent_axis(axes, "accuracy" if len(shown) > 1 else shown.pop().replace("_", " "))
    if unit in ("coordinates", "m/d"):
        ticks = 2.0 ** np.arange(1, 11) if unit == "coordinates" else rows["x"].unique()
        ticks = sorted(tick for tick in ticks if rows["x"].min() <= tick <= rows["x"].max())
        apart = [
            a for a, b in zip(ticks, [*ticks[1:], np.inf], strict=True) if b / a > 1.3
        ]  # a label's width
        _ticks(axes, apart, unit == "m/d")


def _ticks(axes: Axes, ticks: Iterable[float], inverse: bool) -> None:
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"1/{round(1 / x)}" if inverse else f"{x:g}"))
