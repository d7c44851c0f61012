"""A recipe's network for a data set, with its weights."""

from pathlib import Path

import torch

from spatial_adversarial import models
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.models.network import Network
from spatial_adversarial.models.weights import load_weights
from spatial_adversarial.runner.seeds import derive


def load_network(spec: dict, images: ImageSet, *, seed: int, weights: str | Path | None = None) -> Network:
    """A recipe's network for a data set, initialised from the seed, then from `weights` where given."""
    torch.manual_seed(derive(seed, "network"))
    _, channels, side, _ = images.images.shape
    network = models.build(
        spec, channels=channels, side=side, classes=images.classes, mean=images.mean, std=images.std
    )
    if weights:
        load_weights(network, weights)
    return network.to(memory_format=torch.channels_last)  # up to 1.5 times as fast on a CPU
