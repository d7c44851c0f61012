"""What tests of the catalog and of the DAG share: the full config, and paper specs that a test may edit."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from before import BEFORE

ROOT = Path(__file__).parents[1]
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before NumPy is imported: a worker, and what it starts, has one core


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Sums in the same order everywhere, whatever a test before this one has set."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture
def told(request):
    """told(line): print a fault, what it did before, and the line of today: a table with `pytest -rP`."""
    fault = request.node.callspec.id
    known = next((BEFORE[name] for name in (fault, fault.rpartition("-")[0]) if name in BEFORE), None)
    return lambda line: print(f"{fault} | {known} | {line}") if known else None


@pytest.fixture
def full_config() -> dict:
    """config.yaml, with every data set trained on."""
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")) | {"only_data": None}


@pytest.fixture
def demo_config(full_config) -> dict:
    """config.yaml with the demo's config over it, as Snakemake lays them."""
    return full_config | yaml.safe_load((ROOT / "profiles/demo/demo.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def specs(tmp_path) -> Path:
    """A copy of figures/ that a test may edit."""
    return Path(shutil.copytree(ROOT / "figures", tmp_path / "figures"))


@pytest.fixture
def edit(specs):
    """edit(file, {"a.b": value}): change keys of a paper spec; ... deletes one."""

    def change(file: str, changes: dict) -> None:
        spec = yaml.safe_load((specs / file).read_text(encoding="utf-8"))
        put(spec, changes)
        (specs / file).write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")

    return change


@pytest.fixture
def edited(full_config):
    """edited({"a.b": value}): the full config with keys changed; ... deletes one."""

    def change(changes: dict) -> dict:
        put(full_config, changes)
        return full_config

    return change


@pytest.fixture
def dry_run(tmp_path, snakemake):
    """dry_run(config, *arguments) -> (exit status, what Snakemake said), in a folder with nothing done."""
    return lambda config, *arguments: snakemake(tmp_path, config, "--dry-run", *arguments)


@pytest.fixture(scope="session")
def warm_snakemake():
    """A process that calls Snakemake without the time of its start; see tests/warm_snakemake.py."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow_scripts")}
    command = [sys.executable, str(ROOT / "tests/warm_snakemake.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        yield process


@pytest.fixture(scope="session")
def call_snakemake(warm_snakemake, tmp_path_factory):
    """call_snakemake(folder, *arguments) -> (exit status, what it said): the workflow with a folder's own config."""
    out = tmp_path_factory.mktemp("snakemake") / "said"

    def call(folder: Path, *arguments: str) -> tuple[int, str]:
        out.unlink(missing_ok=True)
        where = ["--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--directory", str(folder)]
        call = {"folder": str(folder), "arguments": [*where, *arguments], "environment": dict(os.environ)}
        print(json.dumps(call | {"out": str(out)}), file=warm_snakemake.stdin, flush=True)
        status = int(warm_snakemake.stdout.readline())
        return status, out.read_text(encoding="utf-8")

    return call


@pytest.fixture(scope="session")
def snakemake(call_snakemake):
    """snakemake(folder, config, *arguments) -> (exit status, what it said): the workflow run in a folder."""

    def run(folder: Path, config: dict, *arguments: str) -> tuple[int, str]:
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return call_snakemake(folder, *arguments)

    return run


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """prepared(name, entry) -> the HDF5 file of a data set that is made, not downloaded, as the registry enters it."""
    from spatial_adversarial.data.prepare import prepare

    def made(name: str, entry: dict) -> str:
        folder = tmp_path_factory.mktemp("data")
        prepare(name, entry, folder, folder / f"{name}.h5")
        return str(folder / f"{name}.h5")

    return made


def put(tree: dict, changes: dict) -> None:
    """Set the dotted keys of a tree in place; ... deletes one. Missing mappings on the way are made."""
    for dotted, value in changes.items():
        *way, last = dotted.split(".")
        place = tree
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        if value is ...:
            del place[last]
        else:
            place[last] = value
