"""The status is read from logs alone: states, epochs, losses, and the time left by the plan as far as it was right."""

import io
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from spatial_adversarial.runner import status as module
from spatial_adversarial.runner.job_log import TAIL, read_log
from spatial_adversarial.runner.status import START, ListedJob, Run, Status, duration

ROOT = Path(__file__).parents[1]
FOLDER = "results/runs/digits/gcnn/rotate120-6722da77/seed0"


def log(path: Path, *messages: tuple[float, str]) -> str:
    """A log with records of (seconds ago, message)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = time.time()
    moments = [datetime.fromtimestamp(now - ago) for ago, _ in messages]
    records = [
        f"{m:%Y-%m-%d %H:%M:%S},{m.microsecond // 1000:03} {said}"
        for m, (_, said) in zip(moments, messages, strict=True)
    ]
    path.write_text("\n".join(records) + "\n", encoding="utf-8")
    return str(path)


TRAINING = [
    (40, "INFO train run=digits/gcnn/rotate120-6722da77 seed=0: started"),
    (30, f"INFO {FOLDER}: 0/12 [00:00<?, ?it/s]"),
    (20, f"INFO {FOLDER}: 6/12 [00:10<00:10,  1.72s/it, loss=1.371, validation=0.804]"),
]
DONE = (10, "INFO train run=digits/gcnn/rotate120-6722da77 seed=0: done")


def test_a_training_job_tells_epoch_loss_and_accuracy(tmp_path):
    seen = read_log(log(tmp_path / "a.log", *TRAINING), 0)
    assert (seen.state, seen.share) == ("running", 0.5)
    assert seen.line == "epoch 6 of 12, loss 1.371, accuracy 0.804 on validation images, 00:10 left"
    assert seen.seconds == pytest.approx(40, abs=10)
    assert read_log(log(tmp_path / "b.log", *TRAINING[:2]), 0).line == "epoch 0 of 12"
    hours = (1, f"INFO {FOLDER}: 2/10 [1:19:12<5:00:00, 88.36s/it, loss=0.215, validation=nan]")
    assert (
        read_log(log(tmp_path / "c.log", *TRAINING, hours), 0).line
        == "epoch 2 of 10, loss 0.215, 5:00:00 left"
    )


def test_an_evaluation_tells_its_profile_and_point(tmp_path):
    started = (5, "INFO evaluate_profile run=digits/gcnn/natural-dc8d0712 seed=0 profile=pgd: started")
    point = (1, f"INFO {FOLDER} pgd-0c0a50: point 3 of 6")
    assert read_log(log(tmp_path / "e.log", started, point), 0).line == "pgd-0c0a50: point 3 of 6"


def test_states(tmp_path):
    assert read_log(tmp_path / "none.log", 0).state == "waiting"
    done = log(tmp_path / "d.log", *TRAINING, DONE)
    assert read_log(done, 0).state == "done" and read_log(done, 0).seconds == pytest.approx(30, abs=1)
    assert read_log(done, time.time() + 60).state == "waiting", "the log of an earlier run"
    failed = log(
        tmp_path / "f.log", TRAINING[0], (9, "ERROR train run=x seed=0: training diverged in epoch 2")
    )
    Path(failed).write_text(
        Path(failed).read_text() + "Traceback (most recent call last):\n  ...\nValueError: x\n"
    )
    assert (read_log(failed, 0).state, read_log(failed, 0).line) == ("failed", "training diverged in epoch 2")


def listed(tmp_path: Path, name: str, seconds: float, *messages, kind: str = "train") -> ListedJob:
    path = tmp_path / f"{name}.log"
    return ListedJob(name, kind, log(path, *messages) if messages else str(path), seconds)


def test_time_left_is_the_plans_corrected_by_what_was_measured(tmp_path):
    done = [
        (200, "INFO x: started"),
        (100, "INFO x: done"),
    ]  # 100 s and a start, where the plan said 50 s and a start
    jobs = [listed(tmp_path, "one", 50, *done), listed(tmp_path, "two", 50), listed(tmp_path, "three", 100)]
    status = Status(Run(jobs, started=time.time() - 106))
    slower = (100 + START) / (50 + START)
    assert status.seconds_left() == pytest.approx((50 + START + 100 + START) * slower, rel=0.01)
    assert status.counted("done") == 1 and status.counted("waiting") == 2


def test_kinds_are_corrected_apart_and_jobs_at_once_share_the_time(tmp_path):
    train, evaluate = (
        [(100, "INFO x: started"), (0, "INFO x: done")],
        [(50, "INFO x: started"), (0, "INFO x: done")],
    )
    jobs = [
        listed(tmp_path, "a", 100 - START, *train),
        listed(tmp_path, "b", 10, *evaluate, kind="evaluate"),
        listed(tmp_path, "c", 100 - START),
        listed(tmp_path, "d", 10, kind="evaluate"),
    ]
    status = Status(Run(jobs, started=time.time() - 100))
    left = (100 + START) + (50 + START)
    assert status.seconds_left() == pytest.approx(left / 1.5, rel=0.05)  # 150 s of work in 100 s


def test_what_a_network_of_unknown_size_takes_is_not_told_before_one_has_run(tmp_path):
    """One that is planned as the largest of all would show months for a user's own small network."""
    done = [(100, "INFO x: started"), (0, "INFO x: done")]
    jobs = [
        listed(tmp_path, "a", 100 - START, *done, kind="evaluate"),
        listed(tmp_path, "b", 100 - START, kind="evaluate"),
        replace(listed(tmp_path, "c", 1e6 - START, kind="evaluate"), guessed=True),
    ]
    known, run = Status(Run(jobs[:2], started=time.time() - 106)), Run(jobs, started=time.time() - 106)
    assert Status(run).time_left() == "time left not known yet" and known.seconds_left() > 0
    jobs.append(replace(listed(tmp_path, "d", 1e6 - START, *done, kind="evaluate"), guessed=True))
    slower = (100 + START) / 100  # of a, and of d (100 s + START) / 1e6
    left = 100 * slower + 1e6 * (100 + START) / 1e6
    assert Status(run).seconds_left() == pytest.approx(left / (200 / 106), rel=0.05)


def test_logs_are_found_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log(Path("results/logs/one.log"), *TRAINING)
    Run([ListedJob("one", "train", "results/logs/one.log", 50)]).write("jobs.json")
    monkeypatch.chdir("/")
    assert Status(Run.read(tmp_path / "jobs.json")).counted("running") == 1


def test_nothing_is_foretold_before_anything_was_measured(tmp_path):
    status = Status(Run([listed(tmp_path, "one", 50)]))
    assert status.seconds_left() is None and "time left not known yet" in status.headline()


def test_a_run_whose_process_is_gone_has_ended(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    file = tmp_path / "jobs.json"
    Run([listed(tmp_path, "one", 50, *TRAINING)], pid=gone.pid).write(file)
    run = Run.read(file)
    assert not run.goes_on and Run([], host="elsewhere", pid=gone.pid).goes_on
    assert Status(run).running_lines()[0].startswith("  stopped: one: epoch 6 of 12")
    Run([]).begin(file)
    assert Run.read(file).goes_on
    Run.end(file)
    assert Run.read(file).ended and not Run.read(file).goes_on


def test_a_short_call_leaves_the_status_of_a_long_one(tmp_path):
    """`targets` and `plan` take no lock: they may be asked while a night's run goes on."""
    file = tmp_path / "jobs.json"
    with subprocess.Popen(["sleep", "60"]) as other:
        long = Run([listed(tmp_path, "one", 50, *TRAINING)], pid=other.pid)
        long.write(file)
        Run([listed(tmp_path, "targets", 1)]).begin(file)
        Run.end(file)
        assert Run.read(file) == long and long.goes_on
        long.started = time.time() - 3600  # before that process: another's number
        assert not long.goes_on
        other.kill()
    Run([listed(tmp_path, "targets", 1)]).begin(file)
    assert Run.read(file).jobs[0].name == "targets"


def test_the_command_tells_it_from_the_results_folder_alone(tmp_path):
    jobs = [
        listed(tmp_path, "Train a, seed 0.", 50, *TRAINING),
        listed(tmp_path, "Train b, seed 0.", 50, *TRAINING, DONE),
    ]
    Run(jobs, started=time.time() - 60).write(tmp_path / "results/logs/jobs.json")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(ROOT / "workflow_scripts/status.py")]
    told = subprocess.run(
        [*command, "results"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    print(told.stdout)
    assert "1 of 2 jobs, 1 of 2 runs trained" in told.stdout
    assert "Train a, seed 0.: epoch 6 of 12, loss 1.371, accuracy 0.804" in told.stdout
    missing = subprocess.run([*command, "."], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert missing.returncode == 1 and "there is one in results" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1


def test_the_terminal_shows_a_line_a_job(tmp_path, caplog):
    from snakemake_interface_logger_plugins.common import LogEvent

    from spatial_adversarial.runner.terminal import LineAJob

    lines = LineAJob(Status(Run([listed(tmp_path, "one", 50, *TRAINING, DONE), listed(tmp_path, "two", 50)])))

    def shown(event, message: str = "", **extra) -> bool:
        record = logging.makeLogRecord({"msg": message, "event": event} | extra)
        return lines.filter(record)

    with caplog.at_level(logging.INFO, logger="snakemake"):
        assert not shown(LogEvent.JOB_INFO, jobid=7, rule_msg="Train it, seed 0.", rule_name="train")
        assert not shown(None, "Select jobs to execute...")
        assert not shown(LogEvent.JOB_STARTED, "Execute 1 jobs...")
        assert not shown(LogEvent.JOB_FINISHED, job_id=7)
        assert not shown(LogEvent.PROGRESS, done=3, total=12)
        assert not shown(LogEvent.JOB_ERROR, jobid=7, rule_name="train", log=["logs/it.log"], rule_msg=None)
        refused = "SLURM job submission failed. The error message was\nsbatch: error: Invalid account\n"
        assert not shown(
            LogEvent.JOB_ERROR, jobid=7, rule_name="train", log=["logs/it.log"], rule_msg=refused
        )
        assert shown(None, "anything else")
    ended, failed, refused = [record.getMessage() for record in caplog.records]
    assert " 3 of 12, about " in ended and ended.endswith(": Train it, seed 0")
    assert failed.endswith(" Error in rule train: Train it, seed 0 (log: logs/it.log)")
    assert refused.endswith("Train it, seed 0 (log: logs/it.log): sbatch: error: Invalid account")


@pytest.mark.parametrize(
    ("seconds", "told"), [(8.4, "8 s"), (720, "12 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h")]
)
def test_durations(seconds, told):
    assert duration(seconds) == told


def test_the_log_of_a_job_that_is_done_is_read_once(tmp_path, monkeypatch):
    jobs = [listed(tmp_path, f"job{k}", 50, *TRAINING, DONE) for k in range(20)]
    jobs += [listed(tmp_path, "running", 50, *TRAINING), listed(tmp_path, "waiting", 50)]
    read = []
    monkeypatch.setattr(
        module, "read_log", lambda path, since: read.append(path.name) or read_log(path, since)
    )
    status = Status(Run(jobs))
    assert read == [Path(job.log).name for job in jobs]
    read.clear()
    status.update()
    assert read == ["running.log", "waiting.log"]


def test_only_the_ends_of_a_long_log_are_read(tmp_path, monkeypatch):
    """However long a training's log has grown, a status reads as much of it."""
    path = Path(log(tmp_path / "long.log", *TRAINING))
    first, *_, last = path.read_text().splitlines(keepends=True)
    path.write_text(first + last.replace("6/12", "5/12") * 20_000 + last)
    read = []

    class Counted(io.FileIO):
        def read(self, size=-1):
            read.append(found := super().read(size))
            return found

        def readline(self, size=-1):
            read.append(found := super().readline(size))
            return found

    monkeypatch.setattr("builtins.open", lambda path, mode: Counted(path, mode))
    assert read_log(path, 0).line.startswith("epoch 6 of 12")
    assert sum(map(len, read)) <= 2 * TAIL < path.stat().st_size / 20
