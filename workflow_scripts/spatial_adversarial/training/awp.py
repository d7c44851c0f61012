"""Adversarial weight perturbation (Wu, Xia and Wang 2020)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def perturbed(network: nn.Module, climb: Callable[[], Tensor], gamma: float) -> Iterator[None]:
    """Within the block the weights w stand at w + gamma ||w|| g / ||g||, g the gradient of climb() at w.

    This is layer by layer, for parameters of two and more dimensions; one plain gradient step of any rate has
    this direction. On leaving, also by an exception, the weights are bit for bit what they were; the statistics
    of batch norm do not see climb(). gamma 0 changes nothing, and does not call it.
    """
    if not gamma:
        yield
        return
    weights = [weight for weight in network.parameters() if weight.ndim > 1]
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    gradients = torch.autograd.grad(climb(), weights)
    kept = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for buffer, before in buffers:
            buffer.copy_(before)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.add_(gradient * (gamma * weight.norm() / (gradient.norm() + 1e-20)))
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, before in zip(weights, kept, strict=True):
                weight.copy_(before)
