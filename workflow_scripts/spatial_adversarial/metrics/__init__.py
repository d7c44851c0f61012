"""Metrics: what is counted on each image, one file a metric; the registry finds the files by itself."""

from dataclasses import replace

import numpy as np

from spatial_adversarial.metrics.base import Metric
from spatial_adversarial.records.climbed_label import PREDICTED, TRUE
from spatial_adversarial.records.evaluation import SKIPPED, Evaluation
from spatial_adversarial.settings.registry import discover, register

METRICS: dict[str, Metric] = discover(__name__, "METRIC", path=__path__)
register("metric", {name: metric for name, metric in METRICS.items() if metric.per_image})
register("curve", {name: metric for name, metric in METRICS.items() if metric.by_epoch})


def outcomes(evaluation: Evaluation, metric: str, climbed_label: str = TRUE) -> np.ndarray:
    """Each image's outcome float32 [point, image], in [0, 1] for shares, averaged over draws.

    climbed_label: the label that the attack climbs, "true" or "predicted". nan where the metric leaves an image
    out. Raises ValueError for a metric or label that the evaluation has no numbers for.
    """
    if climbed_label == PREDICTED:
        if evaluation.prediction_predicted is None:
            raise ValueError("this evaluation has no attack on the predicted label")
        evaluation = replace(evaluation, prediction=evaluation.prediction_predicted)
    asked = METRICS[metric]
    values = asked.per_image(evaluation)
    if values is None or (asked.climbs and (evaluation.prediction == SKIPPED).all()):
        raise ValueError(f"this evaluation has no numbers for {metric}")
    return np.asarray(values, dtype=np.float32).mean(axis=1)
