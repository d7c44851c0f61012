"""The rate of invariance: the share of test images with f(r(x)) = f(x) (tradeoff, section 2)."""

from spatial_adversarial.metrics.base import Metric
from spatial_adversarial.records.climbed_label import PREDICTED

METRIC = Metric(label="rate of invariance", per_image=lambda e: e.prediction == e.clean, climbs=PREDICTED)
