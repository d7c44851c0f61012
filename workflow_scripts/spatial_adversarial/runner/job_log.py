"""What a job's log tells while the job runs: how far it is, its loss and accuracy. runner/job.py writes such logs."""

import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

TAIL = 32_768  # bytes at the end of a log that are read: more than a traceback has
COUNT = re.compile(
    r"(\S+): (\d+)/(\d+) \[[\d:]+<([\d:?]+),[^,\]]+(?:, loss=([^,\]]+))?(?:, validation=([^,\]]+))?"
)
POINT = re.compile(r"/seed\d+ (\S+: .*)$")


@dataclass
class Progress:
    """What a log tells: `state` is waiting, running, done or failed, `share` the part of the job that is done."""

    state: str = "waiting"
    seconds: float = 0
    share: float = 0
    line: str = ""


def read_log(path: str | Path, since: float) -> Progress:
    """What a job's log tells; one that was last written before `since`, seconds since the epoch, is another run's."""
    try:
        with open(path, "rb") as file:
            written = os.fstat(file.fileno()).st_mtime
            if written < since:
                return Progress()
            first = file.readline(TAIL).decode(errors="replace")
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return Progress()
    began = _moment(first)
    if began is None:
        return Progress("running")
    records = [(moment, line) for line in lines if (moment := _moment(line)) is not None]
    if not records:
        return Progress("running", time.time() - began)
    ended, last = records[-1]
    if last.endswith(": done"):
        return Progress("done", ended - began, 1)
    if " ERROR " in last:
        return Progress("failed", ended - began, 0, last.partition(" ERROR ")[2].partition(": ")[2])
    share, line = _progress([line for _, line in records])
    return Progress("running", time.time() - began, share, line)


def _progress(records: list[str]) -> tuple[float, str]:
    """The share that the latest line of progress tells, 0 where none does, and that line in words."""
    for record in reversed(records):
        if match := COUNT.search(record):
            what, done, total, left, loss, accuracy = match.groups()
            words = [f"{'epoch ' if '/runs/' in what else ''}{done} of {total}"]
            words += [f"loss {loss}"] if loss else []
            words += [f"accuracy {accuracy} on validation images"] if accuracy not in (None, "nan") else []
            words += [f"{left} left"] if "?" not in left else []
            return int(done) / int(total) if int(total) else 0, ", ".join(words)
        if match := POINT.search(record):
            return 0, match[1]
    return 0, ""


def _moment(record: str) -> float | None:
    """Seconds since the epoch of a log's record, whose time is this machine's local one."""
    try:
        return datetime.strptime(record[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp()
    except ValueError:
        return None
