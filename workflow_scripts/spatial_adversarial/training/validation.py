"""What an epoch has reached: accuracies on validation images, and whether its numbers are finite."""

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.records.recipe import Selection
from spatial_adversarial.transforms.pixels import to_float


@torch.no_grad()
def accuracy_of(network: nn.Module, images: ImageSet, batch: int = 1000) -> float:
    """Natural accuracy in [0, 1] in eval mode; nan for no images. The network's mode is left as it was."""
    if not len(images):
        return math.nan
    mode = network.training
    network.eval()
    right = [
        (network(to_float(x)).argmax(1) == y).sum()
        for x, y in zip(images.images.split(batch), images.labels.split(batch), strict=True)
    ]
    network.train(mode)
    return torch.stack(right).sum().item() / len(images)


def robust_accuracy_of(
    network: nn.Module, validation: ImageSet, selection: Selection, generator: torch.Generator
) -> float:
    """Accuracy in [0, 1] under a recipe's `selection`: PGD on the first `images` of the validation images."""
    x, y = to_float(validation.images[: selection.images]), validation.labels[: selection.images]
    ball = {"eps": selection.eps, "step": selection.step, "steps": selection.steps}
    moved = pgd(network, x, y, generator=generator, **ball)
    return accuracy_of(network, replace(validation, images=moved, labels=y))


def not_finite(loss: float, tensors: Mapping[str, Tensor]) -> str:
    """What of an epoch's loss and named tensors is nan or infinite, in words; "" where all are finite."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    finite = torch.stack([tensor.isfinite().all() for tensor in tensors.values()]).tolist()
    return "" if all(finite) else f"{list(tensors)[finite.index(False)]} is no longer finite"
