"""Pictures of images that show the features of others."""

import numpy as np
from matplotlib.figure import Figure

from spatial_adversarial.plots import style

COUNT = 8  # pairs in a picture


def draw(shown: dict[str, np.ndarray], found: dict[str, np.ndarray], title: str) -> Figure:
    """A row of images for each of `shown` {what: uint8 or float [n, C, H, W]}, the first, and `found` before the last.

    `found` has the resulting "images" and their relative feature distances "before" and "after", told above them.
    """
    first, last = shown
    rows = {first: shown[first], "result": found["images"], last: shown[last]}
    with style.look():
        figure = Figure(figsize=(0.85 * COUNT, 3.1), layout="constrained")
        figure.suptitle(title)
        axes = figure.subplots(len(rows), COUNT, squeeze=False)
        for line, (name, images) in zip(axes, rows.items(), strict=True):
            for k, one in enumerate(line):
                one.set(xticks=[], yticks=[])
                one.grid(False)
                if k < len(images):
                    image = images[k].transpose(1, 2, 0)
                    one.imshow(image[..., 0] if image.shape[2] == 1 else image, cmap="gray")
            line[0].set_ylabel(name.replace(" the features of", "\nfeatures of"))
        for one, before, after in zip(axes[1], found["before"], found["after"], strict=False):
            one.set_title(f"{before:.2f} → {after:.2f}", loc="center")
        return figure
