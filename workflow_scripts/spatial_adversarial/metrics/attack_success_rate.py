"""The attack success rate: of the images that are right when clean, those wrong under attack (features, 2.5)."""

import numpy as np

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(
    label="attack success rate",
    per_image=lambda e: np.where(e.clean == e.label, e.prediction != e.label, np.nan),
)
