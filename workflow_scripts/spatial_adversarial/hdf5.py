"""HDF5 files, opened so that what is wrong with one is a single line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py


@contextmanager
def opened(
    path: str | Path, *, missing: str = "no such file", damaged: str = "damaged"
) -> Iterator[h5py.File]:
    """The file, open to read; ValueError, in these words, where it is missing, damaged or lacks what is read of it."""
    try:
        with h5py.File(path) as file:
            yield file
    except FileNotFoundError:
        raise ValueError(f"{path}: {missing}") from None
    except (OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{path}: {damaged} ({reason}): delete it and run again") from None
