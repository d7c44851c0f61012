"""1 - fooling rate: the share of test images with f(x + A(x)) = f(x) (tradeoff, section 4)."""

from spatial_adversarial.metrics.base import Metric
from spatial_adversarial.records.climbed_label import PREDICTED

METRIC = Metric(label="1 − fooling rate", per_image=lambda e: e.prediction == e.clean, climbs=PREDICTED)
