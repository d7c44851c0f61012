"""Logits that are no numbers: an arg max would take them for class 0 on every image, and call the network robust."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class NonFiniteLogits(ValueError):
    """A network gave logits that are nan or infinite; the text says where."""


@contextmanager
def finite_logits(model: nn.Module, device: torch.device) -> Iterator[Callable[[str], None]]:
    """Watch all logits of a model; yields check(where), which raises NonFiniteLogits if any were not finite.

    Only a check waits for the device: to wait at each step of an attack would cost time.
    """
    bad = torch.zeros((), dtype=torch.bool, device=device)

    def look(module: nn.Module, inputs: tuple, logits: Tensor) -> None:
        bad.logical_or_(~logits.detach().isfinite().all())

    def check(where: str) -> None:
        if bad:
            raise NonFiniteLogits(
                f"the logits are not finite {where}: its weights are damaged, or it overflows"
            )

    handle = model.register_forward_hook(look)
    try:
        yield check
    finally:
        handle.remove()
