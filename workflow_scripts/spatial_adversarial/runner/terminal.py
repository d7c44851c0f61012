"""A line a job in the terminal, with how many are done of all; and what is running, when nothing has ended for a while.

Snakemake's own messages take five lines a job, and none of them both names a job and counts it. They stay in its log.
"""

import logging
import threading
import time
from typing import Any

from snakemake.logging import ColorizingTextHandler, get_event, logger
from snakemake_interface_logger_plugins.common import LogEvent

from spatial_adversarial.runner.status import Status

FIRST, LONGEST = (
    60.0,
    1800.0,
)  # seconds without a line after which running jobs are shown; each time twice as long
FRESH = 10.0  # seconds for which the estimate of the time left is kept
SCHEDULER = "Select jobs to execute..."


def show_a_line_a_job(status: Status) -> None:
    """Have Snakemake's terminal show the jobs of `status` in this way; that of a logger plugin stays as it is."""
    for handler in logger.handlers:
        if isinstance(handler, ColorizingTextHandler):
            lines = LineAJob(status)
            # before Snakemake's own, which hides with `quiet` what is needed here
            handler.filters.insert(0, lines)
            threading.Thread(target=lines.show_running, daemon=True).start()


class LineAJob(logging.Filter):
    """Keeps back Snakemake's messages at the start of a job, and makes one line of those at its end or failure."""

    def __init__(self, status: Status):
        super().__init__()
        self.status = status
        self.names: dict[int, str] = {}  # by Snakemake's number of a job
        self.ended: list[int] = []
        self.looked, self.left = -FRESH, ""
        self.shown = time.monotonic()

    def filter(self, record: Any) -> bool:
        """Whether Snakemake's message is shown as it is."""
        event = get_event(record)
        if event == LogEvent.JOB_INFO:
            self.names[record.jobid] = (record.rule_msg or record.rule_name).rstrip(".")
        elif event == LogEvent.JOB_FINISHED:
            self.ended.append(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            name, logs = self.names.get(record.jobid, f"job {record.jobid}"), ", ".join(record.log)
            # the executor's last word, such as why a cluster refused the job: the job's log has none of that
            said = (record.rule_msg or "").strip().splitlines()[-1:]
            told = [f"Error in rule {record.rule_name}", f"{name} (log: {logs})", *said]
            logger.error(f"{time.strftime('%H:%M:%S')} {': '.join(told)}")
        elif event == LogEvent.PROGRESS:
            self._show_ended(record.done, record.total)
        else:
            return event != LogEvent.JOB_STARTED and record.msg != SCHEDULER
        return False

    def _show_ended(self, done: int, total: int) -> None:
        if time.monotonic() - self.looked > FRESH:
            self.status.update()
            self.looked, self.left = time.monotonic(), self.status.time_left()
        left = self.left if done < total else "all done"
        for number in self.ended:
            name = self.names.get(number, f"job {number}")
            logger.info(f"{time.strftime('%H:%M:%S')} {done:>{len(str(total))}} of {total}, {left}: {name}")
        self.ended.clear()
        self.shown = time.monotonic()

    def show_running(self) -> None:
        """Show the running jobs whenever no job has ended for a while, as long as the process lives."""
        pause, seen = FIRST, self.shown
        while True:
            time.sleep(1)
            if self.shown != seen:
                pause, seen = FIRST, self.shown
            if time.monotonic() - self.shown > pause:
                self.status.update()
                running = self.status.running_lines()
                logger.info("\n".join([f"{time.strftime('%H:%M:%S')} {self.status.headline()}", *running]))
                self.shown = seen = time.monotonic()
                pause = min(2 * pause, LONGEST)
