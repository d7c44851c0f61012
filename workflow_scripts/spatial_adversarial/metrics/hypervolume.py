"""The hypervolume of models as points of two accuracies: the area that they dominate, and which make the front."""

import numpy as np

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="dominated area")


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


def distance_to_front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far each point is from the front of all: the shortest move after which no point dominates it.

    x, y: [P, ...]; returns [P, ...], 0 for points on the front and for those as good as one of them. A move first
    goes past some of the points above and to the right in x, or past none, and past the rest of them in y.
    """
    right, up = x[None] - x[:, None], y[None] - y[:, None]  # [P, other, ...]
    moves = np.concatenate([np.zeros_like(x[:, None]), np.where(up > 0, right, 0)], axis=1).clip(0)
    left = right[:, None] > moves[:, :, None]  # [P, move, other, ...] still to the right after the move
    rest = np.where(left & (up[:, None] > 0), up[:, None], 0).max(axis=2)
    return np.hypot(moves, rest).min(axis=1)
