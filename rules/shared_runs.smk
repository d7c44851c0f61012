"""Runs that come from others, or are copied for them: which are fetched in place of being trained, and where to."""

import sys

from spatial_adversarial.results.shared_runs import Fetching, choose, wanted_runs
from spatial_adversarial.runner.files import write_atomic


def choose_runs_to_fetch():
    """The runs that others offer, or that came from them before; a job by itself, which trains none, asks nothing.

    Where the config has `runs_from`, the terminal shows of each run why it is or is not fetched.
    """
    if not workflow.is_main_process:
        return Fetching()
    try:
        fetching = choose(wanted_runs(catalog), catalog.config["runs_from"])
    except ValueError as error:
        raise WorkflowError(f"config: runs_from: {error}") from None
    if catalog.config["runs_from"]:
        show_choice(fetching, paths.log("runs_from"))
    return fetching


def show_choice(fetching, log):
    """A line for each run in `log`, and in the terminal, there their number by reason where they are many."""
    print(*fetching.summary(log), sep="\n", file=sys.stderr)
    try:
        with write_atomic(log) as temporary:
            temporary.write_text("\n".join([*fetching.lines(), ""]), encoding="utf-8")
    except RuntimeError as error:
        raise WorkflowError(str(error)) from None


fetching = choose_runs_to_fetch()
# within the pattern of a rule's outputs, where /seed<k>/ follows the run
FETCHED_RUNS = "|".join(f"{re.escape(run)}/" for run in sorted(fetching.runs))


def not_fetched(runs):
    """The pattern of `runs`, without the seeds of them that are fetched."""
    return f"(?!{FETCHED_RUNS})(?:{runs})" if FETCHED_RUNS else runs


def export_folder(wildcards):
    """Where finished runs are copied to; WorkflowError where the config names no folder."""
    if config["export"] is None:
        raise WorkflowError(
            "config: export: name a folder, as in: snakemake --config export=FOLDER -- export"
        )
    return config["export"]
