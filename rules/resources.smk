"""What jobs ask for, as functions for the rules' `resources`; docs/cluster.md says how a cluster's own wishes go in."""

import json
from functools import cache

import psutil

from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.resources import Requests, gpu_request
from spatial_adversarial.runner.gpu_leases import machine_has_gpu

MEMORY = psutil.virtual_memory().total // 1_000_000  # MB


@cache
def requests():
    """The requests of this configuration's jobs, at the rates that `calibrate` has measured; a cluster has GPUs."""
    counted, measured = map(json_of, (paths.networks, paths.calibration))
    gpu = machine_has_gpu() if workflow.local_exec else True
    return Requests(catalog, counted or {}, find_rates(config, measured, gpu=gpu))


def json_of(path):
    """What a JSON file holds, or None where there is none yet."""
    return json.loads(Path(path).read_text(encoding="utf-8")) if Path(path).exists() else None


def resources_of(request):
    """A rule's resources: runtime in minutes and mem_mb by `request`, a function of wildcards and attempt, and a GPU."""
    return gpu_request(config) | {
        "runtime": lambda wildcards, attempt: request(wildcards, attempt).minutes,
        "mem_mb": lambda wildcards, attempt: within_memory(request(wildcards, attempt).megabytes),
    }


def within_memory(megabytes):
    """A job's memory; on this machine at most what it has, so that the largest job runs alone."""
    return min(megabytes, MEMORY) if workflow.local_exec else megabytes


def share_memory(scheduler):
    """On this machine, start no job before its memory is free; `--resources mem_mb=` is the user's own limit."""
    if "mem_mb" not in scheduler.global_resources:
        scheduler.global_resources["mem_mb"] = scheduler.resources["mem_mb"] = MEMORY


def training_request(wildcards, attempt):
    return requests().training(wildcards.run, attempt)


def evaluation_request(files):
    """The same of an evaluation on some profiles, whose files may name a wildcard."""
    return lambda wildcards, attempt: requests().evaluation(
        wildcards.run, tuple(file.format(**wildcards) for file in files), attempt
    )


def robust_images_request(wildcards, attempt):
    return requests().robust_images(wildcards.run, wildcards.images, attempt)


def slices_request(wildcards, attempt):
    return requests().slices(wildcards.run, attempt)
