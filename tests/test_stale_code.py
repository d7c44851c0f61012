"""What an edit of the workflow's own code makes again: the cheap stages that use it, never a training."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from spatial_adversarial.runner import imports

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "config.yaml", "workflow_scripts", "rules", "figures", "envs", "profiles")
LIBRARY = "workflow_scripts/spatial_adversarial"
CHEAP = {"aggregate", "draw", "make_table", "judge", "claims", "networks"}
ASKED = ("results/figures/invariance/fig1.csv", "results/tables/invariance/table1.csv", "results/claims.csv")


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A copy of the repository, to be edited."""
    clone = tmp_path_factory.mktemp("repository")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, clone)
    return clone


@pytest.fixture
def clone(repository):
    """The copy; what a test has edited of it is put back."""
    yield repository
    for name in PARTS:
        for file in (ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name]:
            ours = repository / file.relative_to(ROOT)
            if file.is_file() and ours.is_file() and file.read_bytes() != ours.read_bytes():
                shutil.copy(file, ours)


def edit(clone: Path, *files: str) -> None:
    """Add a comment to files; Python, YAML and CSS alike."""
    for name in files:
        before = (clone / name).read_text(encoding="utf-8")
        comment = "/* edited */" if name.endswith(".css") else "# edited"
        (clone / name).write_text(f"{before}\n{comment}\n", encoding="utf-8")


@pytest.fixture
def digests(clone, monkeypatch):
    """digests() -> {script of a cheap stage: the digest of its code} in the copy, as a new process would find it."""
    monkeypatch.setattr(imports, "LIBRARY", clone / LIBRARY)

    def found() -> dict[str, str]:
        imports._digest.cache_clear()  # imports are known by file: what a test edits has the same ones
        return {name: imports.code_digest(clone / f"workflow_scripts/{name}.py") for name in CHEAP}

    return found


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("theory/statements.py", {"aggregate", "draw", "make_table"}),
        ("models/layers.py", {"networks"}),
        ("models/groups.py", {"networks"}),
        ("plots/trade_off.py", {"aggregate", "draw", "make_table"}),
        ("catalog/targets.py", {"aggregate", "draw", "make_table"}),
        ("catalog/__init__.py", {"aggregate", "draw", "make_table"}),
        ("records/schemas/paper.yaml", {"aggregate", "draw", "make_table", "judge"}),
        ("records/schemas/registry.yaml", {"aggregate", "draw", "make_table", "judge"}),
        ("judging/verdicts.py", {"judge"}),
        ("reporting/captions.py", {"draw", "make_table"}),
        ("results/store.py", {"aggregate", "draw", "make_table", "judge"}),
        ("runner/files.py", CHEAP),
        ("reporting/site/templates/style.css", set()),
        ("training/loop.py", set()),
        ("evaluation/profiles.py", set()),
        ("planning/plan.py", set()),
        *((f"../{name}.py", {name}) for name in sorted(CHEAP)),
        ("../train.py", set()),
    ],
)
def test_an_edit_makes_stale_what_imports_it(clone, digests, file, stale):
    before = digests()
    edit(clone, f"{LIBRARY}/{file}")
    after = digests()
    assert {name for name in CHEAP if after[name] != before[name]} == stale


def test_the_same_content_of_another_time_has_the_same_digest(clone, digests):
    before = digests()
    for file in clone.rglob("*.py"):
        os.utime(file)
    assert digests() == before


def test_all_digests_parse_each_file_once(monkeypatch):
    """What they add to each start of the workflow, as work: the scripts share the parsing of the library."""
    imports._imported.cache_clear()
    imports._digest.cache_clear()
    parsed, read, parse, read_bytes = [], Counter(), ast.parse, Path.read_bytes
    monkeypatch.setattr(ast, "parse", lambda source: parsed.append(source) or parse(source))
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.update([path]) or read_bytes(path))
    scripts = [ROOT / f"workflow_scripts/{name}.py" for name in CHEAP]
    for script in scripts:
        imports.code_digest(script)
    files = {file for script in scripts for file in imports.sources(script)}
    assert set(read) == files and len(parsed) == sum(file.suffix == ".py" for file in files) > 100
    assert max(read.values()) <= 2, "to be parsed, and to be hashed"


@pytest.fixture(scope="module")
def finished(repository, tmp_path_factory) -> Path:
    """A folder in which a figure, a table and the claims of invariance are done as far as Snakemake can tell."""
    folder = tmp_path_factory.mktemp("finished")
    full = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    small = {"papers": ["invariance"], "budget": {"members": 2}, "only_data": ["mnist"]}
    (folder / "config.yaml").write_text(yaml.safe_dump(full | small), encoding="utf-8")
    for file in re.findall(r"^((?:results|data)/\S+)\t", plan(repository, folder, "--summary"), re.M):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}", encoding="utf-8")
    plan(repository, folder, "--touch", "--forceall")
    return folder


def plan(clone: Path, folder: Path, *options: str) -> str:
    """What Snakemake says of the results that are asked for, with the copy's workflow."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(clone / "Snakefile"), "--cores", "1"]
    done = subprocess.run([*command, *options, "--", *ASKED], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def planned(clone: Path, folder: Path) -> set[str]:
    return set(re.findall(r"^(\w+) +\d+$", plan(clone, folder, "--dry-run"), re.M)) - {"total"}


def test_an_edit_plans_the_stages_that_use_it_and_no_training(clone, finished):
    for file in clone.rglob("*.py"):
        os.utime(file)
    assert planned(clone, finished) == set(), "the same content, newer"
    edit(clone, f"{LIBRARY}/models/layers.py")
    assert planned(clone, finished) == {"networks", "tabulate"}


def test_all_files_edited_at_once_plan_all_cheap_stages_and_no_training(clone, finished):
    """Before what is derived from imports, this was "Nothing to be done" for 94 modules."""
    files = [str(file.relative_to(clone)) for file in (clone / "workflow_scripts").rglob("*.py")]
    edit(clone, *files)
    assert planned(clone, finished) == {"aggregate", "draw", "tabulate", "judge", "claims", "networks"}
