"""LPIPS, without learned weights, from a network's own stages (Laidlaw, Singla and Feizi 2021)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn


def embedding(network: nn.Module, x: Tensor) -> Tensor:
    """[N, D]: the outputs of a residual network's stages on pixels x [N, C, H, W], of unit length at each place.

    Each stage is divided by sqrt(H W). Raises ValueError for a network without residual stages.
    """
    import torch
    from torch.nn import functional

    parts = []
    stages: Any = network.stages
    for maps in stages(x):
        unit = functional.normalize(maps, dim=1, eps=1e-10)
        parts.append(unit.flatten(1) / math.sqrt(maps[0, 0].numel()))
    if not parts:
        raise ValueError("LPIPS needs the stages of a residual network")
    return torch.cat(parts, 1)


def with_distance(network: nn.Module, reference: nn.Module, clean: Tensor) -> nn.Module:
    """A module from images to the network's logits [N, K] and their LPIPS [N] to the clean images.

    `reference` is the network whose stages see both.
    """
    import torch
    from torch import nn

    class WithDistance(nn.Module):
        def __init__(self):
            super().__init__()
            self.network, self.reference = network, reference
            with torch.no_grad():
                self.clean = embedding(reference, clean)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            difference = embedding(self.reference, x) - self.clean
            return self.network(x), torch.linalg.vector_norm(difference, dim=1)

    return WithDistance()
