"""A run's weights: one torch file, written whole, whose checksums are verified before it is read."""

import io
import zipfile
from pathlib import Path

import torch

from spatial_adversarial.runner.files import write_atomic


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
