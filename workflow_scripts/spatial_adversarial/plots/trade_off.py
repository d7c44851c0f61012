"""The trade-off in one plane: each network's rate of invariance against its 1 - fooling rate."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from pandas import DataFrame, Series

from spatial_adversarial.plots import style
from spatial_adversarial.plots.layout import has_invariance_and_robustness
from spatial_adversarial.plots.numbering import label_points
from spatial_adversarial.records.climbed_label import of_label
from spatial_adversarial.records.drawing import DrawnPanel

SMALL = 6.5
FEW = 2  # rows whose points are labelled
JOINT = "rotation_translation"


def draw(
    axes: Axes, rows: DataFrame, grid: list[list[DrawnPanel]], common: list[str], over: dict[str, dict]
) -> None:
    """Draw a point for each member of each row of a grid, joined in order of strength, with both intervals.

    x: the rate of invariance at the largest range of the row's profile, the joint one where there are several;
    y: 1 - fooling rate at eps .1 or 2/255, or at the attacked eps next to it. Members that lack either are left out,
    and the line joins those that have learnt. The points of up to FEW rows have their strengths beside them.
    common: the names of all rows, given once. over: the looks of the networks over the grid's curves by name, a point
    each.
    """
    series, budgets, ranges, labelled = [], set(), set(), []
    for number, panels in enumerate(panel for panel in grid if has_invariance_and_robustness(panel)):
        marker = style.MARKERS[number % len(style.MARKERS)]
        points, budget, reach = series_of(rows, panels)
        if points.empty:
            continue
        budgets.add(budget)
        ranges.add(reach)
        series.append(_draw_series(axes, points, panels[0], marker, common))
        labelled += [
            (point.value_x, point.value_y, style.strength_text(power, panels[0].strength_label))
            for power, point in points.iterrows()
        ]
    families = len(series)
    for network, look in over.items():
        point, budget = _own_point(rows, grid, network)
        if not point.empty:
            budgets.add(budget)
            series.append(_draw_own(axes, point.iloc[0], look, network))
    _label_axes(axes, sorted(budgets))
    if labelled and families <= FEW:
        label_points(axes, [one[:2] for one in labelled], [one[2] for one in labelled], SMALL)
    axes.set_title("trade-off", pad=2)
    _write_legend(axes, series, common, ranges)


def _write_legend(axes: Axes, series: list[Line2D], common: list[str], ranges: set[str]) -> None:
    """On the plane's right: what all rows share, what a point is, the rows; at the foot the ranges of x."""
    look = {"borderpad": 0, "borderaxespad": 0, "labelspacing": 0.25, "fontsize": SMALL, "handlelength": 1.5}
    parts = [*common, "one point a network", "darker: trained with a larger range or eps"]
    title = fill(", ".join(parts), 72)
    axes.legend(
        handles=series, loc="upper left", bbox_to_anchor=(1.04, 1), title=title, title_fontsize=SMALL, **look
    )
    axes.get_legend()._legend_box.align = "left"
    if ranges:
        text = f"largest range: {'; '.join(sorted(ranges))}"
        axes.text(1.04, 0, text, transform=axes.transAxes, fontsize=SMALL, va="bottom", color="0.35")


def _label_axes(axes: Axes, budgets: list[str]) -> None:
    """Both axes in percent, from and to the quarters around what is drawn."""
    ends = [line.get_xydata() for line in axes.lines]
    ends += [path.vertices for bars in axes.collections for path in bars.get_paths()]
    ends = np.concatenate(ends) if ends else np.array([[0.0, 0.0], [1.0, 1.0]])
    for axis, values in zip((axes.xaxis, axes.yaxis), ends.T, strict=True):
        low, high = np.floor(4 * values.min() + 1e-9) / 4, np.ceil(4 * values.max() - 1e-9) / 4
        low, high = max(0, min(low, high - 0.25)), min(1, max(high, low + 0.25))
        margin = 0.03 * (high - low)
        axis.axes.set(**{f"{axis.axis_name}lim": (low - margin, high + margin)})
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
    axes.set_ylabel(f"1 − fooling rate at {' or '.join(budgets)} (%)")
    axes.set_xlabel("rate of invariance at the largest range (%)")


def series_of(rows: DataFrame, panels: Sequence[DrawnPanel]) -> tuple[DataFrame, str, str]:
    """(a row for each member by strength: x and y with lows and highs, pale), the budget and the range in words."""
    invariance = [panel for panel in panels if panel.metric == "rate_of_invariance"]
    joint = [panel for panel in invariance if panel.profile == JOINT]
    across = (joint or invariance)[0]
    robust = next(
        panel
        for panel in panels
        if panel.metric == "one_minus_fooling_rate" and panel.attack_space != "normalized"
    )
    x, y = (_of_panel(rows, panel) for panel in (across, robust))
    if x.empty or y.empty:
        return DataFrame(), "", ""
    in_255ths, attacked = style.in_255ths(list(y["at"])), y["at"][y["at"] > 0]
    if attacked.empty:
        return DataFrame(), "", ""
    wanted = 2 / 255 if in_255ths else 0.1
    budget = min(attacked, key=lambda eps: (abs(eps - wanted), eps))
    largest = x["at"].max()
    x, y = x[x["at"] == largest], y[np.isclose(y["at"], budget, atol=1e-6)]
    numbers = ["value", "low", "high"]
    x, y = (part.set_index("power") for part in (x, y))
    both = x[numbers].add_suffix("_x").join(y[numbers].add_suffix("_y"), how="inner").join(x["pale"])
    joint_range = f"i = {largest:g} (rotations and translations)"
    range_words = (
        joint_range if joint else f"±{largest:g}{'°' if across.x_unit == 'degrees' else ' of the side'}"
    )
    return both.sort_index(), f"{round(255 * budget)}/255" if in_255ths else f"{budget:g}", range_words


def _of_panel(rows: DataFrame, panel: DrawnPanel) -> DataFrame:
    rows = rows[(rows["panel"] == panel.letter) & (rows["metric"] == panel.metric)]
    rows = of_label(style.by_source(rows[rows["status"] != "not run"])[0])
    numbers = {"at": rows["x"], "power": rows["strength"]}
    return rows.assign(**numbers, pale=style.not_learnt(rows))


def _draw_series(axes: Axes, points: DataFrame, panel: DrawnPanel, marker: str, common: list[str]) -> Line2D:
    learnt = points[~points["pale"]]
    axes.plot(learnt["value_x"], learnt["value_y"], color="0.6", linewidth=0.7, zorder=1.5)
    strengths = sorted(panel.strengths)
    colors = dict(zip(strengths, style.palette(len(strengths)), strict=True))
    for power, point in points.iterrows():
        _draw_point(axes, point, colors[min(colors, key=lambda one: abs(one - power))], marker)
    names = [panel.data, panel.network, style.spelled_out(panel.family)]
    name = ", ".join(name for name in names if name not in common)
    return Line2D([], [], color="0.6", linewidth=0.7, marker=marker, markerfacecolor="0.2", label=name)


def _draw_point(axes: Axes, point: Series, color: str, marker: str) -> None:
    alpha = style.PALE if point["pale"] else 1
    bars = [
        [[abs(point[f"value_{a}"] - point[f"low_{a}"])], [abs(point[f"high_{a}"] - point[f"value_{a}"])]]
        for a in "xy"
    ]
    place = point["value_x"], point["value_y"]
    axes.errorbar(*place, bars[1], bars[0], fmt="none", ecolor=color, alpha=0.5 * alpha, elinewidth=0.6)
    look = {"marker": marker, "markersize": 4, "markeredgecolor": "white"}
    axes.plot(*place, color=color, alpha=alpha, clip_on=False, **look)


def _own_point(rows: DataFrame, grid: list[list[DrawnPanel]], network: str) -> tuple[DataFrame, str]:
    """(the one row of `series_of` of a network over the grid's curves, the budget); no row where it lacks either."""
    for panels in grid:
        own = [one for panel in panels for one in panel.over if one.network == network]
        if has_invariance_and_robustness(own):
            points, budget, _ = series_of(rows, own)
            if not points.empty:
                return points, budget
    return DataFrame(), ""


def _draw_own(axes: Axes, point: Series, look: dict, network: str) -> Line2D:
    _draw_point(axes, point, look["color"], look["marker"])
    mark = {"marker": look["marker"], "color": look["color"], "linestyle": "none"}
    return Line2D([], [], label=style.name_over(network), **mark)
