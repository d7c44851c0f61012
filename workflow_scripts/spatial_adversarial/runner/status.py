"""How far a run of the workflow is, read from what its jobs have written: a list of the jobs, and their logs.

Nothing here needs Snakemake or its lock, so that another terminal or a cluster's login node reads the same.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job_log import Progress, read_log

START = 6.0  # seconds that Python and torch take to start, for the estimate
SLACK = 5.0  # seconds by which the clocks of two machines may differ
NEARLY = 0.95  # the most of a job that is taken for done because of its time


@dataclass
class ListedJob:
    """A job as it is listed at the start: `kind` is train, evaluate or other, `seconds` what it is planned to take.

    guessed: whether `seconds` is of a network whose size is not known, so that it says nothing before one has run.
    """

    name: str
    kind: str
    log: str
    seconds: float
    guessed: bool = False


@dataclass
class Run:
    """The jobs of one call of Snakemake, the process that leads them, and the folder that paths of logs start at."""

    jobs: list[ListedJob]
    started: float = field(default_factory=time.time)
    ended: float | None = None
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=platform.node)
    folder: str = field(default_factory=os.getcwd)

    def write(self, path: str | Path) -> None:
        with write_atomic(path) as temporary:
            temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> "Run":
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(**record | {"jobs": [ListedJob(**job) for job in record["jobs"]]})

    def begin(self, path: str | Path) -> None:
        """Write the file, unless another call of Snakemake on this machine, which still goes on, has written it."""
        there = Run.read(path) if Path(path).exists() else None
        if there is None or there.host != self.host or there.pid == self.pid or not there.goes_on:
            self.write(path)

    @classmethod
    def end(cls, path: str | Path) -> None:
        """Note in the file that the run has ended, if it is that of this process."""
        there = cls.read(path) if Path(path).exists() else None
        if there and (there.pid, there.host) == (os.getpid(), platform.node()):
            there.ended = time.time()
            there.write(path)

    @property
    def goes_on(self) -> bool:
        """Whether Snakemake is at work; of another machine's process, whether it has not said that it ended."""
        if self.ended is not None:
            return False
        if self.host != platform.node() or self.pid == os.getpid():
            return True
        import psutil  # where it is needed

        try:
            return (
                psutil.Process(self.pid).create_time() <= self.started + SLACK
            )  # else the number is another's
        except psutil.NoSuchProcess:
            return False


class Status:
    """A run and the progress of each of its jobs; what is done is not read again."""

    def __init__(self, run: Run):
        self.run = run
        self.progress = [Progress() for _ in run.jobs]
        self.update()

    def update(self) -> None:
        for number, job in enumerate(self.run.jobs):
            if self.progress[number].state != "done":
                self.progress[number] = read_log(Path(self.run.folder, job.log), self.run.started - SLACK)

    def counted(self, state: str, kind: str | None = None) -> int:
        return sum(p.state == state and kind in (None, j.kind) for j, p in self._pairs())

    def seconds_left(self) -> float | None:
        """By the plan's costs, corrected by what jobs of the same kind took, at as many jobs at once as until now.

        None before any job has shown how fast it is, or while one that waits or runs is guessed and none like it has.
        """
        now = self.run.ended or time.time()
        overall = self._measured(lambda job: not job.guessed)
        measured = {group: self._measured(_in(group)) for group in self._groups()}
        left = 0.0
        for job, seen in self._pairs():
            if seen.state in ("waiting", "running"):
                slower = measured[_group(job)] or (None if job.guessed else overall)
                if slower is None:
                    return None
                left += _planned(job) * slower * (1 - _share(job, seen, slower))
        worked = sum(seen.seconds for seen in self.progress)
        at_once = max(1.0, worked / max(1.0, now - self.run.started))
        return left / at_once

    def _groups(self) -> set[tuple[str, bool]]:
        return {_group(job) for job in self.run.jobs}

    def _measured(self, chosen: Callable[[ListedJob], bool]) -> float | None:
        """How many times its planned seconds a chosen job takes, from those that are done, or far enough."""
        seen = [(j, p) for j, p in self._pairs() if chosen(j) and (p.state == "done" or p.share > 0)]
        planned = sum(_planned(job) * (1 if p.state == "done" else p.share) for job, p in seen)
        taken = sum(p.seconds + (START if p.state == "done" else 0) for _, p in seen)
        return taken / planned if planned else None

    def _pairs(self):
        return zip(self.run.jobs, self.progress, strict=True)

    def headline(self) -> str:
        """One line: jobs and runs done of all, the time so far and the time left."""
        trained = self.counted("done", "train"), sum(job.kind == "train" for job in self.run.jobs)
        words = [f"{self.counted('done')} of {len(self.run.jobs)} jobs"]
        words += [f"{trained[0]} of {trained[1]} runs trained"] if trained[1] else []
        words += [f"{failed} failed"] if (failed := self.counted("failed")) else []
        words.append(f"{duration((self.run.ended or time.time()) - self.run.started)} so far")
        words += [self.time_left()] if self.run.goes_on and self.counted("done") < len(self.run.jobs) else []
        return ", ".join(words)

    def time_left(self) -> str:
        left = self.seconds_left()
        return "time left not known yet" if left is None else f"about {duration(left)} left"

    def running_lines(self) -> list[str]:
        """A line for each job that is running, and for each that has failed."""
        word = {"running": "" if self.run.goes_on else "stopped: ", "failed": "failed: "}
        return [
            f"  {word[seen.state]}{job.name}{f': {seen.line}' if seen.line else ''}"
            + (f" (log: {job.log})" if seen.state == "failed" else "")
            for job, seen in self._pairs()
            if seen.state in word
        ]


def _group(job: ListedJob) -> tuple[str, bool]:
    """What jobs are compared with: those of the same kind, guessed ones apart."""
    return job.kind, job.guessed


def _in(group: tuple[str, bool]) -> Callable[[ListedJob], bool]:
    return lambda job: _group(job) == group


def _planned(job: ListedJob) -> float:
    return job.seconds + START


def _share(job: ListedJob, seen: Progress, slower: float) -> float:
    """The share of a job that is done: what its log tells, else by its time."""
    return seen.share or min(NEARLY, seen.seconds / (_planned(job) * slower))


def duration(seconds: float) -> str:
    """A length of time as one reads it: 40 s, 12 min, 3 h 20 min, 2 d 4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
