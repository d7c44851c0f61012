"""Write a data set as one HDF5 file, in the same layout for all of them."""

import hashlib
import json
from pathlib import Path

import numpy as np

from spatial_adversarial.data import identity
from spatial_adversarial.data.download import verified
from spatial_adversarial.data.sources import Arrays, pieces, read
from spatial_adversarial.runner.hdf5 import written

CHUNK = 100  # images that are compressed together


def prepare(name: str, spec: dict, root: str | Path, path: str | Path) -> None:
    """Write data set `name`, whose raw files lie below `root`, to the HDF5 file `path`.

    `spec` is its registry entry: source, classes, channels, side and, checked if given, train and test
    (numbers of images). The same raw files give the same bytes. Raises ValueError if a raw file is missing
    or damaged, or if the images are not what `spec` says.
    """
    files = _verify(name, spec, Path(root))
    splits = read(spec, root)
    for split, (images, _) in splits.items():
        _check_shape(name, spec, split, images)
    about = {"name": name, "classes": spec["classes"], "source": spec["source"], "files": files}
    write(path, splits, **about, made_of=identity(spec))


def write(
    path: str | Path,
    splits: dict[str, Arrays],
    *,
    name: str,
    classes: int,
    source: str,
    files: dict[str, str],
    made_of: dict,
) -> None:
    """Write {split: (images, labels)} and the data set's attributes to `path`.

    Images are uint8 [N, C, H, W], or float32 in [0, 1] for derived sets; labels are integers [N]. `files`
    maps raw files to checksums; `made_of`, JSON, is for those to compare who use the set, as is `digest`.
    Mean and standard deviation are those of the train images in [0, 1]. ValueError, one line, for other images or
    labels.
    """
    for split, (images, labels) in splits.items():
        _check_images(f"{name}: {split}", images)
        _check_labels(f"{name}: {split}", labels, len(images), classes)
    mean, std = moments(splits["train"][0])
    attributes = {
        "name": name,
        "classes": classes,
        "source": source,
        "files": json.dumps(files, sort_keys=True),
        "made_of": json.dumps(made_of, sort_keys=True),
        "digest": digest(splits, classes),
    }
    with written(path) as file:
        file.attrs.update(attributes | {"mean": mean.round(4), "std": std.round(4)})
        for split, (images, labels) in splits.items():
            chunks = (min(CHUNK, len(images)), *images.shape[1:])
            settings = {"compression": "lzf", "fletcher32": True, "track_times": False}
            file.create_dataset(f"{split}/images", data=images, chunks=chunks, **settings)
            file.create_dataset(f"{split}/labels", data=labels.astype(np.int64), track_times=False)


def digest(splits: dict[str, Arrays], classes: int) -> str:
    """SHA-256 of a data set's images and labels: the same wherever and by whichever version it was written."""
    hashed = hashlib.sha256(f"{classes} classes".encode())
    for split, (images, labels) in splits.items():
        for array in (images, labels.astype(np.int64)):
            hashed.update(f"{split} {array.dtype} {array.shape}".encode())
            hashed.update(np.ascontiguousarray(array))
    return hashed.hexdigest()


def moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation by channel, float64 [C], in [0, 1], of images [N, C, H, W]."""
    total, squares = np.zeros((2, images.shape[1]))
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000].astype(np.float64)
        total += part.sum(axis=(0, 2, 3))
        squares += (part**2).sum(axis=(0, 2, 3))
    number = images.size / images.shape[1]
    scale = 255 if images.dtype == np.uint8 else 1
    mean = total / number
    return mean / scale, np.sqrt(np.maximum(squares / number - mean**2, 0)) / scale


def _verify(name: str, spec: dict, root: Path) -> dict[str, str]:
    files = {}
    for piece in pieces(spec):
        found = verified(piece, root)
        if found is None:
            raise ValueError(f"{name}: {root / piece.archive} is missing: download it again")
        files |= found
    return files


def _check_shape(name: str, spec: dict, split: str, images: np.ndarray) -> None:
    shape = (spec.get(split) or len(images), spec["channels"], spec["side"], spec["side"])
    if images.shape != shape:
        raise ValueError(f"{name}: {split} images of shape {images.shape}, but the registry says {shape}")


def _check_images(where: str, images: np.ndarray) -> None:
    """ValueError, one line, unless images are uint8, or float32 in [0, 1]."""
    expected = "expected uint8 in 0..255 or float32 in 0..1"
    if images.dtype not in (np.uint8, np.float32):
        raise ValueError(f"{where} images are {images.dtype}, {expected}")
    low, high = images.min(), images.max()
    if not np.isfinite(high - low):
        raise ValueError(
            f"{where} images have {np.sum(~np.isfinite(images))} pixels that are no numbers, {expected}"
        )
    if images.dtype == np.float32 and not 0 <= low <= high <= 1:
        raise ValueError(f"{where} images are float32 from {low:g} to {high:g}, {expected}")


def _check_labels(where: str, labels: np.ndarray, images: int, classes: int) -> None:
    """ValueError, one line, unless labels are the numbers of classes, one an image."""
    if labels.ndim != 1:
        raise ValueError(
            f"{where} labels of shape {labels.shape}, expected ({images},): the number of its class each"
        )
    if len(labels) != images:
        raise ValueError(f"{where} has {len(labels)} labels for {images} images")
    whole = labels.dtype.kind in "iu" or (labels.dtype.kind == "f" and np.isfinite(labels).all())
    if not whole or (labels != np.floor(labels)).any():
        raise ValueError(f"{where} labels are {labels.dtype} and not all whole, expected 0 to {classes - 1}")
    low, high = int(labels.min()), int(labels.max())
    if not 0 <= low <= high < classes:
        raise ValueError(
            f"{where} labels from {low} to {high}, but the registry says {classes} classes: expected 0 to {classes - 1}"
        )
