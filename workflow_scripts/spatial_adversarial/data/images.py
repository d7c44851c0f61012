"""Load a prepared data set onto the device, whole, and choose its splits."""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from spatial_adversarial.runner.hdf5 import opened
from spatial_adversarial.runner.seeds import derive


@dataclass(frozen=True)
class ImageSet:
    """Images [N, C, H, W], uint8 or float32 in [0, 1], and labels int64 [N] on one device.

    `mean` and `std` (one number a channel) are those of the whole official train set in [0, 1].
    """

    images: Tensor
    labels: Tensor
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def order(self, batch: int, generator: torch.Generator) -> Tensor:
        """The indices of an epoch's images int64 [n], anew each time; a loop takes `batch_sizes` of them at once."""
        return torch.randperm(len(self), generator=generator, device=self.labels.device)


def batch_sizes(images: int, batch: int) -> list[int]:
    """How many images each batch of an epoch holds: `batch`, the last one fewer, and never one image alone.

    Batch norm over 1x1 maps has no statistics of a single image, so the batch before takes it in, where there is one.
    """
    whole, rest = divmod(images, batch)
    sizes = [batch] * whole + ([rest] if rest else [])
    if whole and rest == 1:
        sizes[-2:] = [batch + 1]
    return sizes


def load(
    path: str | Path,
    split: str,
    *,
    indices: np.ndarray | None = None,
    limit: int | None = None,
    device: str | torch.device = "cpu",
) -> ImageSet:
    """Load `split` ("train" or "test") of the prepared file `path` onto `device`.

    `indices` (integers [n]) chooses images and their order; `limit` then keeps at most the first `limit`.
    Raises ValueError if the file is missing, damaged or has no such split.
    """
    with _open(path) as file:
        return _read(file, split, slice(limit) if indices is None else indices[:limit], device)


def _read(file: h5py.File, split: str, chosen: slice | np.ndarray, device: str | torch.device) -> ImageSet:
    """The chosen images of a split of an open file."""
    images, labels = (
        stored[chosen] if isinstance(chosen, slice) else stored[:][chosen]  # HDF5 is slow at single indices
        for stored in (file[split]["images"], file[split]["labels"])
    )
    classes, mean, std = (file.attrs[key] for key in ("classes", "mean", "std"))
    return ImageSet(
        torch.from_numpy(images).to(device),
        torch.from_numpy(labels).to(device),
        int(classes),
        tuple(mean.tolist()),
        tuple(std.tolist()),
    )


def load_sample(path: str | Path, number: int | None, *, device: str | torch.device = "cpu") -> ImageSet:
    """`number` of the test images of the prepared file `path`, drawn at random; all, in the set's order, for None.

    The first ones would be no fair sample: official test sets have an order, and MNIST's first half is the harder one.
    """
    with _open(path) as file:  # once: opening verifies all of it
        chosen = sample_order(len(file["test"]["labels"]))[:number] if number else slice(None)
        return _read(file, "test", chosen, device)


def sample_order(total: int) -> np.ndarray:
    """The order, int64 [total], in which samples of a test set take its images: a larger one begins with a smaller."""
    return np.random.default_rng(derive(0, "test images")).permutation(total)


def size(path: str | Path, split: str) -> int:
    """Return the number of images of `split` without loading them; ValueError as `load` raises it."""
    with _open(path) as file:
        return len(file[split]["labels"])


def origin(path: str | Path) -> tuple[str, dict]:
    """(the digest of a prepared set's images and labels, what it was made of)."""
    with _open(path) as file:
        return file.attrs["digest"], json.loads(file.attrs["made_of"])


def _open(path: str | Path) -> AbstractContextManager[h5py.File]:
    return opened(path, missing="this prepared data set does not exist")


def split_indices(n: int, validation: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (train, validation) indices: a permutation of 0..n-1 with its first `validation` held out.

    Raises ValueError if no image is left for training.
    """
    if not 0 <= validation < n:
        raise ValueError(f"validation: {validation} of {n} train images held out, expected 0 to {n - 1}")
    order = np.random.default_rng(seed).permutation(n)
    return order[validation:], order[:validation]


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
