"""What a network is made of and costs, and how nearly it is equivariant: measured on the network itself."""

from copy import deepcopy
from math import nan

import torch
from torch import Tensor, nn

from spatial_adversarial.models.groups import GroupConv2d, act, move, order
from spatial_adversarial.models.network import Network


def describe(network: Network, *, channels: int, side: int) -> dict:
    """Count a network's layers, parameters and forward operations for one image [channels, side, side].

    Returns `layers` (a list in the order of execution of {layer: dotted name, operation: text such as
    "P4ConvZ2(10, 3x3) + ReLU", output: shape without the batch, parameters}), `parameters` (the total),
    `multiply_adds` and `activations` (per image: the multiply-adds and the outputs of all convolutions and
    linear layers). Nothing is computed but shapes, and the network is left as it was.
    """
    # Tensors on the meta device have shapes and no numbers: counting takes no time, and the copy no repair.
    copy = deepcopy(network).to("meta").eval()
    names = {module: name for name, module in copy.named_modules()}
    layers: list[dict] = []
    weighted: list[tuple[Tensor, Tensor]] = []

    def record(module: nn.Module, _, output: Tensor) -> None:
        if isinstance(module, nn.ReLU | nn.LeakyReLU):
            layers[-1]["operation"] += f" + {_operation(module)}"
        elif not isinstance(module, nn.Identity | nn.Flatten):
            layers.append(
                {
                    "layer": names[module],
                    "operation": _operation(module),
                    "output": list(output.shape[1:]),
                    "parameters": sum(p.numel() for p in module.parameters()),
                }
            )
        if isinstance(module, nn.Conv2d | nn.Linear):
            weighted.append((module.weight, output))

    for module in copy.body.modules():
        if not list(module.children()):
            module.register_forward_hook(record)
    with torch.no_grad():
        copy(torch.empty(1, channels, side, side, device="meta"))
    return {
        "layers": layers,
        "parameters": sum(p.numel() for p in network.parameters()),
        "multiply_adds": sum(weight[0].numel() * output.numel() for weight, output in weighted),
        "activations": sum(output.numel() for _, output in weighted),
    }


def equivariance_error(network: Network, *, channels: int, side: int, seed: int, images: int = 4) -> float:
    """Return how far a network's last feature maps are from turning with its input, as a relative L2 error.

    The mean of ||g F(x) - F(g x)|| / ||F(x)|| over the elements g of the group but the identity, F being the
    feature maps before the classifier, in float64, on uniformly random images drawn from `seed`. A z2 network
    is held to quarter turns of the plane alone. nan for a network without feature maps (an MLP).
    """
    if isinstance(network.body.maps, nn.Identity):
        return nan
    # Train mode takes these images' batch statistics: with untrained running ones the maps vanish.
    copy = deepcopy(network).double().train()
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(images, channels, side, side, dtype=torch.float64, generator=generator)
    x = x.to(next(copy.parameters()).device)
    with torch.no_grad():
        maps = copy.feature_maps(x)
        errors = [
            (act(maps, g, network.group) - copy.feature_maps(move(x, g))).norm() / maps.norm()
            for g in range(1, max(4, order(network.group)))
        ]
    return torch.stack(errors).mean().item()


def _operation(module: nn.Module) -> str:
    kind = type(module).__name__
    if isinstance(module, nn.Conv2d):
        kind = "Conv"
        if isinstance(module, GroupConv2d):
            group = module.group.upper().replace("M", "m")
            kind = f"{group}Conv{'Z2' if module.lift else group}"
        size = "x".join(map(str, module.kernel_size))
        stride = f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
        return f"{kind}({module.out_channels}, {size}{stride})"
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        size = module.kernel_size
        return f"{kind.removesuffix('2d')}({size}x{size})"
    if isinstance(module, nn.Linear):
        return f"FC({module.out_features})"
    if isinstance(module, nn.Dropout):
        return f"Dropout({module.p})"
    if isinstance(module, nn.LeakyReLU):
        return f"LeakyReLU({module.negative_slope})"
    return kind.removesuffix("2d").replace("Adaptive", "Global ")
