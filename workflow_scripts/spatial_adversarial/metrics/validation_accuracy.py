"""Accuracy on unchanged validation images after an epoch of training."""

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="validation accuracy", by_epoch=True)
