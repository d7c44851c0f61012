"""Whether a network is shown to have learnt: others' numbers say nothing of a method."""

import numpy as np

from spatial_adversarial.statistics.intervals import of_share

ONE_CLASS = 0.9  # share of the predictions from which a network counts as constant


def has_learnt(clean: np.ndarray, label: np.ndarray, classes: int) -> bool:
    """Whether predictions `clean` [N] of unchanged test images show that a network has learnt.

    Not shown: the lower end of the Wilson 95% interval of its accuracy is below twice chance (of two classes, which
    that would ask for all images: below half-way from chance to 100%), or one class takes more than 90% of the
    predictions.
    """
    low, _ = of_share(float(np.mean(clean == label)), len(label), 0.95, "wilson")
    needed = min(2 / classes, (1 + 1 / classes) / 2)
    return bool(low >= needed and np.bincount(clean).max() <= ONE_CLASS * len(clean))
