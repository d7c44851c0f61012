"""HDF5 files with a checksum, opened so that what is wrong with one is a single line."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from spatial_adversarial.runner.files import verify, write_checked


@contextmanager
def written(path: str | Path) -> Iterator[h5py.File]:
    """A new file, in memory while the block fills it, then at `path`, whole and with its checksum.

    HDF5 does not survive a disk that is full.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        yield file
    write_checked(path, buffer.getbuffer())


@contextmanager
def opened(path: str | Path, *, missing: str = "no such file") -> Iterator[h5py.File]:
    """The file, open to read; ValueError, one line, where it is missing, damaged or lacks what is read of it."""
    try:
        verify(path)
        with h5py.File(path) as file:
            yield file
    except FileNotFoundError:
        raise ValueError(f"{path}: {missing}") from None
    except (OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(
            f"{path}: damaged, or no such kind of file ({reason}): delete it and run again"
        ) from None
