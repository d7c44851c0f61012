"""The theorems: sides and bounds as lines, simulated classifiers as points with 95% intervals."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from pandas import DataFrame

from spatial_adversarial.plots import style

TITLES = {
    "theorem1": "Theorem 1",
    "proposition1": "Proposition 1",
    "theorem2": "Theorem 2",
    "theorem2_spatial": "Theorem 2, first half",
    "theorem2_adversarial": "Theorem 2, second half",
    "theorem3": "Theorem 3",
}
X_LABELS = {
    "probability": "p = Pr(x0 = y)",
    "coordinates": "d, number of coordinates",
    "m/d": "m/d, unit of the shifts",
    "eta": "η = 1 − adversarial accuracy",
}
CODES = {"search": "s", "Sidelnikov": "o", "m-sequence": "^"}
HOLLOW = {"linestyle": "none", "fillstyle": "none", "markersize": 4.5}
SWATCH = {"marker": "s", "fillstyle": "full"}  # in the legend, where the shape tells nothing
SIDES = {"upper_bound": "-", "lower_bound": (0, (4, 2)), "inequality_right": "-"}


def draw(rows: DataFrame, figure: dict) -> Figure:
    """Draw a `theory` figure from the rows of theory.statements.simulate.

    `figure` has "title" and "columns"; the panels are the rows'. Lines are a statement's sides (upper and
    right solid, lower dashed): grey along the axis, in a classifier's colour at its own eta. Where no
    classifier meets the hypothesis the panel is shaded. Each title says whether the statement holds, that is
    whether no interval lies wholly beyond a side.
    """
    panels = list(rows.groupby("panel", sort=False))
    simulated = rows[rows["side"].isin(["simulated", "left"])]
    looks = _looks(simulated)
    canvas, all_axes = style.frame(len(panels), figure["columns"], size=style.WIDE)
    canvas.suptitle(figure["title"])
    for axes, (letter, own) in zip(all_axes, panels, strict=True):
        axes.set_title(_title(letter, own))
        _draw_panel(axes, own, looks)
    canvas.legend(handles=_handles(rows, looks), loc="outside lower center", ncols=3)
    return canvas


def _looks(simulated: DataFrame) -> dict[str, dict]:
    """Colour and marker of each label of the figure; those of Proposition 1, marked by code, on their own.

    Markers are hollow: classifiers that attain a bound lie on one another.
    """
    looks = {}
    for _, some in simulated.groupby(simulated["statement"] == "proposition1"):
        labels = dict.fromkeys(_label(*key) for key in some[["statement", "classifier", "metric"]].to_numpy())
        for label, look in zip(labels, style.looks(len(labels)), strict=True):
            hollow = HOLLOW | {"markeredgecolor": look["color"]}
            looks[label] = look | hollow | (SWATCH if some["statement"].iloc[0] == "proposition1" else {})
    return looks


def _label(statement: str, classifier: str, metric: str) -> str:
    if statement == "proposition1":
        return f"{classifier}, tested on {'x' if metric == 'natural_accuracy' else 'shifted x'}"
    return classifier


def _title(letter: str, own: DataFrame) -> str:
    """Letter, statement, what is held fixed, and where the statement holds in the simulation."""
    unit, fixed = own["x_unit"].iloc[0], []
    if unit != "probability":
        fixed.append(f"p = {own['p'].iloc[0]:g}")
    if unit != "coordinates":
        fixed.append(f"d = {own['d'].iloc[0]}")
    if unit != "m/d" and own["m"].notna().any():
        fixed.append(f"m = d/{round((own['d'] / own['m']).iloc[0])}")
    return f"({letter}) {TITLES[own['statement'].iloc[0]]}: {', '.join(fixed)}\n{_verdict(own)}"


def _verdict(own: DataFrame) -> str:
    slack = own[own["metric"] == "slack"]
    violated = slack[slack["high"] < 0]
    if violated.empty:
        return f"holds for all classifiers and points ({len(slack)} comparisons)"
    places = (f"{name} at {x:g}" for name, x in violated[["classifier", "x"]].drop_duplicates().to_numpy())
    return f"fails for {', '.join(places)}"


def _draw_panel(axes: Axes, own: DataFrame, looks: dict[str, dict]) -> None:
    statement, unit = own["statement"].iloc[0], own["x_unit"].iloc[0]
    _draw_sides(axes, own, looks)
    for (classifier, metric), points in _shown(own).groupby(["classifier", "metric"], sort=False):
        look = looks[_label(statement, classifier, metric)]
        told_apart = points["code"] if statement == "proposition1" else lambda row: ""
        for code, some in points.groupby(told_apart):
            marker = {"marker": CODES[code], "fillstyle": "none"} if code else {}
            arms = [some["value"] - some["low"], some["high"] - some["value"]]
            axes.errorbar(some["x"], some["value"], np.abs(arms), **look | marker, zorder=3)
    if statement in ("theorem2", "theorem3"):
        axes.axhline(0.5, color="0.5", linestyle=":", linewidth=0.8)
    if unit == "eta":
        _shade_empty(axes, own)
    _label_axes(axes, own)


def _shown(own: DataFrame) -> DataFrame:
    """The rows that are points: what the statement bounds."""
    conclusion = "spatial_accuracy"
    if own["statement"].iloc[0] == "theorem2_adversarial":
        conclusion = "adversarial_accuracy"
    elif (own["metric"] == "inequality_left").any():
        conclusion = "inequality_left"
    return own[own["metric"].isin([conclusion, "natural_accuracy"])]


def _draw_sides(axes: Axes, own: DataFrame, looks: dict[str, dict]) -> None:
    sides = own[own["metric"].isin(SIDES)]
    for (metric, classifier), line in sides.groupby(["metric", sides["classifier"].fillna("")], sort=False):
        color = looks[classifier]["color"] if classifier else "0.45"
        axes.plot(line["x"], line["value"], color=color, linestyle=SIDES[metric], linewidth=1)


def _shade_empty(axes: Axes, own: DataFrame) -> None:
    """Shade the etas at which no classifier meets the hypothesis."""
    curves = own[own["classifier"].isna()]
    if (curves["hypothesis"] == "empty").any():
        edge = 1 - own["p"].iloc[0]
        axes.axvspan(0, edge, color="0.88", zorder=0)
        below = (curves["metric"] == "lower_bound").any()  # where the note is clear of the lines
        height, side = (0.03, "bottom") if below else (0.97, "top")
        note = {"ha": "center", "va": side, "color": "0.35", "transform": axes.get_xaxis_transform()}
        axes.text(edge / 2, height, "hypothesis empty:\nno classifier has\nη < 1 − p", **note)


def _label_axes(axes: Axes, own: DataFrame) -> None:
    statement, unit, shown = own["statement"].iloc[0], own["x_unit"].iloc[0], set(_shown(own)["metric"])
    axes.set_xlabel(X_LABELS[unit])
    if unit == "eta" and statement == "theorem2_adversarial":
        axes.set_xlabel("η = 1 − spatial accuracy")
    if shown == {"inequality_left"}:
        axes.set_ylabel("both sides × 2 (1 − p)")
        axes.set_ylim(-0.03, 1.03)
    else:
        style.percent_axis(axes, "accuracy" if len(shown) > 1 else shown.pop().replace("_", " "))
    if unit in ("coordinates", "m/d"):
        axes.set_xscale("log", base=2)
        ticks = 2.0 ** np.arange(1, 11) if unit == "coordinates" else own["x"].unique()
        _ticks(axes, [tick for tick in ticks if own["x"].min() <= tick <= own["x"].max()], unit == "m/d")


def _ticks(axes: Axes, ticks: Iterable[float], inverse: bool) -> None:
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"1/{round(1 / x)}" if inverse else f"{x:g}"))


def _handles(rows: DataFrame, looks: dict[str, dict]) -> list[Line2D]:
    """The figure's legend: the points' labels, the lines and, where codes are told apart, their markers."""
    grey = {"color": "0.45", "linewidth": 1}
    metrics, statements = set(rows["metric"]), set(rows["statement"])
    solid = "upper bound or right side" if "inequality_right" in metrics else "upper bound"
    handles = [Line2D([], [], label=label, **look) for label, look in looks.items()]
    handles.append(Line2D([], [], label=solid, linestyle=SIDES["upper_bound"], **grey))
    if "lower_bound" in metrics:
        handles.append(Line2D([], [], label="lower bound", linestyle=SIDES["lower_bound"], **grey))
    if statements & {"theorem2", "theorem3"}:
        handles.append(Line2D([], [], label="chance", linestyle=":", **grey))
    if "proposition1" in statements:
        marks = {code: CODES[code] for code in rows.loc[rows["statement"] == "proposition1", "code"].unique()}
        look = HOLLOW | {"markeredgecolor": "0.45"}
        handles += [
            Line2D([], [], label=f"code: {code}", marker=mark, **look) for code, mark in marks.items()
        ]
    return handles
