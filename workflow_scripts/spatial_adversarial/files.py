"""Files that are whole or absent, locks that end with their holder, and checksums."""

import fcntl
import hashlib
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an exception.

    The temporary file lies in the same folder (made if missing) and keeps the suffix of `path`, because some
    writers choose their format by it. It is on the disk before the rename, so a reader finds the old file or
    the new one, whole. After an exception it is removed and `path` is as it was; only a SIGKILL leaves it
    behind, as `.tmp-<random>-<name>`, which nothing reads.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def lock(path: str | Path, *, wait: bool = True, doing: str = "using this") -> Iterator[None]:
    """Hold the exclusive lock on `path` during the block; the file is made if missing and never deleted.

    While another process holds it, wait, or with `wait=False` raise RuntimeError with the line "another
    process is <doing>: process <id> on <host> holds <path>". The kernel frees it when the holder, and what
    was forked from it, ends in any way.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RuntimeError(f"another process is {doing}: {file.read()} holds {path}") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        yield


def try_lock(path: str | Path) -> TextIO | None:
    """Take the lock that `lock` takes until the returned file is closed; None if another process has it."""
    file = open(path, "a", encoding="utf-8")  # noqa: SIM115  (open as long as the lock is held)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def digest(path: str | Path, algorithm: str = "sha256") -> str:
    """Checksum of a file's bytes in lower-case hexadecimal; `algorithm` is a name that hashlib knows."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
