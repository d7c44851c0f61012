"""Spatial accuracy: Pr(f(r(X)) = Y) (tradeoff, section 2)."""

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="spatial accuracy", per_image=lambda e: e.prediction == e.label)
