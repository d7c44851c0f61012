"""Where and how a user starts the workflow: other folders, other libraries, other config files, misspelt targets."""

import os
import re
import subprocess
import sys
from argparse import Namespace
from collections import ChainMap
from pathlib import Path

import pytest
import yaml
from snakemake.exceptions import WorkflowError

from spatial_adversarial.catalog import load
from spatial_adversarial.records.reading import read
from spatial_adversarial.runner.command_line import check_targets, replaced_config_files
from spatial_adversarial.runner.device import pick_device

ROOT = Path(__file__).parents[1]
RESULTS = [
    "results/figures/invariance/fig1.pdf",
    "results/figures/invariance/fig1.csv",
    "results/tables/cusp/table1.md",
]
RESULTS += ["results/figures/tradeoff/fig1.pdf"]


class Rule:
    """What of Snakemake's rules is asked."""

    def __init__(self, name: str, made: str = ""):
        self.name, self.made = name, made

    def is_producer(self, target: str) -> bool:
        return bool(self.made) and target.startswith(self.made)


RULES = [Rule("all"), Rule("invariance"), Rule("plan"), Rule("draw", "results/figures/")]


@pytest.mark.parametrize(
    ("target", "near"),
    [
        ("fig1", "did you mean results/figures/invariance/fig1.pdf or results/figures/tradeoff/fig1.pdf?"),
        ("fig1.csv", "did you mean results/figures/invariance/fig1.csv?"),
        ("fig1.pdf", "results/figures/invariance/fig1.pdf or results/figures/tradeoff/fig1.pdf?"),
        ("table1", "results/tables/cusp/table1.md"),
        ("fig99.pdf", "fig1.pdf"),
        ("invarience", "did you mean invariance?"),
        ("plann", "did you mean plan?"),
        ("xyz", "no rule 'xyz', and no rule makes such a file"),
    ],
)
def test_an_unknown_target_is_told_with_the_nearest_names(target, near):
    with pytest.raises(WorkflowError) as refused:
        check_targets(Namespace(targets=["all", target]), RULES, RESULTS)
    print(refused.value)
    assert f"no rule {target!r}" in str(refused.value) and near in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_a_rule_makes_or_is_there_already_is_a_target(tmp_path):
    there = tmp_path / "there.txt"
    there.touch()
    check_targets(Namespace(targets=["all", "plan", "results/figures/x/y.pdf", str(there)]), RULES, RESULTS)
    check_targets(Namespace(targets=[]), RULES, RESULTS)
    check_targets(None, RULES, RESULTS)


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A folder with mine.yaml and the profile `demo`, which names demo.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/config.yaml").write_text("cores: 1\nconfigfile: demo/demo.yaml\n")
    for file in ("demo/demo.yaml", "mine.yaml"):
        (tmp_path / file).write_text("seeds: [0]\n")
    return "demo"


def test_the_config_files_of_a_profile_that_typed_ones_replace_are_found(profile, tmp_path):
    def replaced(**typed) -> list[str]:
        asked = Namespace(**{"profile": [profile], "configfile": [Path("mine.yaml")]} | typed)
        return [str(file.relative_to(tmp_path)) for file in replaced_config_files(asked, tmp_path)]

    assert replaced() == ["demo/demo.yaml"]
    both = [Path("demo/demo.yaml"), Path("mine.yaml")]
    assert replaced(configfile=both) == replaced(configfile=None) == replaced(profile=None) == []
    assert replaced_config_files(None, tmp_path) == []


def test_a_profiles_config_stays_below_a_config_file_that_is_typed(tmp_path):
    """`--profile profiles/demo --configfile mine.yaml`: the demo's runs, with the folder and the seed of mine.yaml."""
    (tmp_path / "mine.yaml").write_text("results: mine\nseeds: [7]\n")
    layered = ["--profile", str(ROOT / "profiles/demo"), "--configfile", "mine.yaml"]
    status, said = started(tmp_path, *layered, "-n", "--", "mine/figures/invariance/fig1.pdf")
    assert status == 0, said
    trained = re.findall(r"Train (\S+), seed (\d+)\.", said)
    demo = (ROOT / "config.yaml", ROOT / "profiles/demo/demo.yaml")
    demos = load(dict(ChainMap(*(read(file) for file in reversed(demo)))), ROOT / "figures", "invariance")
    assert {run for run, _ in trained} == set(demos.targets["invariance", "fig1"].paths())
    assert {seed for _, seed in trained} == {"7"}


def test_more_threads_than_the_machine_has_are_refused_by_a_job():
    with pytest.raises(RuntimeError, match=f"config: threads: 100000, but this machine has {os.cpu_count()}"):
        pick_device("cpu", 100_000)


def started(
    folder: Path, *arguments: str, snakefile: Path = ROOT / "Snakefile", **environment: str
) -> tuple[int, str]:
    """Snakemake started in a folder, which is not the repository's."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--cores", "1", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_it_runs_from_elsewhere_in_odd_surroundings_by_its_own_library(tmp_path):
    """A user's config alone, another clone on PYTHONPATH, a notebook's MPLBACKEND, a matplotlibrc: the same bytes."""
    clone = tmp_path / "clone/spatial_adversarial"
    clone.mkdir(parents=True)
    (clone / "__init__.py").write_text("raise RuntimeError('the library of another clone')\n")
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\naxes.facecolor: pink\n")
    odd = {"PYTHONPATH": str(clone.parent), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    odd["MATPLOTLIBRC"] = str(tmp_path / "matplotlibrc")
    target = "mine/figures/invariance/theory.pdf"
    made = []
    for name, environment in (("plain", {}), ("odd", odd)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mine.yaml").write_text(
            "papers: [invariance]\nresults: mine\noverrides: {theory: {samples: 100}}\n"
        )
        status, said = started(folder, "--configfile", "mine.yaml", "--", target, **environment)
        assert status == 0, said
        made.append((folder / target).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("config", "arguments", "named"),
    [
        (
            "papers: [invariance]\nthreads: 100000\n",
            ["data/raw/digits.json"],
            f"threads: 100000, but this machine has {os.cpu_count()}",
        ),
        ("papers: [invariance] # caf\xe9\n", ["-n", "plan"], "config.yaml: line 1 is not UTF-8"),
        ("budget: &a {points: *a}\n", ["-n", "plan"], "config.yaml: budget.points: an anchor holds itself"),
        ("seeds: [0]\nseeds: [1]\n", ["-n", "plan"], "mine.yaml: key 'seeds' is given twice"),
        (
            "papers: [cusp]\n",
            ["-n", "results/figures/cusp/table1.pdf"],
            "cusp.yaml: table1 is a table: ask for results/tables/",
        ),
        (
            "papers: [cusp]\n",
            ["-n", "results/tables/cusp/fig2.md"],
            "cusp.yaml: fig2 is a figure: ask for results/figures/",
        ),
        (
            "papers: [cusp]\n",
            ["-n", "fig1"],
            "no rule 'fig1', and no rule makes such a file: did you mean results/figures/",
        ),
    ],
    ids=[
        "threads",
        "not UTF-8",
        "a looped anchor",
        "twice",
        "a table as a figure",
        "a figure as a table",
        "unknown",
    ],
)
def test_snakemake_says_it_in_one_line_and_starts_nothing(
    told, call_snakemake, tmp_path, config, arguments, named
):
    file = "config.yaml" if named.startswith("config.yaml") else "mine.yaml"
    (tmp_path / file).write_text(config, encoding="latin-1")
    *options, target = arguments
    options += ["--configfile", file] if file == "mine.yaml" else []
    status, said = call_snakemake(tmp_path, *options, "--", target)
    told(next((line for line in said.splitlines() if named in line), said))
    assert status != 0
    assert len([line for line in said.splitlines() if named in line]) == 1, said
    assert "Traceback (most recent call last)" not in said
    assert not (tmp_path / "data").exists() and not (tmp_path / "results").exists()


THEORY = "papers: [invariance]\noverrides: {theory: {samples: 100}}\n"
OUTER = f"""
configfile: "config.yaml"


module robustness:
    snakefile:
        {str(ROOT / "Snakefile")!r}
    config:
        config["robustness"]


use rule * from robustness as robustness_*


rule shown:
    default_target: True
    input:
        "theirs/figures/invariance/theory.png",
    output:
        "shown.png",
    shell:
        "cp {{input}} {{output}}"
"""


@pytest.fixture
def outer(tmp_path) -> Path:
    """A workflow of someone else's that takes a theory figure from this one, with a config.yaml of its own."""
    (tmp_path / "Snakefile").write_text(OUTER)
    config = {"theirs": 1, "robustness": {"results": "theirs", **yaml.safe_load(THEORY)}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path / "Snakefile"


def test_it_is_a_module_of_another_workflow(outer, tmp_path):
    status, said = started(tmp_path, "-n", snakefile=outer)
    assert status == 0, said
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE))
    assert jobs == {"robustness_aggregate": "1", "robustness_draw": "1", "shown": "1", "total": "3"}


@pytest.mark.slow
def test_as_a_module_it_makes_a_figure(outer, tmp_path):
    status, said = started(tmp_path, snakefile=outer)
    assert status == 0, said
    assert (tmp_path / "shown.png").read_bytes() == (
        tmp_path / "theirs/figures/invariance/theory.png"
    ).read_bytes()


@pytest.mark.slow
def test_jobs_have_the_config_of_a_profile_below_the_typed_one(tmp_path):
    """Where jobs lacked the profile's `results`, they would not know the files that they are to make."""
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/config.yaml").write_text("configfile: theirs.yaml\n")
    (tmp_path / "theirs.yaml").write_text("results: theirs\n")
    (tmp_path / "mine.yaml").write_text(THEORY)
    figure = "theirs/figures/invariance/theory.csv"
    status, said = started(tmp_path, "--profile", "profile", "--configfile", "mine.yaml", "--", figure)
    assert status == 0 and (tmp_path / figure).is_file(), said
