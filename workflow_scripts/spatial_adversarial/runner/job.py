"""What all jobs of the workflow do alike: log, fail in one line, tell progress, end with Snakemake."""

import io
import json
import logging
import os
import platform
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spatial_adversarial.runner.files import unwritable, write_atomic

if TYPE_CHECKING:
    from psutil import Process
    from tqdm import tqdm

log = logging.getLogger(__name__)

GRACE = 20.0  # seconds for a training step to end and its checkpoint to be written
CHATTY = ("matplotlib", "PIL", "h5py", "fontTools", "urllib3")
PACKAGES = ("numpy", "pandas", "h5py", "torch", "torchvision", "snakemake")


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run the body of a rule's script: `with job(snakemake): ...`.

    `snakemake` is the object that the `script:` directive provides; its rule, wildcards and log are used.
    Records from INFO up, and warnings, go to the rule's first log file (UTF-8: time, level, message). The
    process ends when Snakemake does. An exception leaves its traceback in the log and one line on stderr,
    "<rule> <wildcards>: <message> (log: <path>)", and becomes SystemExit(1), Ctrl-C SystemExit(130), SIGTERM
    SystemExit(143). Logging and signals are put back at the end, so that tests can call scripts as functions.

    Raises ValueError if the rule has no log.
    """
    if not snakemake.log:
        raise ValueError(f"rule {snakemake.rule} has no log file")
    name = " ".join([snakemake.rule, *(f"{key}={value}" for key, value in snakemake.wildcards.items())])
    path = Path(snakemake.log[0])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, mode="w", encoding="utf-8")
    except OSError as error:
        print(f"{name}: {unwritable(error, path) or error}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
    with _logging_to(handler), _sigterm_raised():
        try:
            die_with_parent()
            log.info("%s: started", name)
            yield
            log.info("%s: done", name)
        except (Exception, KeyboardInterrupt, _Terminated) as error:
            status, message = _ending(error)
            log.error("%s: %s", name, message, exc_info=error)
            print(f"{name}: {message} (log: {path})", file=sys.stderr, flush=True)
            raise SystemExit(status) from None


class _Terminated(BaseException):
    """SIGTERM arrived."""


def _ending(error: BaseException) -> tuple[int, str]:
    """Exit status and one line for what ended a job."""
    if isinstance(error, KeyboardInterrupt):
        return 130, "interrupted"
    if isinstance(error, _Terminated):
        return 143, "terminated"
    lines = str(error).strip().splitlines()
    if isinstance(error, ValueError | RuntimeError) and lines:
        return 1, lines[0]
    return 1, ": ".join([type(error).__name__, *lines[:1]])


@contextmanager
def _logging_to(handler: logging.FileHandler) -> Iterator[None]:
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
        with suppress(OSError):  # what a full disk does not take has been reported
            handler.close()


class _LogFile(logging.FileHandler):
    """A log that tells once, in a line on stderr, that it cannot be written; the job goes on."""

    reported = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exception()
        if not self.reported:
            print(unwritable(error, self.baseFilename) or f"{self.baseFilename}: {error}", file=sys.stderr)
        self.reported = True


@contextmanager
def _sigterm_raised() -> Iterator[None]:
    def terminate(number: int, frame: object) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@cache
def die_with_parent() -> None:
    """End this process once a Snakemake that it descends from has ended, even by SIGKILL: SIGTERM, then SIGKILL.

    The kernel's own parent-death signal knows the direct parent only, where a shell may stand; so a daemon
    thread watches every Snakemake among the ancestors. Where none is seen above, the log says so and nothing
    is watched. Further calls do nothing.
    """
    import psutil

    above = [process for process in psutil.Process().parents() if _is_snakemake(process)]
    if above:
        threading.Thread(target=_end_after, args=(above,), daemon=True).start()
    else:
        log.info("no Snakemake seen above this process: it would outlive one")


def _end_after(above: "list[Process]") -> None:
    while all(map(_is_alive, above)):
        time.sleep(1)
    try:
        log.error("Snakemake has ended: this job ends with it")
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os.kill(os.getpid(), signal.SIGKILL)


def _is_alive(process: "Process") -> bool:
    """Whether a process runs, and is not another one that has got its id."""
    import psutil

    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def _is_snakemake(process: "Process") -> bool:
    import psutil

    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(Path(word).name in ("snakemake", "snakemake.py") for word in words[:3])


def progress(work: Iterable | int, description: str, *, done: int = 0, every: float = 10.0) -> "tqdm":
    """Tell how far a long loop is: steps done, time left and rate, a log line at most each `every` seconds.

    `work` is what to iterate over (`for batch in progress(batches, "epoch 3")`), or the number of steps, and
    the caller counts them by `.update()`, beyond the `done` that an interrupted loop had made. `.set_postfix(loss=...)`
    adds values to the line.
    """
    from tqdm import tqdm

    counted = {"total": work} if isinstance(work, int) else {"iterable": work}
    return tqdm(
        **counted,
        desc=description,
        initial=done,
        file=_LogLines(),
        mininterval=every,
        position=0,  # nested ones too: no cursor movements in a file
        bar_format="{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]",
    )


class _LogLines(io.TextIOBase):
    """A terminal for tqdm that makes a log record of each text."""

    def write(self, text: str) -> int:
        if line := text.strip():
            log.info(line)
        return len(text)


def provenance(extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a result was made with: versions, commit, platform, device and threads, then `extra`; no dates.

    Only packages already imported are named, and threads only with torch. `device` is the GPU's name once
    CUDA is in use, else "cpu"; `cudnn` and `tf32` say how a GPU convolves (runner/device.py); `commit` ends in -dirty
    if files differ from it, None outside a checkout.
    """
    torch = sys.modules.get("torch")
    made = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
    }
    made |= {name: sys.modules[name].__version__ for name in PACKAGES if name in sys.modules}
    made["device"] = torch.cuda.get_device_name() if torch and torch.cuda.is_initialized() else "cpu"
    if torch:
        made["threads"] = torch.get_num_threads()
        cudnn = torch.backends.cudnn
        made["cudnn"] = (
            "deterministic" if cudnn.deterministic else "fastest" if cudnn.benchmark else "default"
        )
        made["tf32"] = cudnn.allow_tf32
    return made | (extra or {})


@cache
def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=40"]
    try:
        described = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return described.stdout.strip() if described.returncode == 0 else None


class Moment(NamedTuple):
    """A time (seconds since the epoch), and the CPU seconds that this process has then used."""

    time: float
    cpu: float


def now() -> Moment:
    """This moment; children count once they have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Moment(time.time(), sum(one.ru_utime + one.ru_stime for one in used))


def record(
    path: str | Path, started: Moment, *, earlier: tuple[float, float] = (0.0, 0.0), **extra: Any
) -> None:
    """Write a result's side file, JSON: `provenance(extra)` and what differs each time it is made.

    `started` is `now()` at the start. The file tells seconds and cpu_seconds since then, with the `earlier` ones of
    processes that were interrupted, started and finished (ISO 8601, UTC), peak_memory of this process and, if CUDA is
    in use, peak_gpu_memory (bytes).
    """
    finished = now()
    unit = 1 if sys.platform == "darwin" else 1024
    made = {
        "seconds": round(earlier[0] + finished.time - started.time, 3),
        "cpu_seconds": round(earlier[1] + finished.cpu - started.cpu, 3),
        "started": datetime.fromtimestamp(started.time, UTC).isoformat(timespec="seconds"),
        "finished": datetime.fromtimestamp(finished.time, UTC).isoformat(timespec="seconds"),
        "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
    }
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        made["peak_gpu_memory"] = torch.cuda.max_memory_allocated()
    with write_atomic(path) as temporary:
        temporary.write_text(json.dumps(made | provenance(extra), indent=1) + "\n", encoding="utf-8")
