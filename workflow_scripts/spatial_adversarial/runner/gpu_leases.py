"""One GPU for each job of a machine: Snakemake counts `gpu` but tells no job which one is its own.

A lease is a locked file, held open until the process ends, so that the kernel frees it even after SIGKILL.
Only processes of the same user with the same temporary folder see each other's leases.
"""

import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from spatial_adversarial.runner.files import lock, try_lock

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
POLL_SECONDS = 0.5

_held: list[TextIO] = []  # never closed: the lease lasts as long as the process


def lease(
    *, per_device: int = 1, folder: str | Path | None = None, devices: list[str] | None = None
) -> str | None:
    """Reserve one visible GPU for this process, and make it the only visible one.

    Returns the device as it now stands in CUDA_VISIBLE_DEVICES, or None where there is no GPU. The device
    with the fewest holders is taken; at most `per_device` processes share one, and while all are full the
    call waits. A second call in the same process returns the first one's device. Under SLURM, which hands out
    devices itself, nothing is changed and what is visible is returned.

    `devices` (else the environment's LEASE_DEVICES, comma-separated) stands in for the machine's own list;
    `folder` holds the lock files (default: gpu-leases-<user id> in the temporary folder).

    Raises ValueError if `per_device` is below 1 or the folder is another user's, and RuntimeError if torch
    was imported before: it may have looked at the devices already, and would then ignore the lease.
    """
    if per_device < 1:
        raise ValueError(f"jobs per GPU must be at least 1, not {per_device}")
    if "SLURM_JOB_ID" in os.environ:
        log.info("SLURM gave GPU %s", os.environ.get(VISIBLE))
        return os.environ.get(VISIBLE)
    if _held:
        return os.environ[VISIBLE]
    names = {device: device for device in devices} if devices is not None else _visible()
    if not names:
        log.info("no GPU is visible: running on the CPU")
        return None
    if "torch" in sys.modules:
        raise RuntimeError("a GPU must be leased before torch is imported")
    device, file = _wait_for_one(names, _lease_folder(folder), per_device)
    _held.append(file)
    os.environ[VISIBLE] = device
    log.info("leased GPU %s", device)
    return device


def machine_has_gpu() -> bool:
    """Whether this process sees a GPU, without importing torch."""
    return bool(_visible())


def _visible() -> dict[str, str]:
    """Each device that this process may use: its entry in CUDA_VISIBLE_DEVICES -> the name of its lease.

    The name is the UUID where it is known, so that processes that number the devices differently agree on it.
    """
    pretended = os.environ.get("LEASE_DEVICES")
    if pretended is not None:
        return {entry: entry for entry in _entries(pretended)}
    uuids = _uuids()
    if VISIBLE not in os.environ:
        return {uuid: uuid for uuid in uuids}
    by_index = {str(index): uuid for index, uuid in enumerate(uuids)}
    return {entry: by_index.get(entry, entry) for entry in _entries(os.environ[VISIBLE])}


def _entries(text: str) -> list[str]:
    """Entries of a CUDA_VISIBLE_DEVICES value; like CUDA, ignores what follows the first -1."""
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return entries[: entries.index("-1")] if "-1" in entries else entries


def _uuids() -> list[str]:
    """UUIDs of the machine's GPUs by index; none where the driver's tool is missing or finds no GPU."""
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return []
    if listing.returncode != 0:
        log.warning("nvidia-smi finds no GPU: %s", (listing.stderr or listing.stdout).strip())
    return re.findall(r"^GPU-\S+", listing.stdout, re.MULTILINE)


def _lease_folder(folder: str | Path | None) -> Path:
    if folder is None:
        folder = Path(tempfile.gettempdir()) / f"gpu-leases-{os.getuid()}"
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ValueError(f"the folder of GPU leases belongs to another user: {folder}")
    return folder


def _wait_for_one(names: dict[str, str], folder: Path, per_device: int) -> tuple[str, TextIO]:
    reported = False
    while True:
        # One looks at a time: a look takes free locks for a moment, which another would count as holders.
        with lock(folder / "looking"):
            taken = _take_emptiest(names, folder, per_device)
        if taken is not None:
            return taken
        if not reported:
            log.info("all %d visible GPUs are leased: waiting for one", len(names))
            reported = True
        time.sleep(POLL_SECONDS)


def _take_emptiest(names: dict[str, str], folder: Path, per_device: int) -> tuple[str, TextIO] | None:
    slots = {device: _slots(folder, name, per_device) for device, name in names.items()}
    holders = {device: sum(map(_is_held, paths)) for device, paths in slots.items()}
    device = min(names, key=holders.__getitem__)
    if holders[device] >= per_device:
        return None
    return device, next(filter(None, map(try_lock, slots[device])))


def _slots(folder: Path, name: str, per_device: int) -> list[Path]:
    """Lock files of a device, also those above `per_device`: a process with a larger limit may hold one."""
    stem = re.sub(r"[^\w-]", "_", name)
    return sorted({folder / f"{stem}.{slot}" for slot in range(per_device)} | set(folder.glob(f"{stem}.*")))


def _is_held(path: Path) -> bool:
    file = try_lock(path)
    if file is not None:
        file.close()
    return file is None
