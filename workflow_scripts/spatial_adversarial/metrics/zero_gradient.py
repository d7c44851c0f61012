"""The share of images that PGD left standing at a gradient of exactly 0: it says nothing of their robustness."""

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="images without a gradient", per_image=lambda e: e.zero_gradient)
