"""What all jobs share: logs, one-line errors, ending with Snakemake, whole files, locks, side files."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from spatial_adversarial.runner import files, job

SCRIPTS = str(Path(job.__file__).parents[2])
ENVIRONMENT = os.environ | {"PYTHONPATH": SCRIPTS}


@pytest.fixture
def rule(tmp_path: Path) -> SimpleNamespace:
    """What Snakemake gives a script."""
    return SimpleNamespace(
        rule="train", wildcards={"data": "mnist"}, log=[str(tmp_path / "logs" / "train.log")]
    )


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen]]:
    """Processes to be killed when the test ends."""
    processes: list[subprocess.Popen] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdout, process.stderr)):
            pipe.close()


def python(code: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )


def log_of(rule: SimpleNamespace) -> str:
    return Path(rule.log[0]).read_bytes().decode()  # as it is: reading as text would hide carriage returns


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("theta is 200°\nbut must lie in 0..180"), "theta is 200°"),
        (KeyError("lr"), "KeyError: 'lr'"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_an_error_is_one_line_and_its_traceback_is_in_the_log(
    rule: SimpleNamespace, capsys: pytest.CaptureFixture, error: Exception, line: str
) -> None:
    with pytest.raises(SystemExit) as ended, job.job(rule):
        raise error
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"train data=mnist: {line} (log: {rule.log[0]})\n"
    assert "Traceback" in log_of(rule)
    assert str(error) in log_of(rule)


@pytest.mark.filterwarnings("always")
def test_warnings_and_records_go_to_the_log_and_handlers_are_put_back(rule: SimpleNamespace) -> None:
    before = signal.getsignal(signal.SIGTERM), warnings.showwarning
    with job.job(rule):
        job.log.info("λ is %s", 3)
        job.log.debug("hidden")
        warnings.warn("careful", stacklevel=1)
    job.log.info("too late")
    text = log_of(rule)
    assert "INFO λ is 3\n" in text
    assert "UserWarning: careful" in text
    assert "hidden" not in text
    assert "too late" not in text
    assert (signal.getsignal(signal.SIGTERM), warnings.showwarning) == before


def test_a_rule_without_a_log_is_refused() -> None:
    with (
        pytest.raises(ValueError, match="rule train has no log file"),
        job.job(SimpleNamespace(rule="train", log=[])),
    ):
        pass


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_signals_end_a_job_in_one_line(
    tmp_path: Path, started: list[subprocess.Popen], number: int, status: int, word: str
) -> None:
    # a test run that a shell started in the background hands an ignored SIGINT down
    code = """
import signal, sys, time
from types import SimpleNamespace
from spatial_adversarial.runner.job import job
signal.signal(signal.SIGINT, signal.default_int_handler)
with job(SimpleNamespace(rule="train", wildcards={}, log=[sys.argv[1]])):
    print("ready", flush=True)
    time.sleep(60)
"""
    process = python(code, tmp_path / "log")
    started.append(process)
    process.stdout.readline()
    process.send_signal(number)
    assert process.communicate(timeout=50)[1] == f"train: {word} (log: {tmp_path / 'log'})\n"
    assert process.returncode == status


def test_progress_is_lines_in_the_log(rule: SimpleNamespace) -> None:
    with job.job(rule):
        outer = job.progress(2, "epochs", every=0.0)
        for _ in range(2):
            assert list(job.progress(iter("abc"), "images", every=0.0)) == ["a", "b", "c"]
            outer.set_postfix(loss=0.5)
            outer.update()
        outer.close()
    text = log_of(rule)
    assert "\r" not in text
    assert "\x1b" not in text
    assert "epochs: 1/2 [00:00<00:00" in text
    assert "loss=0.5" in text.split("epochs: 2/2")[1]


def test_progress_begins_with_what_was_done_before(rule: SimpleNamespace) -> None:
    with job.job(rule), job.progress(15, "epochs", done=11, every=0.0) as bar:
        bar.update()
    assert "epochs: 11/15 [00:00<?" in log_of(rule) and "epochs: 12/15 [" in log_of(rule)


def test_progress_is_rare(rule: SimpleNamespace) -> None:
    with job.job(rule):
        for _ in job.progress(range(100_000), "steps"):
            pass
    assert 1 <= log_of(rule).count("steps:") <= 3


def test_a_job_ends_with_the_snakemake_above_its_shell(
    tmp_path: Path, started: list[subprocess.Popen]
) -> None:
    child = "import os, time; from spatial_adversarial.runner.job import die_with_parent; die_with_parent(); "
    child += "print(os.getpid(), flush=True); time.sleep(60)"
    snakemake = tmp_path / "snakemake"
    snakemake.write_text(
        f"import subprocess\nsubprocess.run(['bash', '-c', '''{sys.executable} -c \"{child}\"; true'''])\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(snakemake)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    started.append(parent)
    pid = int(parent.stdout.readline())
    assert not gone_within(pid, 1.5)
    parent.kill()
    assert gone_within(pid, 50)


def test_a_job_ends_with_the_real_snakemake(tmp_path: Path, started: list[subprocess.Popen]) -> None:
    (tmp_path / "Snakefile").write_text(
        'rule wait:\n    output: "out"\n    log: "wait.log"\n    script: "wait.py"\n'
    )
    (tmp_path / "wait.py").write_text(
        f"import os, sys, time\nsys.path.append({SCRIPTS!r})\nfrom spatial_adversarial.runner.job import job\n"
        "with job(snakemake):\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    parent = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=plain
    )
    started.append(parent)
    pid = int(parent.stdout.readline())
    parent.kill()
    assert gone_within(pid, 50)
    assert "Snakemake has ended" in (tmp_path / "wait.log").read_text()


def test_a_write_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "table.csv"
    with files.write_atomic(path) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("old")
        assert not path.exists()
    with pytest.raises(KeyError), files.write_atomic(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert [(entry.name, entry.read_text()) for entry in path.parent.iterdir()] == [("table.csv", "old")]


def test_a_write_that_is_killed_leaves_no_file(tmp_path: Path, started: list[subprocess.Popen]) -> None:
    code = """
import sys, time
from spatial_adversarial.runner.files import write_atomic
with write_atomic(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("half", flush=True)
    time.sleep(60)
"""
    process = python(code, tmp_path / "weights.pt")
    started.append(process)
    process.stdout.readline()
    process.kill()
    process.wait()
    assert not (tmp_path / "weights.pt").exists()
    assert not list(tmp_path.glob("weights*"))


def test_a_lock_excludes_and_is_freed_by_a_kill(tmp_path: Path, started: list[subprocess.Popen]) -> None:
    path = tmp_path / "run" / "lock"
    code = """
import sys, time
from spatial_adversarial.runner.files import lock
with lock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""
    holder = python(code, path)
    started.append(holder)
    holder.stdout.readline()
    expected = f"another process is training run 7: process {holder.pid} on .* holds {path}"
    with pytest.raises(RuntimeError, match=expected), files.lock(path, wait=False, doing="training run 7"):
        pass
    waiting = python(code, path)
    started.append(waiting)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    holder.kill()
    assert waiting.stdout.readline() == "locked\n"
    waiting.kill()
    waiting.wait()
    with files.lock(path, wait=False):
        assert str(os.getpid()) in path.read_text()


def test_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "archive").write_bytes(content)
    assert files.digest(tmp_path / "archive") == hashlib.sha256(content).hexdigest()
    assert files.digest(tmp_path / "archive", "md5") == hashlib.md5(content).hexdigest()


def test_a_side_file_tells_what_made_a_result_and_when(tmp_path: Path) -> None:
    started = job.now()
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)  # a child's CPU time counts
    child, own = job.now().cpu - started.cpu, time.process_time()
    while time.process_time() < own + 0.3:
        pass
    job.record(tmp_path / "made.json", started._replace(time=started.time - 2), device="pretend", images=10)
    made = json.loads((tmp_path / "made.json").read_text())
    assert 2 <= made["seconds"] < 300
    assert child > 0.05 and child + 0.299 <= made["cpu_seconds"] < child + 5  # which is rounded
    assert made["started"] < made["finished"]
    assert made["peak_memory"] > 2**20
    assert (made["device"], made["images"]) == ("pretend", 10)
    assert made["python"].split(".")[0] == "3"


def test_provenance_has_no_dates_and_imports_nothing() -> None:
    code = "import sys; from spatial_adversarial.runner.job import provenance; "
    code += "print(provenance()); print('torch' in sys.modules)"
    first, second = (python(code).communicate()[0] for _ in range(2))
    assert first == second
    assert first.endswith("False\n")
