"""The trade-off in one plane: each network's rate of invariance against its 1 - fooling rate."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.plots.layout import has_invariance_and_robustness
from spatial_adversarial.records.climbed_label import of_label

SMALL = 6.5
JOINT = "rotation_translation"


def draw(axes: Axes, rows: DataFrame, grid: list[list[dict]]) -> None:
    """Draw a point for each member of each row of a grid, joined in order of strength, with both intervals.

    x: the rate of invariance at the largest range of the row's profile, the joint one where there are several;
    y: 1 - fooling rate at eps .1 or 2/255. Members that lack either are left out.
    """
    series, budgets, ranges = [], set(), set()
    for number, panels in enumerate(panel for panel in grid if has_invariance_and_robustness(panel)):
        marker = style.MARKERS[number % len(style.MARKERS)]
        points, budget, reach = series_of(rows, panels)
        if points.empty:
            continue
        budgets.add(budget)
        ranges.add(reach)
        series.append(_draw_series(axes, points, panels[0], marker))
    style.percent_axis(axes, f"1 − fooling rate at {' or '.join(sorted(budgets))}")
    axes.set_xlim(-0.03, 1.03)
    axes.set_xticks(axes.get_yticks())
    axes.xaxis.set_major_formatter(axes.yaxis.get_major_formatter())
    axes.set_xlabel("rate of invariance at the largest range (%)")
    axes.set_title("trade-off", pad=2)
    look = {"borderpad": 0, "borderaxespad": 0, "labelspacing": 0.25, "fontsize": SMALL, "handlelength": 1.5}
    title = "a point a network, darker: trained with a larger range or eps"
    axes.legend(
        handles=series, loc="upper left", bbox_to_anchor=(1.04, 1), title=title, title_fontsize=SMALL, **look
    )
    axes.get_legend()._legend_box.align = "left"
    if ranges:
        text = f"largest range: {'; '.join(sorted(ranges))}"
        axes.text(1.04, 0, text, transform=axes.transAxes, fontsize=SMALL, va="bottom", color="0.35")


def series_of(rows: DataFrame, panels: list[dict]) -> tuple[DataFrame, str, str]:
    """(a row for each member by strength: x and y with lows and highs, pale), the budget and the range in words."""
    invariance = [panel for panel in panels if panel["metric"] == "rate_of_invariance"]
    joint = [panel for panel in invariance if panel["profile"] == JOINT]
    across = (joint or invariance)[0]
    robust = next(
        panel
        for panel in panels
        if panel["metric"] == "one_minus_fooling_rate" and panel["attack_space"] != "normalized"
    )
    x, y = (_of_panel(rows, panel) for panel in (across, robust))
    if x.empty or y.empty:
        return DataFrame(), "", ""
    budget = 2 / 255 if style.in_255ths(list(y["at"])) else 0.1
    largest = x["at"].max()
    x, y = x[x["at"] == largest], y[np.isclose(y["at"], budget, atol=1e-6)]
    numbers = ["value", "low", "high"]
    x, y = (part.set_index("power") for part in (x, y))
    both = x[numbers].add_suffix("_x").join(y[numbers].add_suffix("_y"), how="inner").join(x["pale"])
    joint_told = f"i = {largest:g} (rotations and translations)"
    told = joint_told if joint else f"±{largest:g}{'°' if across['x_unit'] == 'degrees' else ' of the side'}"
    return both.sort_index(), "2/255" if budget < 0.1 else "0.1", told


def _of_panel(rows: DataFrame, panel: dict) -> DataFrame:
    rows = rows[(rows["panel"] == panel["panel"]) & (rows["metric"] == panel["metric"])]
    rows = of_label(style.by_source(rows[rows["status"] != "not run"])[0])
    numbers = {"at": rows["x"].map(style.number), "power": rows["strength"].map(style.number)}
    return rows.assign(**numbers, pale=style.not_learnt(rows))


def _draw_series(axes: Axes, points: DataFrame, panel: dict, marker: str) -> Line2D:
    x, y = points["value_x"].to_numpy(float), points["value_y"].to_numpy(float)
    axes.plot(x, y, color="0.6", linewidth=0.7, zorder=1.5)
    strengths = sorted(style.number(strength) for strength in panel["strengths"])
    colors = dict(zip(strengths, style.palette(len(strengths)), strict=True))
    for power, point in points.iterrows():
        color = colors[min(colors, key=lambda one: abs(one - power))]
        alpha = style.PALE if point["pale"] else 1
        bars = [
            [[abs(point[f"value_{a}"] - point[f"low_{a}"])], [abs(point[f"high_{a}"] - point[f"value_{a}"])]]
            for a in "xy"
        ]
        place = point["value_x"], point["value_y"]
        axes.errorbar(*place, bars[1], bars[0], fmt="none", ecolor=color, alpha=0.5 * alpha, elinewidth=0.6)
        axes.plot(
            *place,
            marker=marker,
            color=color,
            alpha=alpha,
            markersize=4,
            markeredgecolor="white",
            clip_on=False,
        )
    name = ", ".join([panel["data"], panel["network"], style.spelled_out(panel["family"])])
    return Line2D([], [], color="0.6", linewidth=0.7, marker=marker, markerfacecolor="0.2", label=name)
