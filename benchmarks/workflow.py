"""The workflow around the computing against its aims: dry runs, a job's start, a figure drawn again.

    python benchmarks/workflow.py

prints and writes <output>/workflow.csv. Each is a whole process with all that it starts: wall seconds, and processor
seconds, which are what it takes on a machine that does nothing else; the aim is held against these.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
from measure import ROOT, save

from spatial_adversarial.data.prepare import write
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.runner.job import now

SCRIPTS = ROOT / "workflow_scripts"
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1", "--quiet"]
KEPT = ROOT / "docs/results/1_mnist"
REDRAWN = "results/redrawn/invariance/fig1.pdf"
DRAWING = "draw, make_table, judge, claims, aggregate, make_report, make_plan, collect_provenance"
DRAWING += ", spatial_adversarial.results.aggregate, spatial_adversarial.reporting.result_tables"
DRAWING += ", spatial_adversarial.reporting.markup"
ONE_STEP = {
    "data": "noise",
    "model": {"name": "stdcnn"},
    "optimiser": {"name": "sgd", "lr": 0.01, "momentum": 0.9},
    "batch": 50,
    "split": {"validation": 5000},
    "steps": 1,
}
TRAIN = """
import json, os, pathlib, sys, tempfile, train
from spatial_adversarial.training.loop import Trainer

step = Trainer._step
Trainer._step = lambda *arguments: step(*arguments) is None or os._exit(0)
folder = pathlib.Path(tempfile.mkdtemp(dir="."))
train.train(json.loads(sys.argv[1]), 0, "noise.h5", folder, device="cpu", threads=1)
"""


def timed(command: list, folder: Path, path: Path) -> tuple[float, float]:
    """(wall, processor) seconds of a command in a folder, `path` first among Python's modules; it must succeed."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(list(map(str, command)), cwd=folder, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def works(folder: Path) -> dict[str, tuple[float, list, Path]]:
    """{what: (aim in seconds, command, its module path)}; makes what they need in the folder."""
    shutil.copy(ROOT / "config.yaml", folder)
    pixels = np.random.default_rng(0).integers(256, size=(60_000, 1, 28, 28), dtype=np.uint8)
    splits = {"train": (pixels, np.arange(60_000) % 10), "test": (pixels[:100], np.arange(100) % 10)}
    write(folder / "noise.h5", splits, name="noise", classes=10, source="noise", files={}, made_of={})
    without_torch = folder / "without_torch"
    without_torch.mkdir()
    (without_torch / "torch.py").write_text("raise ImportError('torch is not to be imported here')\n")
    every = f"seeds={list(range(10))}".replace(" ", "")
    kept = ["--configfile", KEPT / "config.yaml"]
    tidy = ["--config", f"tidy={KEPT / 'figures'}", "--forceall", "--", REDRAWN]
    scripts = Path(os.pathsep.join([str(without_torch), str(SCRIPTS)]))
    recipe = json.dumps(canonical(ONE_STEP, "benchmark"))
    return {
        "dry run of all": (15, [*SNAKEMAKE, "--dry-run", "all"], SCRIPTS),
        "dry run of all, ten seeds": (120, [*SNAKEMAKE, "--dry-run", "all", "--config", every], SCRIPTS),
        "a figure drawn again, torch barred": (6, [*SNAKEMAKE, *kept, *tidy], without_torch),
        "imports of all that only draws, torch barred": (
            6,
            [sys.executable, "-c", f"import {DRAWING}"],
            scripts,
        ),
        "a training job to its first step": (4, [sys.executable, "-c", TRAIN, recipe], SCRIPTS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="part of what is timed, such as 'dry run'")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/reference/speed")
    chosen = parser.parse_args()
    started, rows = now(), []
    with tempfile.TemporaryDirectory() as name:
        for what, (aim, command, path) in works(Path(name)).items():
            if chosen.only not in what:
                continue
            runs = [timed(command, Path(name), path) for _ in range(chosen.rounds)]
            wall, cpu = (median(seconds) for seconds in zip(*runs, strict=True))
            rows.append(
                {
                    "what": what,
                    "aim": aim,
                    "wall": wall,
                    "cpu": cpu,
                    "rounds": chosen.rounds,
                    "met": cpu < aim,
                }
            )
            print(
                "{what:45} {wall:6.1f} s, {cpu:6.1f} s of a processor; aim {aim:3} s".format(**rows[-1]),
                flush=True,
            )
    versions = {name: version(name) for name in ("snakemake", "torch")}
    save(chosen.output / "workflow.csv", rows, started, **versions)


if __name__ == "__main__":
    main()
