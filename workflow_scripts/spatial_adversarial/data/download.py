"""Bring a data set's raw files to one folder: from a mirror folder or over the network."""

import hashlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from spatial_adversarial.data.sources import Piece, pieces
from spatial_adversarial.runner.files import digest, one_line_if_unwritable, unwritable

logger = logging.getLogger(__name__)
STALLED = 60  # seconds without a byte


def fetch(
    name: str,
    spec: dict,
    root: str | Path,
    *,
    mirror: str | Path | None = None,
    retries: int = 3,
    wait: float = 2,
) -> dict[str, str]:
    """Put the raw files of data set `name` below `root`, in torchvision's layout; return {file: checksum}.

    What is there already and intact stays. Otherwise `mirror`, a folder of the same layout with archives
    or their extracted files, is linked to; what it lacks is downloaded in at most `retries` rounds, the
    first pause being `wait` seconds. Nothing takes its final name before its checksum is verified.
    Raises ValueError for a damaged or missing file, naming it with the expected and the found checksum.
    """
    root = Path(root)
    if mirror is not None and not Path(mirror).expanduser().is_dir():
        raise ValueError(f"{name}: the data mirror {mirror} is not a folder")
    files = {}
    with one_line_if_unwritable(root):
        for piece in pieces(spec):
            found = verified(piece, root)
            if found is None and mirror is not None:
                found = _from_mirror(piece, Path(mirror).expanduser(), root)
            if found is None:
                try:
                    found = _from_network(piece, root, retries, wait)
                except ValueError as error:
                    if mirror is None:
                        raise
                    lacks = _first_missing(piece, Path(mirror).expanduser())
                    raise ValueError(
                        f"{name}: the data mirror {mirror} has no {lacks}, and {error}"
                    ) from None
            files |= found
    return files


def verified(piece: Piece, folder: Path) -> dict[str, str] | None:
    """Return {file: checksum} of `piece` in `folder`, its archive before its members; None if it has neither.

    Raises ValueError if a file is not what its checksum says.
    """
    for files in ((piece.archive,), piece.members):
        if all((folder / file).exists() for file in files):
            return {file: _check(folder / file, piece.checksums.get(Path(file).name)) for file in files}
    return None


def _check(path: Path, expected: str | None, said: str | None = None) -> str:
    if expected is None and not path.is_dir():
        raise ValueError(f"{path}: the registry gives no checksum for {path.name}")
    found = _digest(path, "sha256" if expected is None else expected.partition(":")[0])
    if expected is None:
        logger.warning("%s: no checksum is known for this extracted folder; it has %s", path, found)
    elif found != expected:
        raise ValueError(f"{said or path}: damaged, or another file: checksum {found}, expected {expected}")
    return found


def _digest(path: Path, algorithm: str) -> str:
    """Return "<algorithm>:<hex>" of a file, or of a folder's sorted relative names and their checksums."""
    if algorithm not in ("md5", "sha256"):
        raise ValueError(
            f"{path.name}: checksum of unknown kind {algorithm!r}, expected md5:... or sha256:..."
        )
    if not path.is_dir():
        return f"{algorithm}:{digest(path, algorithm)}"
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listing = "".join(f"{file.relative_to(path).as_posix()} {digest(file, algorithm)}\n" for file in files)
    return f"{algorithm}:{hashlib.new(algorithm, listing.encode()).hexdigest()}"


def _from_mirror(piece: Piece, mirror: Path, root: Path) -> dict[str, str] | None:
    found = verified(piece, mirror)
    if found is None:
        logger.warning("%s holds neither %s nor its extracted files", mirror, piece.archive)
        return None
    for file in found:
        _link(mirror / file, root / file)
    return found


def _first_missing(piece: Piece, mirror: Path) -> str:
    """The file that a mirror lacks: the first of the extracted ones where it has others of them, else the archive."""
    missing = [file for file in piece.members if not (mirror / file).exists()]
    return missing[0] if 0 < len(missing) < len(piece.members) else piece.archive


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".link-") as folder:
        os.symlink(source.resolve(), Path(folder) / target.name)
        os.replace(Path(folder) / target.name, target)


def _from_network(piece: Piece, root: Path, retries: int, wait: float) -> dict[str, str]:
    target = root / piece.archive
    target.parent.mkdir(parents=True, exist_ok=True)
    failure = "no URL is given"
    for attempt in range(retries):
        for url in piece.urls:
            try:
                return {piece.archive: _download(url, target, piece.checksums[target.name])}
            except (OSError, RuntimeError, ValueError, HTTPException) as error:
                if unwritable(error, target):
                    raise
                failure = " ".join(str(error).split())
                logger.warning(
                    "download %d of %d of %s from %s: %s", attempt + 1, retries, target.name, url, failure
                )
        if attempt + 1 < retries:
            time.sleep(wait * 2**attempt)
    raise ValueError(f"{target.name} could not be downloaded from {' or '.join(piece.urls)}: {failure}")


def _download(url: str, target: Path, expected: str) -> str:
    from torchvision.datasets.utils import download_url

    with TemporaryDirectory(dir=target.parent, prefix=".download-") as folder, _time_limit():
        download_url(url, folder, target.name)
        found = _check(Path(folder) / target.name, expected, said=url)
        os.replace(Path(folder) / target.name, target)
    return found


@contextmanager
def _time_limit() -> Iterator[None]:
    """Let stalled connections fail: torchvision opens its URLs without a time limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
