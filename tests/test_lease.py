"""GPU leases, with pretend devices and real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import spatial_adversarial

OUTSIDE = {
    key: value for key, value in os.environ.items() if key not in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID")
}
ENVIRONMENT = OUTSIDE | {"PYTHONPATH": str(Path(spatial_adversarial.__file__).parents[1])}
JOB = """
import os, sys, time
from spatial_adversarial.runner.gpu_leases import lease
device = lease(per_device=int(sys.argv[2]), folder=sys.argv[1])
started = time.monotonic()
assert device == lease(folder=sys.argv[1]) == os.environ.get("CUDA_VISIBLE_DEVICES")
print(device, started, flush=True)
time.sleep(float(sys.argv[3]))
print(time.monotonic(), flush=True)
"""
FOREVER = 60.0
Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that leases a device and holds it for some seconds."""
    started = []

    def start_one(seconds: float, *, per_device: int = 1, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-c", JOB, str(tmp_path / "leases"), str(per_device), str(seconds)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT | environment)
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def leased(process: subprocess.Popen) -> tuple[str, float]:
    """Wait for a job's lease: device, and the machine's clock then."""
    device, moment = process.stdout.readline().split()
    return device, float(moment)


def ended(process: subprocess.Popen) -> float:
    """Wait for a job's end: the machine's clock just before it."""
    moment = float(process.stdout.readline())
    assert process.wait() == 0
    return moment


def most_at_once(intervals: list[tuple[float, float]]) -> int:
    """Largest number of intervals that share a moment, by brute force over their starts."""
    return max(sum(start <= moment < end for start, end in intervals) for moment, _ in intervals)


def nvidia_smi(folder: Path, output: str, status: int = 0) -> str:
    """A PATH on which nvidia-smi answers as told."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{output}'\nexit {status}\n")
    tool.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_twelve_jobs_on_four_devices_with_one_killed(start: Start) -> None:
    victim = start(FOREVER, LEASE_DEVICES="0,1,2,3")
    lost, _ = leased(victim)
    jobs = [start(1, LEASE_DEVICES="0,1,2,3") for _ in range(11)]
    early = [leased(job) for job in jobs[:1]]
    victim.send_signal(signal.SIGKILL)
    victim.wait()

    begun = early + [leased(job) for job in jobs[1:]]
    intervals: dict[str, list[tuple[float, float]]] = {}
    for job, (device, moment) in zip(jobs, begun, strict=True):
        intervals.setdefault(device, []).append((moment, ended(job)))

    assert set(intervals) == {"0", "1", "2", "3"}
    assert lost in intervals
    assert {device: most_at_once(held) for device, held in intervals.items()} == dict.fromkeys("0123", 1)


def test_a_full_device_is_free_again_after_its_holder_is_killed(start: Start) -> None:
    victim = start(FOREVER, LEASE_DEVICES="7")
    assert leased(victim)[0] == "7"
    waiting = start(0, LEASE_DEVICES="7")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(1)
    victim.kill()
    assert leased(waiting)[0] == "7"


def test_jobs_that_share_devices_spread_before_they_double(start: Start) -> None:
    holders = [start(FOREVER, per_device=2, LEASE_DEVICES="0,1") for _ in range(2)]
    assert {leased(job)[0] for job in holders} == {"0", "1"}
    holders += [start(FOREVER, per_device=2, LEASE_DEVICES="0,1") for _ in range(2)]
    assert {leased(job)[0] for job in holders[2:]} == {"0", "1"}
    fifth = start(0, per_device=2, LEASE_DEVICES="0,1")
    with pytest.raises(subprocess.TimeoutExpired):
        fifth.wait(1)


def test_a_lower_limit_counts_the_holders_of_a_higher_one(start: Start) -> None:
    holders = []
    for _ in range(2):  # one after the other: the first has the only slot of the lower limit
        holders.append(start(FOREVER, per_device=2, LEASE_DEVICES="0"))
        assert leased(holders[-1])[0] == "0"
    alone = start(0, LEASE_DEVICES="0")
    holders[0].kill()
    with pytest.raises(subprocess.TimeoutExpired):
        alone.wait(1)
    holders[1].kill()
    assert leased(alone)[0] == "0"


def test_slurm_hands_out_the_devices(start: Start) -> None:
    environment = {"SLURM_JOB_ID": "12", "CUDA_VISIBLE_DEVICES": "2", "LEASE_DEVICES": "0"}
    assert [leased(start(FOREVER, **environment))[0] for _ in range(2)] == ["2", "2"]


def test_only_visible_devices_and_one_name_for_index_and_uuid(start: Start, tmp_path: Path) -> None:
    path = nvidia_smi(tmp_path, r"GPU-aa\nGPU-bb\nGPU-cc\n")
    assert leased(start(FOREVER, PATH=path))[0] == "GPU-aa"
    assert leased(start(FOREVER, PATH=path, CUDA_VISIBLE_DEVICES="0,2"))[0] == "2"
    assert leased(start(FOREVER, PATH=path))[0] == "GPU-bb"


@pytest.mark.parametrize(("output", "status"), [(r"No devices were found\n", 0), ("driver not loaded", 9)])
def test_without_a_gpu_there_is_no_lease(start: Start, tmp_path: Path, output: str, status: int) -> None:
    assert leased(start(0, PATH=nvidia_smi(tmp_path, output, status)))[0] == "None"


def test_without_the_tool_there_is_no_lease(start: Start, tmp_path: Path) -> None:
    assert leased(start(0, PATH=str(tmp_path)))[0] == "None"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("sys.modules['torch'] = sys; lease(devices=['0'])", "a GPU must be leased before torch is imported"),
        ("lease(per_device=0)", "jobs per GPU must be at least 1, not 0"),
    ],
)
def test_wrong_use_is_one_line(call: str, message: str) -> None:
    command = [
        sys.executable,
        "-c",
        f"import sys; from spatial_adversarial.runner.gpu_leases import lease; {call}",
    ]
    result = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert result.stderr.splitlines()[-1].endswith(f"Error: {message}")
