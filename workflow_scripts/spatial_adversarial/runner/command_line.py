"""What Snakemake 9.27 lets pass: a profile's config file that is dropped, an unknown target."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import yaml
from snakemake.cli import get_argument_parser, get_profile_dir
from snakemake.exceptions import WorkflowError


def prepare_environment_of_jobs(library: str) -> None:
    """Jobs, which inherit the environment, import this library before any other of its name, and draw without a screen.

    A notebook's own MPLBACKEND would stop matplotlib.
    """
    os.environ["MPLBACKEND"] = "agg"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))


def command_line(workflow) -> Namespace | None:
    """What the user typed, without the keys of a profile; None in a job, and where other code calls Snakemake."""
    if not workflow.is_main_process or Path(sys.argv[0]).stem not in ("snakemake", "__main__"):
        return None
    return get_argument_parser().parse_known_args(sys.argv[1:])[0]


def replaced_config_files(typed: Namespace | None, base: str | Path) -> list[Path]:
    """The config files of the profiles named by --profile that --configfile takes the place of.

    Snakemake takes a key of a profile or of the command line, never both (issue 3429 is about another such key), so
    that `--profile profiles/demo --configfile mine.yaml` would be mine.yaml at full size. `base`: where a profile's
    files are sought that are not where Snakemake is started.
    """
    if not typed or not typed.configfile:
        return []
    named = {Path(file).resolve() for file in typed.configfile}
    found = []
    for profile in typed.profile or ():
        place = get_profile_dir(profile)
        theirs = yaml.safe_load(place[1].read_text(encoding="utf-8")).get("configfile") if place else None
        for file in [theirs] if isinstance(theirs, str) else theirs or ():
            there = Path(file) if Path(file).exists() else Path(base, file)
            if there.resolve() not in named:
                found.append(there.absolute())
    return found


def check_targets(typed: Namespace | None, rules: Iterable, results: list[str]) -> None:
    """WorkflowError, one line with the nearest names, for a target that is no rule, no file of one, and not there."""
    rules = list(rules)
    names = [rule.name for rule in rules]
    for target in typed.targets if typed else ():
        if target in names or Path(target).exists() or any(rule.is_producer(target) for rule in rules):
            continue
        near = _nearest(Path(target), names, results)
        raise WorkflowError(
            f"no rule {target!r}, and no rule makes such a file"
            + (f": did you mean {' or '.join(near[:5])}?" if near else "")
        )


def _nearest(target: Path, rules: list[str], results: list[str]) -> list[str]:
    """The results of that name, else the rules and results with the nearest; each figure and table once, by one file.

    Only those with the target's suffix, where it has one.
    """
    once: dict[Path, str] = {}
    for file in results:
        if target.suffix in ("", Path(file).suffix):
            once.setdefault(Path(file).with_suffix(""), file)
    by_name: dict[str, list[str]] = {name: [name] for name in rules}
    for place, file in once.items():
        by_name.setdefault(place.name, []).append(file)
    same = [file for file in by_name.get(target.stem, []) if file not in rules]
    return same or [file for name in get_close_matches(target.stem, by_name, 3) for file in by_name[name]]
