"""What a metric is: its label, its range, its formula on one image, and the label that its attack climbs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spatial_adversarial.records.climbed_label import TRUE
from spatial_adversarial.records.evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number of a network, by the name of its file.

    label: on axes and in tables. per_image: its outcome on each image of an evaluation, [point, draw, image], whose
    mean is the metric; nan leaves an image out; None where the evaluation has no such numbers. A metric without one is
    no metric of evaluations. most: the largest value, infinity for what is no share. climbs: the label that the attack
    climbs, "true" or "predicted"; "" for a metric of clean images. by_epoch: it is a column of training histories.
    """

    label: str
    per_image: Callable[[Evaluation], np.ndarray | None] | None = None
    most: float = 1.0
    climbs: str = TRUE
    by_epoch: bool = False

    @property
    def is_share(self) -> bool:
        return self.most == 1
