"""A run's resume state: everything that the next epoch depends on, in one file that is replaced whole."""

import hashlib
import io
import logging
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..data.images import ImageSet
from ..files import verify, write_atomic, write_checked


@dataclass
class State:
    """What training has reached: `epoch` epochs and `step` steps are done.

    `best` is (validation accuracy, weights) where the recipe keeps the best, `best_robust` the same under attack.
    All random streams start anew each epoch from a seed of their own, so none is stored, but within an epoch (`part`,
    as pause.py makes it).
    `made_of` is what the run was started with: a state is that run's alone.
    """

    made_of: dict[str, str] = field(default_factory=dict)
    epoch: int = 0
    step: int = 0
    network: dict = field(default_factory=dict)
    optimiser: dict = field(default_factory=dict)
    averaged: dict | None = None
    memory: dict | None = None  # the training method's
    best: tuple[float, dict] | None = None
    best_robust: tuple[float, dict] | None = None
    history: list[dict] = field(default_factory=list)
    part: dict | None = None


def save(state: State, path: Path) -> None:
    """Replace the state file; a kill at any moment leaves the old or the new one."""
    buffer = io.BytesIO()  # torch does not say why it cannot write
    torch.save(vars(state), buffer)
    write_checked(path, buffer.getbuffer())


def load(path: Path, made_of: dict[str, str]) -> State | None:
    """The state to resume from, or None where there is none of this run that can be read; the log says why.

    Its tensors lie on the CPU: Adam's counters have to stay there, where reading them does not wait for a GPU.
    """
    if not path.exists():
        return None
    try:
        verify(path)
        state = State(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a damaged file; each means: begin again
        logging.warning(
            "%s cannot be read (%s): training starts anew", path, " ".join(str(error).split())[:200]
        )
        return None
    if other := [key for key, value in made_of.items() if state.made_of.get(key) != value]:
        logging.warning("%s was begun with another %s: training starts anew", path, " and ".join(other))
        return None
    return state


def tensors_digest(*tensors: torch.Tensor) -> str:
    """SHA-256 of tensors: types, shapes and values; 0.1 s for 200 MB."""
    hashed = hashlib.sha256()
    for tensor in tensors:
        hashed.update(f"{tensor.dtype} {list(tensor.shape)}".encode())
        hashed.update(np.ascontiguousarray(tensor.detach().cpu().numpy()))
    return hashed.hexdigest()


def images_digest(*sets: ImageSet) -> str:
    """The same of the images and labels of some sets, in their order."""
    return tensors_digest(*(tensor for one in sets for tensor in (one.images, one.labels)))


def _read(path: str | Path, device: torch.device | str) -> dict:
    """torch.load of a file whose checksums hold: torch writes them, but does not look at them."""
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"wrong checksum of {damaged}")
    return torch.load(path, map_location=device, weights_only=True)


def weights_bytes(weights: dict) -> bytes:
    """A state dict as the bytes of a torch file; equal weights give equal bytes."""
    buffer = io.BytesIO()
    torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}, buffer)
    return buffer.getvalue()


def save_weights(weights: dict, path: str | Path) -> None:
    """Write a state dict as a torch file, whole or not at all."""
    with write_atomic(path) as temporary:
        temporary.write_bytes(weights_bytes(weights))


def load_weights(network: torch.nn.Module, path: str | Path) -> None:
    """Load a run's weights into a network; ValueError, one line, for a damaged file or another architecture."""
    try:
        network.load_state_dict(_read(path, "cpu"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such weights") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: damaged, or weights of another network ({reason})") from None
