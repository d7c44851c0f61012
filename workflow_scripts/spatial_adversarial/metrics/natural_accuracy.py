"""Natural accuracy: Pr(f(X) = Y) (tradeoff, section 2), the same at all points of a profile."""

import numpy as np

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(
    label="natural accuracy",
    per_image=lambda e: np.broadcast_to(e.clean == e.label, e.prediction.shape),
    climbs="",
)
