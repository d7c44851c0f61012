"""Robust accuracy: Pr(f(X + A(X)) = Y) (tradeoff, section 4)."""

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="robust accuracy", per_image=lambda e: e.prediction == e.label)
