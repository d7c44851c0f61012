"""Boundary panels: a plane through a test image and the networks' boundaries in it (tradeoff, section 5)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
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
    """Draw where each network's margin is zero around the test point x0 at the origin, and return the lines.

    `rows` hold a full grid of points (x, y) in L2 distance for each training strength; value > 0 means that
    the network gives the point the class of x0. A straight line joins x0 to the nearest boundary in the
    slice; the label gives its length. ValueError if a strength has no grid.
    """
    lines = []
    for strength, look in zip(panel.strengths, style.looks(len(panel.strengths)), strict=True):
        member = rows[np.isclose(rows["strength"], strength, rtol=0, atol=1e-6)]
        if member.empty:
            raise ValueError(f"panel {panel.letter}: no slice for training strength {strength}")
        distance = _boundary(axes, member.pivot(index="y", columns="x", values="value"), look)
        label = f"{style.member_text(member, strength, panel.strength_label)}: {distance}"
        lines.append(Line2D([], [], label=label, **look))
    lines.append(
        Patch(facecolor="0.6", alpha=0.35, label="shaded in a network's colour: it keeps the class of $x_0$")
    )
    axes.plot(0, 0, marker="o", color="black", markersize=4, linestyle="")
    axes.annotate("$x_0$", (0, 0), xytext=(-4, -9), textcoords="offset points", ha="right")
    axes.set_aspect("equal")
    axes.set_xlabel("L2 distance along the first direction")
    axes.set_ylabel("L2 distance along the second direction")
    return lines


def _boundary(axes: Axes, grid: DataFrame, look: dict) -> str:
    """Draw one network's zero contour and its nearest point to the origin; return that distance in words."""
    x, y, margin = grid.columns.to_numpy(float), grid.index.to_numpy(float), grid.to_numpy(float)
    axes.contourf(x, y, margin, levels=[0, np.inf], colors=[look["color"]], alpha=0.16)
    contour = axes.contour(x, y, margin, levels=[0], colors=[look["color"]], linestyles=[look["linestyle"]])
    segments = [s for s in contour.allsegs[0] if len(s) > 1]
    if not segments:
        return "no boundary in the slice"
    nearest = nearest_point(segments)
    axes.plot([0, nearest[0]], [0, nearest[1]], color=look["color"], linewidth=0.8)
    axes.plot(*nearest, marker=look["marker"], color=look["color"], markersize=4)
    return f"nearest boundary at L2 distance {np.hypot(*nearest):.2f}"
