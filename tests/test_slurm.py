"""The workflow on a real SLURM: GPUs of its own for each job, and a job cancelled, one preempted, a new controller."""

import re
from pathlib import Path

import pytest
import small
from slurm_cluster import GPUS, Cluster, wait_for, why_not

pytestmark = [pytest.mark.slurm, pytest.mark.skipif(bool(why_not()), reason=why_not())]

FIG1 = ("--", "results/figures/invariance/fig1.csv")
MEMBERS = {"rotate": [0, 30, 60, 90, 120, 180], "pgd": [0]}  # six runs, equally long, for four GPUs
SLURM = small.ROOT / "profiles/slurm"
PROFILE = ("--profile", str(SLURM), "--configfile", str(SLURM / "slurm.yaml"), "config.yaml")
QUICK = ("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10")
QUICK += ("--slurm-status-command", "squeue")  # the plugin's choice, sacct, needs accounting


@pytest.fixture
def cluster():
    with Cluster() as started:
        yield started


def run_of(job: dict) -> str:
    """The run that a job trains, as the plugin writes it into the job's comment."""
    return job["Comment"]


def training(cluster: Cluster, state: str = "RUNNING") -> list[dict]:
    return [job for job in cluster.jobs(state) if job.get("Comment", "").startswith("rule_train")]


def asked(job: dict) -> tuple[int, int]:
    """(minutes, MB) that a job asked for: "00:16:00", "4166M"."""
    hours, minutes, _ = map(int, job["TimeLimit"].split(":"))
    memory = job["MinMemoryNode"]
    megabytes = float(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]]
    return 60 * hours + minutes, round(megabytes)


def gpus(jobs: list[dict]) -> list[str]:
    """The GPU of each running job: "gpu:1(IDX:2)"."""
    return sorted(job["GRES"] for job in jobs)


def test_jobs_that_are_cancelled_preempted_or_without_controller_end_as_on_one_machine(tmp_path, cluster):
    folder = small.prepare(tmp_path / "slurm", members=MEMBERS)
    said = tmp_path / "snakemake.log"
    workflow = small.start(folder, *PROFILE, *QUICK, *FIG1, out=said)
    try:
        cancelled, preempted = disturb(cluster, folder)
        assert workflow.wait(900) == 0, said.read_text()
    finally:
        workflow.kill()
        workflow.wait()

    ended = training(cluster, "all")
    tries = [job for job in ended if run_of(job) == run_of(cancelled)]
    assert [job["JobState"] for job in tries] == ["CANCELLED", "COMPLETED"]
    first, second = (asked(job) for job in tries)
    assert first[0] < second[0] <= 40 and first[1] < second[1], "a small job asks for little, then for more"
    (again,) = [job for job in ended if run_of(job) == run_of(preempted)]
    assert (again["JobId"], again["JobState"], again["Restarts"]) == (preempted["JobId"], "COMPLETED", "1")
    resumed = resumptions(folder)
    assert len(resumed) >= 2
    assert any(step * epochs != epoch * steps for epoch, epochs, step, steps in resumed), "within an epoch"
    assert all(
        "SLURM gave GPU" in path.read_text() for path in [*logs(folder, "train"), *logs(folder, "evaluate")]
    )

    alone = small.prepare(tmp_path / "alone", members=MEMBERS)
    assert small.run(alone, *FIG1)[0] == 0
    assert len(logs(alone, "train")) == len(MEMBERS["rotate"])
    assert small.products(folder) == small.products(alone)


def disturb(cluster: Cluster, folder: Path) -> tuple[dict, dict]:
    """Preempt one training job, cancel another, restart the controller; returns (cancelled, preempted)."""
    wait_for(
        lambda: len(list(folder.glob("results/runs/**/resume.pt"))) >= GPUS, 300, "four runs to have an epoch"
    )
    running = training(cluster)
    assert gpus(running) == [f"gpu:1(IDX:{k})" for k in range(GPUS)], "each job has a GPU of its own"
    cluster.ask(
        "sbatch", "--partition=urgent", "--gpus=1", "--mem=100", "--output=/dev/null", "--wrap=sleep 5"
    )
    numbers = {job["JobId"] for job in running}
    wait_for(lambda: numbers - {job["JobId"] for job in training(cluster)}, 120, "a preemption")
    left = {job["JobId"]: job for job in training(cluster)}
    preempted = next(job for job in running if job["JobId"] not in left)
    cancelled = next(job for number, job in left.items() if number in numbers)
    cluster.ask("scancel", cancelled["JobId"])
    cluster.stop("slurmctld")
    cluster.start_controller()
    return cancelled, preempted


def logs(folder: Path, kind: str) -> list[Path]:
    return list((folder / "results/logs" / kind).rglob("*.log"))


def resumptions(folder: Path) -> list[tuple[int, ...]]:
    """(epoch, epochs, step, steps) of each training job that went on with another's work."""
    found = [
        re.search(r"resumed after epoch (\d+) of (\d+), step (\d+) of (\d+)", path.read_text())
        for path in logs(folder, "train")
    ]
    return [tuple(map(int, match.groups())) for match in found if match]
