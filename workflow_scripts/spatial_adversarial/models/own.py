"""A user's own network: a Python file with a builder in it, and maybe its weights."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import torch
from torch import nn

from ..training.state import load_weights


def build_own(spec: dict, channels: int, side: int, classes: int) -> nn.Module:
    """The network that `builder` in `file` makes: normalised float32 [N, channels, side, side] to logits [N, classes].

    The builder is called with channels, side and classes by name. `weights`, where given, is a state dict that
    torch.save wrote. ValueError, one line, where there is no such builder, its network does not take such images
    or gives another number of classes, or the weights do not fit.
    """
    name = f"{spec['file']}: {spec['builder']}"
    builder = getattr(_module(Path(spec["file"])), spec["builder"], None)
    if not callable(builder):
        raise ValueError(f"{name}: no such builder")
    network = builder(channels=channels, side=side, classes=classes)
    if spec.get("weights"):
        load_weights(network, spec["weights"])
    shape = list(_logits(network, torch.zeros(2, channels, side, side), name).shape)
    if shape != [2, classes]:
        raise ValueError(f"{name}: logits of 2 images have shape {shape}, expected [2, {classes}]")
    return network


def _module(path: Path):
    loaded = spec_from_file_location(path.stem, path)
    if loaded is None:
        raise ValueError(f"{path}: not a Python file")
    module = module_from_spec(loaded)
    try:
        loaded.loader.exec_module(module)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    return module


@torch.no_grad()
def _logits(network: nn.Module, x: torch.Tensor, name: str) -> torch.Tensor:
    mode = network.training
    try:
        return network.eval()(x)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{name}: does not take images of shape {list(x.shape[1:])} ({reason})") from None
    finally:
        network.train(mode)
