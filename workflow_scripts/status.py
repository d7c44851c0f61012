"""Tell how far a run of the workflow is: `python workflow_scripts/status.py [results folder] [--every 30]`.

It reads the results folder only, so it works beside a running Snakemake, and on a cluster's login node.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from spatial_adversarial.runner.paths import Paths
from spatial_adversarial.runner.status import Run, Status


def summary(folder: str) -> list[str]:
    """The lines to print on the results in a folder; ValueError, one line, where no run has begun there."""
    path = Path(Paths(folder).jobs)
    if not path.exists():
        others = [str(other.parents[1]) for other in sorted(Path(folder).glob("*/logs/jobs.json"))]
        there = f" (there is one in {', '.join(others)})" if others else ""
        raise ValueError(f"{path}: no such file: no run has begun with the results folder {folder}{there}")
    run = Run.read(path)
    status = Status(run)
    begun = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started))
    state = "goes on" if run.goes_on else "has ended"
    return [f"{folder}: begun {begun} on {run.host}, {state}", status.headline(), *status.running_lines()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", default="results", help="the config's folder `results`")
    parser.add_argument(
        "--every", type=float, metavar="SECONDS", help="tell it again and again until it has ended"
    )
    asked = parser.parse_args()
    try:
        while True:
            print("\n".join(summary(asked.results)), flush=True)
            if not asked.every or not Run.read(Paths(asked.results).jobs).goes_on:
                return 0
            time.sleep(asked.every)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
