"""Small training DAGs for tests that run them for good, with accidents on the way."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from spatial_adversarial.records.identity import canonical
from spatial_adversarial.records.recipe import Recipe

ROOT = Path(__file__).parents[1]
PRODUCTS = (
    "runs/**/weights.pt",
    "runs/**/history.csv",
    "runs/**/run.yaml",
    "evaluations/**/*.h5",
    "figures/**/*.csv",
)
OVER = {
    "papers": ["invariance"],
    "results": "results",
    "device": "auto",
    "report": False,
    "bootstrap": {"replicates": 50, "level": 0.95, "seed": 0},
}
BUDGET = {"test_images": 100, "validation_images": 90}
EPOCHS = 25


def recipe_of(**settings) -> Recipe:
    """The record of a recipe of one phase, on batches of 50 images."""
    plain = {"data": "toy", "model": {"name": "stdcnn"}, "optimiser": {"name": "sgd", "lr": 0.1}, "batch": 50}
    return Recipe.of(canonical(plain | settings, "test"))


def prepare(folder: Path, **budget: dict) -> Path:
    """Make a working folder with the demo's config, smaller; the workflow itself stays where it is."""
    full, demo = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
        for name in ("config.yaml", "profiles/demo/demo.yaml")
    )
    small = full | demo | OVER
    small["budget"] |= BUDGET | budget
    small["overrides"]["recipes"]["mnist_sgd"]["epochs"] = EPOCHS
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(small, sort_keys=False), encoding="utf-8")
    return folder


def start(folder: Path, *arguments: str, out: Path, **environment: str) -> subprocess.Popen:
    """Start Snakemake in a working folder; what it says goes to the file `out`."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *arguments]
    with open(out, "w") as file:
        return subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, env=os.environ | environment)


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """(exit status, what it said) of Snakemake on two cores in a working folder."""
    out = folder / "snakemake.log"
    status = start(folder, "--cores", "2", *arguments, out=out, **environment).wait()
    return status, out.read_text()


def products(folder: Path) -> dict[str, bytes]:
    """What must not depend on where it was made, nor on accidents: weights, histories, predictions, numbers."""
    results = folder / "results"
    files = [path for pattern in PRODUCTS for path in results.glob(pattern)]
    return {str(path.relative_to(results)): path.read_bytes() for path in sorted(files)}
