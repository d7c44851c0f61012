"""The files in envs/ that follow from the pins agree with them, and conda's stands alone."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[1] / "envs"
RENEW = "run bash envs/renew.sh"


def pins(name: str) -> list[str]:
    """The pinned packages of a requirements file and of those that it includes, "name==version"."""
    lines = (ENVS / name).read_text(encoding="utf-8").splitlines()
    included = [match[1] for line in lines if (match := re.match(r"-r (\S+)", line))]
    return [pin for other in included for pin in pins(other)] + [
        match[0] for line in lines if (match := re.match(r"[\w.-]+==[\w.]+", line))
    ]


def locked(name: str) -> dict[str, list[str]]:
    """{pin: its hashes} of a lock."""
    text = (ENVS / name).read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+==[^\s;]+)[^\n]*((?:\n +--hash=sha256:[0-9a-f]{64}(?: \\)?)*)", text, re.M)
    return {pin: re.findall(r"sha256:[0-9a-f]{64}", hashes) for pin, hashes in found}


def test_condas_environment_has_the_pins_and_names_no_other_file():
    environment = yaml.safe_load((ENVS / "environment.yaml").read_text(encoding="utf-8"))
    packages = environment["dependencies"][-1]["pip"]
    assert packages == pins("requirements.txt"), RENEW
    assert not [line for line in packages if line.startswith("-")], "Snakemake copies this file alone"


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("requirements.lock", ["requirements.txt"]),
        ("requirements-dev.lock", ["requirements-dev.txt", "requirements-slurm.txt"]),
    ],
)
def test_a_lock_has_every_pin_and_a_hash_of_every_package(lock, requirements):
    found = locked(lock)
    assert {pin for name in requirements for pin in pins(name)} <= set(found), RENEW
    assert [pin for pin, hashes in found.items() if not hashes] == []
    assert len(found) > 80, "the whole closure"


def test_the_container_is_built_from_the_lock():
    assert "--require-hashes -r /tmp/requirements.lock" in (ENVS / "Dockerfile").read_text(encoding="utf-8")


ROOT = ENVS.parent
NAMES = {
    "pyyaml": "yaml",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "adversarial-robustness-toolbox": "art",
}
COMMANDS = {"ruff": "ruff check", "snakefmt": "snakefmt", "import-linter": "lint-imports", "mypy": "mypy"}
PLUGINS = {"pytest-xdist": "--numprocesses"}  # of pytest, by an option of theirs that pyproject.toml has
ASKED_BY_SNAKEMAKE = {"pygments", "snakemake-executor-plugin-slurm"}  # for its report, and to submit to SLURM


def imported(*folders: str) -> set[str]:
    """The packages that the Python files and rules of some folders import, but for this project and Python's own."""
    files = [
        file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".smk")
    ]
    found = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".smk":
            text = "\n".join(re.findall(r"^(?:import|from) [\w.]+(?= import|$)", text, re.M))
            text = re.sub(r"^from ([\w.]+)", r"import \1", text, flags=re.M)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    ours = {
        file.stem
        for folder in ("workflow_scripts", "tests", "benchmarks")
        for file in (ROOT / folder).glob("*")
    }
    return found - ours - sys.stdlib_module_names


def names(*requirements: str) -> set[str]:
    """The names by which the pinned packages are imported."""
    found = {pin.partition("==")[0] for name in requirements for pin in pins(name)} - ASKED_BY_SNAKEMAKE
    return {NAMES.get(name, name.replace("-", "_")) for name in found}


def test_the_workflow_imports_what_is_pinned_for_it_and_nothing_else():
    assert imported("workflow_scripts", "rules") == names("requirements.txt")
    assert names("requirements-redraw.txt") <= names("requirements.txt")


def test_tests_and_benchmarks_import_what_is_pinned_for_them_and_nothing_else():
    tools = {name.replace("-", "_") for name in COMMANDS | PLUGINS}
    pinned = names("requirements-dev.txt", "requirements-bench.txt", "requirements-slurm.txt")
    assert imported("workflow_scripts", "rules", "tests", "benchmarks") == pinned - tools
    run = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert [name for name, command in COMMANDS.items() if command not in run] == []
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    assert [name for name, option in PLUGINS.items() if option not in options["ini_options"]["addopts"]] == []
