"""Files that are whole or absent, that tell when a byte of them has changed, and locks that end with their holder."""

import errno
import fcntl
import hashlib
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TextIO

CHECKSUM = (
    b"# sha256 %s\n"  # the last line of a kept file: HDF5, YAML, NumPy and torch's readers all pass over it
)
LENGTH = len(CHECKSUM % bytes(64))
FULL = {errno.ENOSPC: "no space left", errno.EDQUOT: "no space left (quota)"}


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an exception.

    The temporary file lies in the same folder (made if missing) and keeps the suffix of `path`, because some
    writers choose their format by it. It is on the disk before the rename, so a reader finds the old file or
    the new one, whole. After an exception it is removed and `path` is as it was; only a SIGKILL leaves it
    behind, as `.tmp-<random>-<name>`, which nothing reads. RuntimeError, one line, for a full disk or a folder
    that cannot be written to.
    """
    path = Path(path)
    temporary = path.with_name(f".tmp-{secrets.token_hex(4)}-{path.name}")
    with one_line_if_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def one_line_if_unwritable(path: str | Path) -> Iterator[None]:
    """Make RuntimeError, one line, of an exception that a full disk or a folder without leave to write has caused.

    Libraries raise much else while they handle such an error: what came first counts.
    """
    try:
        yield
    except Exception as error:
        if line := unwritable(error, path):
            raise RuntimeError(line) from error
        raise


def unwritable(error: BaseException | None, path: str | Path) -> str | None:
    """The one line on why `path` cannot be written, where an error, or one before it, says so."""
    found = None
    while error:
        if isinstance(error, OSError) and error.errno in FULL:
            found = f"{FULL[error.errno]} to write {path}"
        elif isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            found = f"cannot write {path}: {os.strerror(error.errno)}"
        error = error.__cause__ or error.__context__
    return found


@contextmanager
def lock(path: str | Path, *, wait: bool = True, doing: str = "using this") -> Iterator[None]:
    """Hold the exclusive lock on `path` during the block; the file is made if missing and never deleted.

    While another process holds it, wait, or with `wait=False` raise RuntimeError with the line "another
    process is <doing>: process <id> on <host> holds <path>". The kernel frees it when the holder, and what
    was forked from it, ends in any way.
    """
    path = Path(path)
    with one_line_if_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = open(path, "a+", encoding="utf-8")  # noqa: SIM115  (closed below)
    with opened as file:
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


def write_checked(path: str | Path, content: bytes | memoryview) -> None:
    """Write `content` and, as the last line, its checksum, which `verify` asks."""
    with write_atomic(path) as temporary, open(temporary, "wb") as file:
        file.write(content)
        file.write(CHECKSUM % hashlib.sha256(content).hexdigest().encode())


def verify(path: str | Path) -> None:
    """Raise ValueError, one line, unless a file is byte by byte what `write_checked` wrote.

    A file is hashed once in a process (200 MB take 0.1 s), and again when it has changed; OSError if it is missing.
    """
    state = os.stat(path)
    _verify(str(path), state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=1024)
def _verify(path: str, size: int, *state: int) -> None:
    hashed = hashlib.sha256()
    with open(path, "rb") as file:
        left = size - LENGTH
        while left > 0 and (part := file.read(min(left, 1 << 20))):
            hashed.update(part)
            left -= len(part)
        last = file.read()
    if last != CHECKSUM % hashed.hexdigest().encode():
        known = last.startswith(CHECKSUM[:9])
        reason = "its bytes are not those of its checksum" if known else "it does not end with its checksum"
        raise ValueError(
            f"{path}: damaged, or of an older version of this workflow ({reason}): delete it and run again"
        )
