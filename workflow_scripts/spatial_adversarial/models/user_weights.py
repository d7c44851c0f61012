"""A user's weights, in the forms in which they come: torch's files, old and new, and safetensors. None runs code."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

WITHIN = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
)  # keys under which a checkpoint holds its state dict
PREFIXES = ("module.", "_orig_mod.")  # of a network within DataParallel, or compiled
SAVE = "torch.save(network.state_dict(), 'weights.pt')"


def load_checkpoint(network: nn.Module, path: str | Path) -> None:
    """Load a state dict into a network, on the CPU.

    The file is torch's (before 1.6, too) or safetensors; the state dict is all of it or lies in it under one of
    `WITHIN`, its names with or without one of `PREFIXES`. ValueError, one line that names the file, for another
    kind of file, a damaged one, or weights of another network.
    """
    weights = _stripped(_state_dict(_read(Path(path)), path), network)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path}: damaged, or weights of another network ({reason})") from None


def _read(path: Path):
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such weights") from None
    try:
        if start[8:] == b"{":  # the length of a JSON header, and the header
            from safetensors.torch import load_file

            return load_file(path)
        if start[:2] == b"PK":
            _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error):  # torch's word for a class or function that it does not know
            raise ValueError(f"{path}: damaged, or no file of weights") from None
        raise ValueError(
            f"{path}: holds whole pickled Python objects, and reading them could run any code: "
            f"save the weights alone, {SAVE}"
        ) from None
    except ValueError:
        raise
    except Exception as error:  # torch and safetensors raise many kinds for a damaged file
        raise ValueError(
            f"{path}: damaged, or no file of weights ({' '.join(str(error).split())[:200]})"
        ) from None


def _check_archive(path: Path) -> None:
    """Refuse TorchScript, and an archive whose checksums do not hold: torch writes them, but does not look at them."""
    with zipfile.ZipFile(path) as archive:
        if any(name.endswith("/constants.pkl") for name in archive.namelist()):
            raise ValueError(
                f"{path}: is TorchScript, a program: save the weights alone, "
                "torch.save(torch.jit.load(path).state_dict(), 'weights.pt'), beside a builder of the network"
            )
        if damaged := archive.testzip():
            raise ValueError(f"{path}: damaged: wrong checksum of {damaged}")


def _state_dict(found, path: str | Path) -> dict[str, Tensor]:
    """The state dict of what a file holds."""
    if _is_weights(found):
        return dict(found)
    if isinstance(found, Mapping):
        for key in WITHIN:
            if _is_weights(found.get(key)):
                return dict(found[key])
    holds = (
        f"keys {', '.join(map(str, found))}" if isinstance(found, Mapping) else f"a {type(found).__name__}"
    )
    raise ValueError(f"{path}: holds no state dict, but {holds[:200]}: save it by {SAVE}")


def _is_weights(value) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(v, Tensor) for v in value.values())


def _stripped(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The weights by the network's own names: without a prefix that all of them have and the network's have not."""
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in weights) and not all(
            name.startswith(prefix) for name in network.state_dict()
        ):
            weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return weights
