"""A process with Snakemake and the catalog imported, which forks for each call: a new one spends half of a plan on it.

Calls come as lines of JSON on standard input; each is answered by the exit status.
"""

import json
import os
import sys
from pathlib import Path

import snakemake.api  # noqa: F401, which the command line imports late
import yaml
from snakemake.cli import main

from spatial_adversarial.catalog import load

ROOT = Path(__file__).parents[1]


def call(folder: str, arguments: list[str], environment: dict[str, str], out: str) -> int:
    """The exit status of Snakemake in a folder, in a process of its own; what it says goes to the file `out`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number, file in enumerate((os.devnull, out, out)):
            os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND), number)
        sys.argv = ["snakemake", *arguments]
        main(arguments)
    except SystemExit as end:
        status = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")), ROOT / "figures")
    for line in sys.stdin:
        print(call(**json.loads(line)), flush=True)
