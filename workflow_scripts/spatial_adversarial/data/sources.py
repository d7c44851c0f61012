"""Where each data set comes from: its raw files, their checksums, and how they are read.

Archives are read in place and never extracted, so that no name inside one can reach outside its folder.
"""

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from spatial_adversarial.data.stand_ins import STAND_INS, Arrays, make

TORCHVISION = ("MNIST", "CIFAR10", "CIFAR100")
SOURCES = (*TORCHVISION, "TinyImageNet", *STAND_INS)
TINY = "tiny-imagenet-200"
Content = Callable[[str], bytes]
IDX = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # the types of MNIST's format


@dataclass(frozen=True)
class Piece:
    """One archive of a data set, or the files extracted from it; paths are relative to torchvision's root.

    `checksums` maps file names to "md5:..." or "sha256:..."; an extracted folder may have none.
    """

    archive: str
    members: tuple[str, ...]
    urls: tuple[str, ...]
    checksums: dict[str, str]


def pieces(spec: dict) -> list[Piece]:
    """Return the raw files of the data set `spec`; none if it is made from scikit-learn's digits.

    `spec["checksums"]` and `spec["urls"]` (the folders that hold the archives, or file name -> URL or list of URLs) win
    over torchvision's own; URLs are tried in their order.
    Raises ValueError for a source that is not known, or if an archive has no checksum.
    """
    source = spec["source"]
    if source not in SOURCES:
        raise ValueError(f"source: {source!r} is not known, expected one of {', '.join(SOURCES)}")
    found = _torchvision_pieces(source) if source in TORCHVISION else []
    if source == "TinyImageNet":
        found = [Piece(f"{TINY}.zip", (TINY,), (), {})]
    return [_override(piece, spec) for piece in found]


def folder(name: str, spec: dict, root: Path) -> Path:
    """Where in a data folder, or a mirror, the raw files of the data set `name` lie: torchvision's root, `root`.

    A set whose archives take the names of torchvision's, but have other checksums, has that layout below root/<name>.
    """
    if spec["source"] not in TORCHVISION:
        return root
    theirs = {Path(piece.archive).name: piece.checksums for piece in _torchvision_pieces(spec["source"])}
    given = spec.get("checksums", {})
    own = any(given.get(file, known[file]) != known[file] for file, known in theirs.items())
    return root / name if own else root


def _torchvision_pieces(source: str) -> list[Piece]:
    from torchvision import datasets

    described = getattr(datasets, source)
    if source == "MNIST":
        return [
            Piece(
                f"MNIST/raw/{file}",
                (f"MNIST/raw/{Path(file).stem}",),
                tuple(f"{mirror}{file}" for mirror in described.mirrors),
                {file: f"md5:{md5}"},
            )
            for file, md5 in described.resources
        ]
    batches = dict(described.train_list + described.test_list)
    md5s = {described.filename: described.tgz_md5} | batches
    members = tuple(f"{described.base_folder}/{file}" for file in batches)
    checksums = {file: f"md5:{md5}" for file, md5 in md5s.items()}
    return [Piece(described.filename, members, (described.url,), checksums)]


def _override(piece: Piece, spec: dict) -> Piece:
    file = Path(piece.archive).name
    urls = spec.get("urls", {})
    folders = isinstance(urls, list)
    urls = [f"{url.rstrip('/')}/{file}" for url in urls] if folders else urls.get(file, piece.urls)
    checksums = piece.checksums | spec.get("checksums", {})
    if file not in checksums:
        raise ValueError(f"{spec['source']}: the registry gives no checksum for {file}")
    return Piece(piece.archive, piece.members, (urls,) if isinstance(urls, str) else tuple(urls), checksums)


def read(spec: dict, root: str | Path) -> dict[str, Arrays]:
    """Return {"train": (images, labels), "test": (images, labels)} from the raw files below `root`.

    Images are uint8 [N, C, H, W], labels int64 [N]; where a file has other types, they stay for `prepare` to refuse.
    The files must have been verified before, since CIFAR's batches are pickles. Raises ValueError if an archive or a
    folder is incomplete.
    """
    source, root = spec["source"], Path(root)
    if source == "MNIST":
        return {
            split: _read_mnist(root / "MNIST/raw", file)
            for split, file in (("train", "train"), ("test", "t10k"))
        }
    if source in TORCHVISION:
        return _read_cifar(root, pieces(spec)[0])
    if source == "TinyImageNet":
        return _read_tiny_imagenet(root)
    return make(source, spec["side"], spec["train"], spec["test"])


def _read_mnist(folder: Path, prefix: str) -> Arrays:
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte")
    labels = _read_idx(folder / f"{prefix}-labels-idx1-ubyte")
    return images[:, None], _int64(labels)


def _read_idx(path: Path) -> np.ndarray:
    packed = path.with_name(f"{path.name}.gz")
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    dimensions = content[3]
    shape = np.frombuffer(content, dtype=">i4", count=dimensions, offset=4)
    return np.frombuffer(content, dtype=IDX[content[2]], offset=4 + 4 * dimensions).reshape(shape)


def _read_cifar(root: Path, piece: Piece) -> dict[str, Arrays]:
    contents = _cifar_contents(root, piece)
    splits: dict[str, list] = {"train": [], "test": []}
    for member in piece.members:
        split = "test" if PurePosixPath(member).name.startswith("test") else "train"
        splits[split].append(pickle.loads(contents[member], encoding="latin1"))
    return {split: _join_batches(batches) for split, batches in splits.items()}


def _cifar_contents(root: Path, piece: Piece) -> dict[str, bytes]:
    if not (root / piece.archive).exists():
        return {member: (root / member).read_bytes() for member in piece.members}
    with tarfile.open(root / piece.archive) as archive:
        wanted = (entry for entry in archive if entry.name in piece.members)
        contents = {entry.name: archive.extractfile(entry).read() for entry in wanted}
    if missing := set(piece.members) - set(contents):
        raise ValueError(f"{root / piece.archive}: holds no {min(missing)}")
    return contents


def _join_batches(batches: list[dict]) -> Arrays:
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([batch.get("labels", batch.get("fine_labels")) for batch in batches])
    return images, _int64(labels)


def _int64(labels: np.ndarray) -> np.ndarray:
    return labels.astype(np.int64) if labels.dtype.kind in "iu" else labels


def _read_tiny_imagenet(root: Path) -> dict[str, Arrays]:
    """Classes are the sorted wnids; the labelled `val` folder is the test set."""
    with _tiny_files(root) as (names, content):
        try:
            wnids = sorted(content(f"{TINY}/wnids.txt").decode().split())
            annotations = content(f"{TINY}/val/val_annotations.txt").decode().splitlines()
            test = [(f"{TINY}/val/images/{file}", wnid) for file, wnid, *_ in map(str.split, annotations)]
            train = [(name, name.split("/")[2]) for name in names if _is_train_image(name)]
            classes = {wnid: label for label, wnid in enumerate(wnids)}
            return {"train": _decode(train, classes, content), "test": _decode(test, classes, content)}
        except (KeyError, FileNotFoundError) as error:
            raise ValueError(f"{root / TINY}: a file, or a class in wnids.txt, is missing: {error}") from None


@contextmanager
def _tiny_files(root: Path) -> Iterator[tuple[list[str], Content]]:
    archive = root / f"{TINY}.zip"
    if archive.exists():
        with zipfile.ZipFile(archive) as opened:
            yield sorted(opened.namelist()), opened.read
    else:
        names = [path.relative_to(root).as_posix() for path in (root / TINY).rglob("*")]
        yield sorted(names), lambda name: (root / name).read_bytes()


def _is_train_image(name: str) -> bool:
    return name.startswith(f"{TINY}/train/") and name.endswith(".JPEG")


def _decode(chosen: list[tuple[str, str]], classes: dict[str, int], content: Content) -> Arrays:
    """Return the images and labels of `chosen`, pairs of file name and wnid; grey ones become RGB."""
    from PIL import Image

    labels = np.array([classes[wnid] for _, wnid in chosen], dtype=np.int64)
    images = None
    for index, (name, _) in enumerate(chosen):
        with Image.open(io.BytesIO(content(name))) as opened:
            image = np.asarray(opened.convert("RGB")).transpose(2, 0, 1)
        if images is None:
            images = np.empty((len(chosen), *image.shape), dtype=np.uint8)
        if image.shape != images.shape[1:]:
            raise ValueError(f"{name}: {image.shape[1:]} pixels, but those before it have {images.shape[2:]}")
        images[index] = image
    return images, labels
