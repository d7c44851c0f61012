"""A recipe's optimiser."""

from inspect import unwrap

import torch
from torch import nn
from torch.optim import Optimizer

from spatial_adversarial.records.recipe import Optimiser


class Uncompiled(Optimizer):
    """An optimiser whose methods do not begin with the import of torch's compiler, a second of CPU in each process.

    They import it to be left out of what is compiled; nothing is compiled here, so the functions below that are taken.
    """

    add_param_group = unwrap(Optimizer.add_param_group)
    load_state_dict = unwrap(Optimizer.load_state_dict)
    state_dict = unwrap(Optimizer.state_dict)
    zero_grad = unwrap(Optimizer.zero_grad)


class SGD(Uncompiled, torch.optim.SGD):
    """torch's SGD."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))


class Adam(Uncompiled, torch.optim.Adam):
    """torch's Adam."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


def make_optimiser(spec: Optimiser, network: nn.Module) -> Optimizer:
    """torch's SGD or Adam for a recipe's `optimiser`; the loop sets the learning rate at each step."""
    groups = parameter_groups(network, spec)
    if spec.name == "adam":
        return Adam(groups, lr=0.0)
    return SGD(groups, lr=0.0, momentum=spec.momentum, nesterov=spec.nesterov)


def parameter_groups(network: nn.Module, spec: Optimiser) -> list[dict]:
    """All parameters with their weight decay; with `decayed: weights` two groups, of which the second has none."""
    decay = spec.weight_decay
    if spec.decayed == "all":
        return [{"params": list(network.parameters()), "weight_decay": decay}]
    weights = {m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    decayed = [p for p in network.parameters() if p in weights]
    others = [p for p in network.parameters() if p not in weights]
    return [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
