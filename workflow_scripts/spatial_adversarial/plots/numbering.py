"""A text beside each point of a panel, where it is farthest from other points and texts."""

import numpy as np
from matplotlib.axes import Axes

NEAR = [(r * np.cos(t), r * np.sin(t)) for r in (7, 11, 16) for t in np.arange(8) * np.pi / 4 + 0.6]
HALF_LETTER, HALF_LINE = 1.7, 4  # points


def label_points(axes: Axes, points: list[tuple[float, float]], texts: list[str], size: float = 7) -> None:
    """Write each text once beside its point (x, y in data units). The axes' limits and place are final."""
    dots = 72 / axes.figure.dpi
    taken = list(axes.transData.transform(np.array(points, dtype=float)) * dots)
    box = axes.get_window_extent().get_points() * dots
    for value, text, place in zip(points, texts, list(taken), strict=True):
        half = np.array([HALF_LETTER * len(text), HALF_LINE])
        spots = [place + offset + (np.sign(offset[0]) * half[0], 0) for offset in map(np.array, NEAR)]
        inside = [
            spot for spot in spots if (np.abs(spot - box.mean(0)) + half <= np.ptp(box, axis=0) / 2).all()
        ]

        def room(spot: np.ndarray, place: np.ndarray = place) -> float:
            others = min(np.hypot(*((spot - one) / (1.4, 1))) for one in taken if one is not place)
            return min(others, 12) - 0.3 * np.hypot(*(spot - place))

        best = max(inside or spots, key=room) if len(taken) > 1 else spots[0]
        taken.append(best)
        line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}
        look = {"textcoords": "offset points", "ha": "center", "va": "center", "fontsize": size}
        axes.annotate(text, value, best - place, arrowprops=line, **look)
