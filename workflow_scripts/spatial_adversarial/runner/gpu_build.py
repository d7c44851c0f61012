"""Whether the installed PyTorch can use the GPUs that nvidia-smi lists, before a job does without them."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

QUERY = ["nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader"]
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}  # by CUDA's major version, whose minor versions all run on it
ASK_TORCH = """
import json, torch
print(json.dumps({
    "version": torch.__version__,
    "cuda": torch.version.cuda,
    "architectures": torch.cuda.get_arch_list(),
    "available": torch.cuda.is_available(),
}))
"""


@dataclass(frozen=True)
class Gpu:
    """A GPU as nvidia-smi lists it: its name, the driver's version, and its compute capability ("9.0")."""

    name: str
    driver: str
    capability: str


def listed_gpus() -> list[Gpu]:
    """The GPUs that nvidia-smi lists; none where it is missing or fails, or CUDA_VISIBLE_DEVICES hides them all."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return []
    try:
        listing = subprocess.run(QUERY, capture_output=True, text=True, timeout=60)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    rows = [[part.strip() for part in line.split(",")] for line in listing.stdout.splitlines()]
    return [Gpu(*row) for row in rows if len(row) == 3 and re.fullmatch(r"\d+\.\d+", row[2])]


def torch_build() -> dict:
    """{version, cuda, architectures, available} of the PyTorch that jobs import; cuda is None in a build for CPUs.

    It is asked in a process of its own: its import takes seconds, and a process that has seen the GPUs keeps them.
    """
    asked = subprocess.run([sys.executable, "-c", ASK_TORCH], capture_output=True, text=True)
    if asked.returncode:
        raise RuntimeError(f"PyTorch cannot be imported: {asked.stderr.strip().splitlines()[-1]}")
    return json.loads(asked.stdout.splitlines()[-1])


def why_unusable(gpus: list[Gpu], build: dict) -> str | None:
    """One line on why PyTorch's build cannot use these GPUs; None where it can."""
    name, driver, capability = gpus[0].name, gpus[0].driver, gpus[0].capability
    torch = f"PyTorch {build['version']}"
    if not build["cuda"]:
        return f"nvidia-smi lists {name}, but {torch} is a build without CUDA: install a CUDA build, or set device: cpu"
    oldest = OLDEST_DRIVER.get(int(build["cuda"].split(".")[0]), 0)
    if int(driver.split(".")[0]) < oldest:
        return (
            f"{torch} is built for CUDA {build['cuda']}, which needs driver {oldest} or newer, but {driver} is "
            "installed: renew the driver, or install a build for an older CUDA"
        )
    if build["architectures"] and not runs_on(build["architectures"], capability):
        return (
            f"{torch} is built for {' '.join(build['architectures'])}, none of which runs on {name} "
            f"(sm_{capability.replace('.', '')}): install a build for another CUDA, or set device: cpu"
        )
    if not build["available"]:
        return (
            f"nvidia-smi lists {name} with driver {driver}, but {torch} (CUDA {build['cuda']}) finds no GPU"
        )
    return None


def runs_on(architectures: list[str], capability: str) -> bool:
    """Whether code for one of the architectures runs on a GPU: its own major version, not newer, or PTX not newer."""
    major, minor = map(int, capability.split("."))
    for kind, number in re.findall(r"(sm|compute)_(\d+)", " ".join(architectures)):
        theirs = int(number[:-1]), int(number[-1])
        if theirs <= (major, minor) and (kind == "compute" or theirs[0] == major):
            return True
    return False
