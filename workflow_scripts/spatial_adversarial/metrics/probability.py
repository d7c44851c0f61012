"""The probability that a network gives to the class that it predicts for one image (oaat, figure 1)."""

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="probability")
