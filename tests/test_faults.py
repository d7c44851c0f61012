"""Accidents of every day: each ends with one clear line, or recovers, and the next call completes the work."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import small
from slurm_cluster import wait_for

pytestmark = pytest.mark.slow

FIG1 = "results/figures/invariance/fig1.csv"
ONE_RUN = {"members": {"rotate": [0], "pgd": [0]}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A working folder where fig1 with its one run was made without an accident."""
    folder = small.prepare(tmp_path_factory.mktemp("faults") / "finished", **ONE_RUN)
    status, said = small.run(folder, FIG1)
    assert status == 0, said
    return folder


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def untrained(folder: Path) -> Path:
    """The folder with its data only; returns where the run will be."""
    (run,) = folder.glob("results/runs/*/*/*/seed0")
    shutil.rmtree(folder / "results")
    return run


def completes(folder: Path, finished: Path, **environment: str) -> None:
    """The next call ends well, with the same products byte for byte."""
    status, said = small.run(folder, FIG1, **environment)
    assert status == 0, said
    assert small.products(folder) == small.products(finished)


def train_log(run: Path, folder: Path) -> str:
    """What the run's last training job logged."""
    path = folder / "results/logs/train" / run.relative_to(folder / "results/runs")
    return path.with_suffix(".log").read_text()


@pytest.fixture
def one_gpu(tmp_path) -> dict[str, str]:
    """An environment with a single pretend GPU: a lease that is left held would stop all that follows."""
    (tmp_path / "leases").mkdir()
    return {"LEASE_DEVICES": "0", "TMPDIR": str(tmp_path / "leases")}


def trainers(folder: Path) -> list[int]:
    """Processes that train below the folder."""
    asked = subprocess.run(["pgrep", "-f", f"{folder}.*train.py"], capture_output=True, text=True)
    return [int(pid) for pid in asked.stdout.split()]


def test_after_a_kill_of_snakemake_its_jobs_end_and_the_next_call_resumes(
    folder, finished, one_gpu, tmp_path
):
    run = untrained(folder)
    workflow = small.start(folder, "--cores", "2", FIG1, out=tmp_path / "said", **one_gpu)
    wait_for((run / "resume.pt").exists, 300, "the first epoch")
    workflow.kill()
    workflow.wait()
    wait_for(lambda: not trainers(folder), 60, "the job to end")
    assert not (run / "weights.pt").exists()

    status, said = small.run(folder, FIG1)
    assert status == 1 and "--unlock" in said
    assert small.run(folder, "--unlock", FIG1)[0] == 0
    completes(folder, finished, **one_gpu)
    assert "resumed after epoch" in train_log(run, folder)


def test_after_a_kill_of_a_job_snakemake_names_it_and_the_next_call_resumes(
    folder, finished, one_gpu, tmp_path
):
    run = untrained(folder)
    workflow = small.start(folder, "--cores", "2", FIG1, out=tmp_path / "said", **one_gpu)
    wait_for((run / "resume.pt").exists, 300, "the first epoch")
    for process in trainers(folder):
        os.kill(process, signal.SIGKILL)
    assert workflow.wait(300) == 1
    assert "Error in rule train" in (tmp_path / "said").read_text()
    completes(folder, finished, **one_gpu)
    assert "resumed after epoch" in train_log(run, folder)


@pytest.fixture
def mounted(folder):
    """mounted(options): a small file system of its own below the folder's results."""
    place = folder / "results"

    def mount(options: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"cannot mount: {done.stderr.strip()}")

    yield mount
    while place.is_mount():
        subprocess.run(["umount", place], check=True)
        time.sleep(0.1)


def test_a_full_disk_is_told_in_one_line_and_nothing_half_written_is_left(folder, finished, mounted):
    run = untrained(folder)
    (folder / "results").mkdir()
    mounted("size=100k")  # the state of the first epoch takes more
    status, said = small.run(folder, FIG1)
    assert status == 1
    assert "no space left to write" in said and str(run.relative_to(folder)) in said
    assert not list(run.glob("*.pt"))
    assert not list(run.glob(".tmp-*"))
    subprocess.run(["mount", "-o", "remount,size=100m", folder / "results"], check=True)
    completes(folder, finished)


def test_a_read_only_output_folder_is_told_in_one_line(folder, finished, mounted):
    untrained(folder)
    (folder / "results").mkdir()
    mounted("ro")
    status, said = small.run(folder, FIG1)
    assert status == 1
    assert f"cannot write to results: {folder}/results is read-only" in said
    subprocess.run(["umount", folder / "results"], check=True)
    completes(folder, finished)


STAGES = ("runs", "evaluations", "aggregates", "figures")
DAMAGED = [
    ("data/digits.h5", "runs", "train", ": damaged, or of an older version"),
    ("results/runs/**/weights.pt", "evaluations", "evaluate_", ": damaged, or not what this run wrote"),
    ("results/evaluations/**/rotation-*.h5", "aggregates", "aggregate", ": damaged, or of an older version"),
    ("results/aggregates/**/fig1.h5", "figures", "draw", ": damaged, or of an older version"),
]


@pytest.mark.parametrize(("pattern", "stage", "rule", "message"), DAMAGED)
def test_a_damaged_file_is_named_and_made_again_once_it_is_deleted(
    folder, finished, pattern, stage, rule, message
):
    (path,) = folder.glob(pattern)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for made_of_it in STAGES[STAGES.index(stage) :]:
        shutil.rmtree(folder / "results" / made_of_it)
    status, said = small.run(folder, FIG1)
    (line,) = [line for line in said.splitlines() if message in line]
    assert status == 1
    assert line.startswith(rule) and path.name in line
    path.unlink()
    completes(folder, finished)


def test_a_damaged_resume_state_begins_the_run_again(folder, finished):
    run = untrained(folder)
    run.mkdir(parents=True)
    (run / "resume.pt").write_bytes(b"PK\x03\x04 half a checkpoint")
    completes(folder, finished)
    assert "training starts anew" in train_log(run, folder)


def test_figures_are_redrawn_from_their_numbers_without_torch(folder, tmp_path):
    for name in ("torch", "torchvision", "sklearn"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not installed')\n")
    shipped = shutil.copytree(folder / "results/figures", tmp_path / "shipped")
    untrained(folder)
    arguments = ("--config", f"tidy={shipped}", "--", "redraw")
    status, said = small.run(folder, *arguments, PYTHONPATH=str(tmp_path))
    assert status == 0, said
    redrawn = folder / "results/redrawn/invariance"
    for name in ("fig1.png", "fig1.csv"):
        assert (redrawn / name).read_bytes() == (shipped / "invariance" / name).read_bytes()
    assert not (folder / "results/runs").exists()
