"""Image panels: one test image under attacks of growing eps, and below it the perturbations (oaat, figure 1)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from pandas import DataFrame

from spatial_adversarial.plots import style
from spatial_adversarial.records.drawing import DrawnPanel

GAP = 2  # pixels between pictures


def draw_panel(axes: Axes, rows: DataFrame, panel: DrawnPanel) -> list[Line2D]:
    """Draw a panel's pictures in a row by rising eps, their perturbations below; it has no lines to return.

    Above each picture stand its eps, the class that the network predicts, and that class's probability. The
    perturbations are grey where nothing moves, and scaled to the largest eps. ValueError where there are no pictures.
    """
    if rows.empty:
        raise ValueError(f"panel {panel.letter}: no pictures")
    rows = rows.assign(eps=rows["x"]).sort_values("eps")
    pictures = [_picture(row) for row in rows.itertuples()]
    largest = max(rows["eps"].max(), 1e-6)
    moved = [0.5 + (picture - pictures[0]) / (2 * largest) for picture in pictures]
    axes.imshow(np.concatenate([_row(pictures), _row(moved)]), interpolation="nearest")
    side = pictures[0].shape[1] + GAP
    for k, row in enumerate(rows.itertuples()):
        eps = style.strength_text(row.eps, "") if row.eps else "0"
        text = f"eps {eps}\nclass {int(row.prediction)}, {100 * row.value:.0f}%"
        axes.text((k + 0.5) * side, -GAP, text, ha="center", va="bottom", fontsize=6)
    axes.set_xlabel(f"the image's class: {int(rows['label'].iloc[0])}")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(axes.get_title(loc="left"), loc="left", pad=24)  # above the pictures' own texts
    return []


def _picture(row) -> np.ndarray:
    """The picture of a tidy row: float [H, W, 3] in [0, 1], grey ones with three equal channels."""
    shape = [int(side) for side in str(row.shape).split()]
    pixels = np.frombuffer(bytes.fromhex(row.pixels), dtype=np.uint8).reshape(shape)
    return np.broadcast_to(pixels.transpose(1, 2, 0) / 255, (*shape[1:], 3))


def _row(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures side by side, each with a white border on its right and below."""
    framed = [np.pad(p, ((0, GAP), (0, GAP), (0, 0)), constant_values=1) for p in pictures]
    return np.concatenate(framed, axis=1).clip(0, 1)
