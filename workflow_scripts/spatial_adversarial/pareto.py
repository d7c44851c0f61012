"""Models as points of two accuracies: which are on the Pareto front, and the area that they dominate."""

import numpy as np


def on_front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """bool [P]: no other point is at least as large in both coordinates and larger in one. x, y: [P]."""
    as_large = (x[:, None] >= x) & (y[:, None] >= y)
    larger = (x[:, None] > x) | (y[:, None] > y)
    return ~(as_large & larger).any(axis=0)


def hypervolume(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The area in [0, 1] of all that some point dominates, measured from (0, 0).

    x, y: [P, ...] in [0, 1], P points for each of the trailing replicates; returns [...].
    """
    order = np.argsort(-x, axis=0, kind="stable")
    x, y = np.take_along_axis(x, order, 0), np.take_along_axis(y, order, 0)
    width = x - np.concatenate([x[1:], np.zeros_like(x[:1])])
    return (width * np.maximum.accumulate(y, axis=0)).sum(axis=0)
