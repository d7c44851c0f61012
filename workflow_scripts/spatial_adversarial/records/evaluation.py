"""Per-image results of a run under a profile."""

from dataclasses import dataclass, field

import numpy as np

SKIPPED = -1  # a prediction that was not made: the image had been fooled at an earlier point


@dataclass(frozen=True)
class Pictures:
    """The first attacked images of each point of a profile.

    images: uint8 [P, n, C, H, W]; prediction: int [P, n]; probability: float [P, n], the network's of its prediction.
    """

    images: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """Per-image results of one run and profile.

    label, clean: int [N]; x: float [P], the grid; prediction: int [P, D, N] over points and draws, after an attack
    that climbs the true label where it climbs one; distance: float [P, D, N] (DeepFool's L2 norm) or None.
    Of PGD alone, else None: prediction_predicted: int [P, D, N], after the attack that climbs the predicted label,
    the same on images that are right; zero_gradient: bool [P, D, N], whether one of the two met a gradient
    of exactly 0 and left the label that it climbed standing.
    made_of: what the file that it was read from tells of its origin: run, weights and data.
    """

    label: np.ndarray
    clean: np.ndarray
    x: np.ndarray
    prediction: np.ndarray
    distance: np.ndarray | None = None
    pictures: Pictures | None = None
    prediction_predicted: np.ndarray | None = None
    zero_gradient: np.ndarray | None = None
    made_of: dict[str, str] = field(default_factory=dict)
