"""A folder of finished runs that others may take: index.json, and below runs/ what each run wrote.

index.json: {"format": 1, "runs": {"<data>/<model>/<words>-<hash>/seed<k>": {
    "recipe": SHA-256 of the recipe's identity, "data": the data set's identity, "images": the digest of its images,
    "seconds": training took, "files": {name: {"sha256": ..., "bytes": ...}}}}}
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

from spatial_adversarial.runner.files import write_atomic

NAME, FORMAT = "index.json", 1
SCHEMES = ("file", "http", "https")
STALLED = 60  # seconds without a byte
LARGEST_INDEX = 1 << 28  # bytes
PART = 1 << 20


@dataclass(frozen=True)
class SharedRun:
    """A run of an index; `files` is {name: {"sha256", "bytes"}}."""

    recipe: str
    data: dict
    images: str
    seconds: float
    files: dict[str, dict]


def write_index(folder: Path, runs: dict[str, SharedRun]) -> None:
    """Write a folder's index, whole or not at all."""
    content = {"format": FORMAT, "runs": {name: asdict(run) for name, run in sorted(runs.items())}}
    with write_atomic(folder / NAME) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_index(source: str) -> dict[str, SharedRun]:
    """{run: what the index of a folder or URL has of it}; ValueError, one line, for no index or another format."""
    place = f"{source}: {NAME}"
    try:
        with opened(source, NAME) as file:
            content = json.loads(file.read(LARGEST_INDEX))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, expected {FORMAT}")
        runs = {name: SharedRun(**run) for name, run in content["runs"].items()}
        for entry in (entry for run in runs.values() for entry in run.files.values()):
            str(entry["sha256"]), int(entry["bytes"])
        return runs
    except (OSError, HTTPException) as error:
        raise ValueError(f"{place} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{place} is no index of exported runs: {error}") from None


def copy(source: str, name: str, target: Path, expected: dict) -> None:
    """Write the file `name` of a folder or URL to `target`, once its size and SHA-256 are those `expected`.

    ValueError, one line, where they are not, or it cannot be read.
    """
    hashed, size = hashlib.sha256(), 0
    try:
        with (
            write_atomic(target) as temporary,
            open(temporary, "wb") as written,
            opened(source, name) as file,
        ):
            while part := file.read(PART):
                size += len(part)
                if size > expected["bytes"]:
                    raise Damaged(f"{source}: {name} has more bytes than its index says, {expected['bytes']}")
                hashed.update(part)
                written.write(part)
            if hashed.hexdigest() != expected["sha256"]:
                raise Damaged(
                    f"{source}: {name} has SHA-256 {hashed.hexdigest()}, its index says {expected['sha256']}"
                )
    except (OSError, HTTPException) as error:
        raise ValueError(f"{source}: {name} cannot be read: {error}") from None


class Damaged(ValueError):
    """A shared file is not what its index says."""


@contextmanager
def opened(source: str, name: str) -> Iterator[BinaryIO]:
    """The file `name` of a folder or URL, open to read; ValueError for a URL of another scheme than SCHEMES."""
    scheme = urlsplit(source).scheme if "://" in source else ""
    if not scheme:
        with open(Path(source).expanduser() / name, "rb") as file:
            yield file
        return
    if scheme not in SCHEMES:
        raise ValueError(f"{source}: a folder, or a URL of {', '.join(SCHEMES)}")
    with urlopen(f"{source.rstrip('/')}/{quote(name)}", timeout=STALLED) as file:
        yield file
