"""Losses that attacks climb, by image or summed, so that no image's gradient depends on the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy_sum(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy summed over the batch, so that no image's gradient depends on the batch size."""
    from torch.nn import functional

    return functional.cross_entropy(logits, y, reduction="sum")


def cross_entropy_each(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of each image, [N]."""
    from torch.nn import functional

    return functional.cross_entropy(logits, y, reduction="none")


def divergence_each(logits: Tensor, target: Tensor) -> Tensor:
    """KL(exp(target) || softmax(logits)) of each image, [N]; target: log-probabilities [N, K].

    Both sides in logarithms: the gradient through a probability that underflows to 0 would be 0 times infinity.
    """
    from torch.nn import functional

    return functional.kl_div(logits.log_softmax(1), target, reduction="none", log_target=True).sum(1)


def divergence_sum(logits: Tensor, target: Tensor) -> Tensor:
    """`divergence_each` summed over the batch."""
    return divergence_each(logits, target).sum()
