"""A recipe's optimiser."""

import torch
from torch import nn

from spatial_adversarial.records.recipe import Optimiser


def make_optimiser(spec: Optimiser, network: nn.Module) -> torch.optim.Optimizer:
    """torch's SGD or Adam for a recipe's `optimiser`; the loop sets the learning rate at each step."""
    groups = parameter_groups(network, spec)
    if spec.name == "adam":
        return torch.optim.Adam(groups, lr=0.0)
    return torch.optim.SGD(groups, lr=0.0, momentum=spec.momentum, nesterov=spec.nesterov)


def parameter_groups(network: nn.Module, spec: Optimiser) -> list[dict]:
    """All parameters with their weight decay; with `decayed: weights` two groups, of which the second has none."""
    decay = spec.weight_decay
    if spec.decayed == "all":
        return [{"params": list(network.parameters()), "weight_decay": decay}]
    weights = {m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    decayed = [p for p in network.parameters() if p in weights]
    others = [p for p in network.parameters() if p not in weights]
    return [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
