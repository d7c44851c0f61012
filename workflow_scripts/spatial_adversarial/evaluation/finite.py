"""Logits and gradients that are no numbers: the class and the step taken of them would make a network look robust.

An arg max takes nan for class 0 on every image, and the sign of a gradient of nan leaves an attack where it stands.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn


class NotFinite(ValueError):
    """A network gave logits that are nan or infinite, or a gradient of nan; the text says where."""


@contextmanager
def finite(models: Mapping[str, nn.Module], device: torch.device) -> Iterator[Callable[[str], None]]:
    """Watch all logits of some models, {whose they are, in words: model}, and the gradients of what they are given.

    Yields check(where), which raises NotFinite if any were not finite. Only a check waits for the device: to wait at
    each step of an attack would cost time.
    """
    bad = {(what, whose): _none(device) for whose in models for what in WHY}
    handles = [
        model.register_forward_hook(partial(_look, *(bad[what, whose] for what in WHY)))
        for whose, model in models.items()
    ]

    def check(where: str) -> None:
        if torch.stack(list(bad.values())).any():
            what, whose = next(name for name, flag in bad.items() if flag)
            raise NotFinite(f"the {what}{whose} are not finite {where}: {WHY[what]}")

    try:
        yield check
    finally:
        for handle in handles:
            handle.remove()


WHY = {
    "logits": "its weights are damaged, or it overflows",
    "gradients": "no attack can climb them (a root of 0, or 0 times infinity?)",
}


def _none(device: torch.device) -> Tensor:
    return torch.zeros((), dtype=torch.bool, device=device)


def _look(bad_logits: Tensor, bad_gradients: Tensor, model: nn.Module, inputs: tuple, logits: Tensor) -> None:
    """A forward hook: what the model gives, and what flows back to the images that it was given."""
    bad_logits.logical_or_(~logits.detach().isfinite().all())
    (x, *_) = inputs

    def look_back(gradient: Tensor) -> None:
        bad_gradients.logical_or_(gradient.isnan().any())

    if x.requires_grad:
        x.register_hook(look_back)
