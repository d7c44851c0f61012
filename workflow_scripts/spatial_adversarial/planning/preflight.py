"""What would stop a run later is found before its first job: GPU and PyTorch, disk, mirrors, folders; a line each."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from spatial_adversarial.planning.plan import Job
from spatial_adversarial.runner.gpu_build import listed_gpus, torch_build, why_unusable

RESUME = 3  # weights that the checkpoint of a run in training takes
# Folders whose archives are named otherwise; torchvision knows them, but takes a second to import.
FOLDERS = {"cifar-10-python.tar.gz": "cifar-10-batches-py", "cifar-100-python.tar.gz": "cifar-100-python"}


@dataclass(frozen=True)
class Findings:
    """Lines on what makes the run impossible (`faults`), and on what may (`warnings`)."""

    faults: list[str]
    warnings: list[str]


def preflight(config: dict, registry: dict, jobs: list[Job], data: Iterable[str], *, here: bool) -> Findings:
    """Look at what the `jobs` need; `data` are the data sets that are to be downloaded, `here` whether jobs run here.

    On a cluster the GPUs are the nodes' and are not looked at: the jobs there refuse what is refused here.
    """
    networks = any(job.hours for job in jobs)
    faults = [gpu_fault(config["device"])] if here and networks and config["device"] != "cpu" else []
    faults += [unwritable(config[key]) for key in ("results", "data")] + [mirror_fault(config["data_mirror"])]
    warnings = [
        *missing_archives(config["data_mirror"], registry, data),
        disk_warning(config["results"], jobs),
    ]
    return Findings([line for line in faults if line], [line for line in warnings if line])


def gpu_fault(device: str) -> str | None:
    """Why `device: auto` or `cuda` would do without a GPU that is there, or have none."""
    gpus = listed_gpus()
    if gpus:
        why = why_unusable(gpus, torch_build())
        return f"config: device: {device}: {why}" if why else None
    return f"config: device: {device}: nvidia-smi lists no GPU here" if device == "cuda" else None


def unwritable(folder: str) -> str | None:
    """Why nothing can be written to a folder, or to the nearest one above it that exists."""
    place = _existing(folder)
    if not place.is_dir():
        return f"{place} is not a folder, so nothing can be written to {folder}"
    return (
        None
        if os.access(place, os.W_OK | os.X_OK)
        else f"cannot write to {folder}: {place} is read-only, or its permissions forbid it"
    )


def mirror_fault(mirror: str | None) -> str | None:
    if mirror is None or Path(mirror).expanduser().is_dir():
        return None
    return f"config: data_mirror: {mirror} is not a folder"


def missing_archives(mirror: str | None, registry: dict, data: Iterable[str]) -> list[str]:
    """A line for each data set of which the mirror has no file: it will be downloaded."""
    if mirror is None or not Path(mirror).expanduser().is_dir():
        return []
    there = {file.name for file in Path(mirror).expanduser().rglob("*")}
    files = {name: list(registry[name].get("checksums") or ()) for name in data}
    return [
        f"data_mirror: {mirror} has no file of {name} ({archives[0]} ...): it will be downloaded"
        for name, archives in files.items()
        if archives and not there & {*archives, *(FOLDERS.get(name, Path(name).stem) for name in archives)}
    ]


def disk_warning(results: str, jobs: list[Job]) -> str | None:
    """That the disk has less space than the plan says the jobs take, with the checkpoints of two runs in training."""
    sizes = [job.bytes for job in jobs if not isnan(job.bytes)]
    training = max((job.bytes for job in jobs if job.kind == "train"), default=0)
    needed, free = sum(sizes) + 2 * RESUME * training, shutil.disk_usage(_existing(results)).free
    if needed <= free:
        return None
    return f"disk: the jobs will write some {needed / 1e9:.1f} GB below {results}, where {free / 1e9:.1f} GB are free"


def _existing(folder: str) -> Path:
    """A folder, or the nearest above it, that exists."""
    place = Path(folder).absolute()
    return next(one for one in (place, *place.parents) if one.exists())
