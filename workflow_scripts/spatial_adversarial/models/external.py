"""A user's own network: a Python file with a builder in it, and maybe its weights."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import torch
from torch import Tensor, nn

from spatial_adversarial.models.user_weights import load_checkpoint
from spatial_adversarial.runner.files import digest


def build_own(spec: dict, channels: int, side: int, classes: int) -> nn.Module:
    """The network that `builder` in `file` makes: normalised float32 [N, channels, side, side] to logits [N, classes].

    The builder is called with channels, side and classes by name. `weights`, where given, is a file that
    `load_checkpoint` reads. ValueError, one line that names file and builder, where there is no such builder, it
    fails, its network does not take such images, gives something else than float32 logits or lets no gradient
    through, or the weights do not fit.
    """
    path, name = Path(spec["file"]), f"{spec['file']}: {spec['builder']}"
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    with _beside(path):
        builder = getattr(_called(spec["file"], _module, path), spec["builder"], None)
        if not callable(builder):
            raise ValueError(f"{name}: no such builder")
        network = _called(name, builder, channels=channels, side=side, classes=classes)
    if not isinstance(network, nn.Module):
        raise ValueError(f"{name}: returns {_kind(network)}, expected a torch.nn.Module")
    network.register_forward_pre_hook(_on_a_copy)
    if spec.get("weights"):
        load_checkpoint(network, spec["weights"])
    _check(network, torch.zeros(2, channels, side, side), classes, name)
    return network


def _on_a_copy(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Give a network that may change its input in place a copy: an attack has further use for its images."""
    return tuple(x.clone() for x in inputs)


def _module(path: Path):
    # a name that no other module has, and in sys.modules, where dataclasses look for it
    name = f"own_{digest(path)[:16]}"
    loaded = spec_from_file_location(name, path)
    if loaded is None:
        raise ValueError("not a Python file")
    module = sys.modules[name] = module_from_spec(loaded)
    loaded.loader.exec_module(module)
    return module


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Let a file import its neighbours: not another's of the same name, which keeps its place in sys.modules."""
    folder = str(path.resolve().parent)
    names = {file.stem for file in Path(folder).glob("*.py")}
    names |= {file.parent.name for file in Path(folder).glob("*/__init__.py")}
    names |= {name for name in {file.parent.name for file in Path(folder).glob("*/*.py")} if _is_free(name)}

    def taken() -> dict:
        return {name: sys.modules[name] for name in list(sys.modules) if name.partition(".")[0] in names}

    importlib.invalidate_caches()  # the files may be newer than the process
    others = taken()
    for name in others:
        del sys.modules[name]
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in taken():
            del sys.modules[name]
        sys.modules.update(others)


def _is_free(name: str) -> bool:
    """Whether no installed package has a name: one without __init__.py, beside the file, gives way to it."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # of a module made by hand
        return False
    return found is None or found.origin is None


def _called(name: str, call, *args, **kwargs):
    """call(...), any failure of the user's code in one line."""
    try:
        return call(*args, **kwargs)
    except Exception as error:
        raise ValueError(f"{name}: {type(error).__name__}: {_line(error)}") from error


@torch.enable_grad()
def _check(network: nn.Module, x: Tensor, classes: int, name: str) -> None:
    """Hold the network to what attacks and metrics take from it; ValueError, its mode is left as it was."""
    kinds = {str(p.dtype).removeprefix("torch.") for p in network.parameters() if p.dtype != torch.float32}
    if kinds:
        raise ValueError(f"{name}: its weights are {', '.join(sorted(kinds))}, expected float32 (.float())")
    mode = network.training
    try:
        logits = network.eval()(x.requires_grad_())
    except Exception as error:
        shape = list(x.shape[1:])
        raise ValueError(
            f"{name}: does not take images of shape {shape}, float32 in [0, 1] or as `normalise` leaves them "
            f"({_line(error)})"
        ) from error
    finally:
        network.train(mode)
    expected = f"logits, a float32 tensor of shape [N, {classes}]"
    if not isinstance(logits, Tensor):
        raise ValueError(f"{name}: gives {_kind(logits)}, expected {expected}")
    if list(logits.shape) != [len(x), classes]:
        shapes = f"{list(logits.shape)}, expected {[len(x), classes]}"
        raise ValueError(f"{name}: logits of {len(x)} images have shape {shapes}")
    if logits.dtype != torch.float32:
        raise ValueError(f"{name}: gives {str(logits.dtype).removeprefix('torch.')}, expected {expected}")
    if not logits.requires_grad or torch.autograd.grad(logits.sum(), x, allow_unused=True)[0] is None:
        raise ValueError(
            f"{name}: no gradient reaches its images: is there a no_grad or detach in its forward?"
        )


def _kind(value) -> str:
    return f"a {type(value).__name__}"


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
