"""Boundary slices as they are read: planes through test images, and how far both networks' boundaries are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Plane(NamedTuple):
    """x [P], y [Q]: L2 coordinates, the test image at 0; margin [2, Q, P]: positive where a network keeps its class."""

    x: np.ndarray
    y: np.ndarray
    margin: np.ndarray


class Slices(NamedTuple):
    """A plane an image; distance [2, N]: DeepFool's of further images, in pixels, empty in older files."""

    planes: list[Plane]
    distance: np.ndarray
