"""Boundary panels: a plane through a test image and the networks' boundaries in it (tradeoff, section 5)."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.records.drawing import DrawnPanel


def nearest_point(segments: list[np.ndarray]) -> np.ndarray:
    """Return the point [2] of some polylines (each [n, 2]) that is nearest to the origin."""
    starts = np.concatenate([s[:-1] for s in segments])
    steps = np.concatenate([np.diff(s, axis=0) for s in segments])
    length = (steps**2).sum(1).clip(min=1e-30)
    along = (-(starts * steps).sum(1) / length).clip(0, 1)
    points = starts + along[:, None] * steps
    return points[(points**2).sum(1).argmin()]


def draw_panel(axes: Axes, rows: DataFrame, panel: DrawnPanel) -> list[Line2D | Patch]:
    """Draw where each network's margin is zero around the test point x0 at each plane's origin; return the lines.

    `rows` hold a full grid of points (x, y) in L2 distance for each training strength and "image"; value > 0 means
    that the network gives the point the class of x0. Straight lines join x0 to the nearest boundaries in the slice,
    whose distances stand above it. The row "share_nearer" is told in words. ValueError if a strength has no grid.
    """
    looks = dict(zip(panel.strengths, style.looks(len(panel.strengths)), strict=True))
    grids = rows[rows["metric"] == "margin"]
    for strength in looks:
        if _of(grids, strength).empty:
            raise ValueError(f"panel {panel.letter}: no slice for training strength {strength}")
    images = grids["image"].unique() if "image" in grids else [0]
    axes.set_axis_off()
    for k, image in enumerate(images):
        own = grids[grids["image"] == image] if "image" in grids else grids
        _draw_plane(axes.inset_axes(_box(k, len(images))), own, looks)
    lines = [
        Line2D([], [], label=style.member_text(_of(grids, strength), strength, panel.strength_label), **look)
        for strength, look in looks.items()
    ]
    lines.append(Patch(facecolor="0.6", alpha=0.35, label="shaded in its colour: keeps the class of $x_0$"))
    axes.text(0.72, 0.5, _told(rows, panel), transform=axes.transAxes, va="center")
    return lines


def _box(k: int, count: int) -> tuple[float, float, float, float]:
    """Left, bottom, width, height of the k-th of some planes, in rows of two, as shares of the panel."""
    side = 1 if count == 1 else 2
    row, column = divmod(k, side)
    return 0.04 + 0.68 / side * column, 1 - (row + 0.9) / side, 0.56 / side, 0.72 / side


def _of(rows: DataFrame, strength: str | float) -> DataFrame:
    return rows[np.isclose(rows["strength"], strength, rtol=0, atol=1e-6)]


def _draw_plane(axes: Axes, rows: DataFrame, looks: dict) -> None:
    told = []
    for strength, look in looks.items():
        grid = _of(rows, strength).pivot(index="y", columns="x", values="value")
        told.append(_boundary(axes, grid, look))
    axes.plot(0, 0, marker="o", color="black", markersize=4, linestyle="")
    axes.annotate("$x_0$", (0, 0), xytext=(-4, -9), textcoords="offset points", ha="right")
    axes.set_aspect("equal")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_title(" → ".join(told), loc="center", pad=3)


def _told(rows: DataFrame, panel: DrawnPanel) -> str:
    """What the axes and titles are; the share of images whose boundary has come nearer, where the rows tell."""
    names = [style.strength_text(strength, panel.strength_label) for strength in panel.strengths]
    words = [
        "axes: L2 distance from the test image $x_0$",
        f"titles: distance of the nearest boundary in the slice, {' → '.join(names)}",
    ]
    for row in rows[rows["metric"] == "share_nearer"].itertuples():
        words.append(
            f"DeepFool's distance falls for {100 * row.value:.0f}% [{100 * row.low:.0f}, {100 * row.high:.0f}] "
            f"of {int(row.n)} test images that both get right"
        )
    return "\n\n".join(fill(one, 28) for one in words)


def _boundary(axes: Axes, grid: DataFrame, look: dict) -> str:
    """Draw one network's zero contour and its nearest point to the origin; return that distance as text."""
    x, y, margin = grid.columns.to_numpy(float), grid.index.to_numpy(float), grid.to_numpy(float)
    axes.contourf(x, y, margin, levels=[0, np.inf], colors=[look["color"]], alpha=0.16)
    contour = axes.contour(x, y, margin, levels=[0], colors=[look["color"]], linestyles=[look["linestyle"]])
    segments = [s for s in contour.allsegs[0] if len(s) > 1]
    if not segments:
        return "none"
    nearest = nearest_point(segments)
    axes.plot([0, nearest[0]], [0, nearest[1]], color=look["color"], linewidth=0.8)
    axes.plot(*nearest, marker=look["marker"], color=look["color"], markersize=4)
    return f"{np.hypot(*nearest):.2f}"
