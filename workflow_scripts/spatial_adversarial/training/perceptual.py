"""LPIPS, without learned weights, from a network's own stages (Laidlaw, Singla and Feizi 2021)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial.models.resnet import Residual
from spatial_adversarial.models.wide_resnet import Unit


def embedding(network: nn.Module, x: Tensor) -> Tensor:
    """[N, D]: the outputs of a residual network's stages on pixels x [N, C, H, W], of unit length at each place.

    Each stage is divided by sqrt(H W). Raises ValueError for a network without residual stages.
    """
    maps, parts = network.normalise(x), []
    for part in network.body.maps:
        maps = part(maps)
        if isinstance(part, nn.Sequential) and isinstance(part[0], Residual | Unit):
            unit = functional.normalize(maps, dim=1, eps=1e-10)
            parts.append(unit.flatten(1) / math.sqrt(maps[0, 0].numel()))
    if not parts:
        raise ValueError("LPIPS needs the stages of a residual network")
    return torch.cat(parts, 1)


class Observed(nn.Module):
    """Maps images to a network's logits [N, K] and their LPIPS [N] to the clean images, as `reference` sees both."""

    def __init__(self, network: nn.Module, reference: nn.Module, clean: Tensor):
        super().__init__()
        self.network, self.reference = network, reference
        with torch.no_grad():
            self.clean = embedding(reference, clean)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        difference = embedding(self.reference, x) - self.clean
        return self.network(x), torch.linalg.vector_norm(difference, dim=1)
