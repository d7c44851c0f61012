"""Accuracy on the images of an epoch of training, as they were trained on."""

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="training accuracy", by_epoch=True)
