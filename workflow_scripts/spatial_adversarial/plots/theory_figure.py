"""Figures of the theorems: panels, their verdicts and one legend."""

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.plots.theory_panel import (
    ATTAINABLE,
    CODES,
    COLORS,
    EMPTY,
    GREY,
    VACUOUS,
    draw_panel,
    matched,
)
from spatial_adversarial.records.drawing import DrawnFigure
from spatial_adversarial.theory.bounds import CLASSIFIERS
from spatial_adversarial.theory.estimates import below_zero, evidence, verdict

TITLES = {
    "theorem1": "Theorem 1",
    "proposition1": "Proposition 1",
    "theorem2": "Theorem 2",
    "theorem2_spatial": "Theorem 2, first half",
    "theorem2_adversarial": "Theorem 2, second half",
    "theorem3": "Theorem 3",
}
PANEL, LEGEND_LINE = (3.5, 1.92), 0.15  # inches: two panels fill a page of 7


def draw(rows: DataFrame, figure: DrawnFigure) -> Figure:
    """Draw a `theory` figure from the rows of theory.statements.simulate.

    `figure` has "title" and "columns"; the panels are the rows'. Colour is the classifier, shape the code. Along
    eta the yellow area lies between the frontiers; grey is where no classifier meets the hypothesis, hatched where
    the upper bound excludes nothing. Elsewhere the bounds are at each classifier's own eta, in its colour, those of
    x_0 alone left out. Each title has the verdict of theory.estimates on the comparisons that could fail.
    """
    panels = list(rows.groupby("panel", sort=False))
    canvas, all_axes = style.frame(len(panels), figure.columns, size=PANEL)
    canvas.suptitle(figure.title)
    for axes, (letter, panel_rows) in zip(all_axes, panels, strict=True):
        axes.set_title(_title(letter, panel_rows))
        draw_panel(axes, panel_rows)
    handles = _handles(rows)
    columns = 3 if (rows["statement"] == "proposition1").any() else 4
    canvas.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.2)
    canvas.set_figheight(canvas.get_figheight() + LEGEND_LINE * -(-len(handles) // columns) + 0.2)
    return canvas


def _title(letter: str, panel_rows: DataFrame) -> str:
    """Letter, statement, what is held fixed; below, the verdict on the statement and on its tight form."""
    unit, fixed = panel_rows["x_unit"].iloc[0], []
    if unit != "probability":
        fixed.append(f"p = {panel_rows['p'].iloc[0]:g}")
    if unit != "coordinates":
        fixed.append(f"d = {panel_rows['d'].iloc[0]}")
    if unit != "m/d" and panel_rows["m"].notna().any():
        fixed.append(f"m = d/{round((panel_rows['d'] / panel_rows['m']).iloc[0])}")
    slack = evidence(panel_rows)
    tight = slack["side"].isin(["tight_lower", "tight_upper"])
    said = _verdict(slack[~tight]) + (f"; tight form {_verdict(slack[tight])}" if tight.any() else "")
    return f"({letter}) {TITLES[panel_rows['statement'].iloc[0]]}: {', '.join(fixed)}\n{said}"


def _verdict(slack: DataFrame) -> str:
    if slack.empty:
        return "no comparison here could fail"
    said = verdict(slack)
    if said != "fails":
        return f"{said} ({len(slack)} comparisons)"
    places = slack.loc[below_zero(slack), ["classifier", "x"]].drop_duplicates().to_numpy()
    named = ", ".join(f"{name} at {x:.2g}" for name, x in places[:2])
    return f"fails for {named}" + (f" and {len(places) - 2} more" if len(places) > 2 else "")


def _handles(rows: DataFrame) -> list[Artist]:
    """The figure's legend: classifiers by colour, codes by shape, and the areas."""
    ring = {"linestyle": "none", "marker": "o", "fillstyle": "none", "markersize": 5, "markeredgewidth": 0.9}
    proposition = rows["statement"] == "proposition1"
    present = set(rows.loc[~proposition, "classifier"])
    handles = [Line2D([], [], label=n, color=COLORS[n], **ring) for n in CLASSIFIERS if n in present]
    if proposition.any():
        for name, metric, label in (
            ("best on x", "natural_accuracy", "best on x, tested on x"),
            ("best on shifted x", "spatial_accuracy", "best on shifted x, tested on it"),
            ("best on x", "spatial_accuracy", "best on x, tested on shifted x"),
        ):
            fill = {"fillstyle": "full" if matched(name, metric) else "none"}
            handles.append(Line2D([], [], label=label, color=COLORS[name], **ring | fill))
    codes = [code for code in CODES if code in set(rows["code"])]
    handles += [Line2D([], [], label=f"code: {c}", color=GREY, **ring | {"marker": CODES[c]}) for c in codes]
    curves = rows[rows["classifier"].isna()]
    if rows["metric"].str.startswith("frontier").any():
        handles.append(Patch(label="attained by sign(a x0 + b w·x)", **ATTAINABLE))
    if (curves["hypothesis"] == "empty").any():
        handles.append(Patch(label="η < 1 − p: no classifier", **EMPTY))
    if ((curves["hypothesis"] == "vacuous") & (curves["metric"] == "upper_bound")).any():
        handles.append(Patch(label="upper bound excludes nothing", **VACUOUS))
    if rows["statement"].isin(["theorem2", "theorem3"]).any():
        handles.append(Line2D([], [], label="chance", linestyle=":", color="0.5", linewidth=0.8))
    return handles
