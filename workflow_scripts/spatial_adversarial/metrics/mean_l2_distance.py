"""The mean L2 norm of DeepFool's perturbation (tradeoff, section 5), in units of the network's input."""

import numpy as np

from spatial_adversarial.metrics.base import Metric

METRIC = Metric(label="mean L2 distance", per_image=lambda e: e.distance, most=np.inf)
