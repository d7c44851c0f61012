"""What docs/extending.md shows does what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from spatial_adversarial import metrics, panels
from spatial_adversarial.attacks import PERTURBATIONS
from spatial_adversarial.catalog import load
from spatial_adversarial.data import sources, stand_ins
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.evaluation.profiles import evaluate
from spatial_adversarial.models.network import Network
from spatial_adversarial.planning.costs import profile_passes
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.reporting import captions
from spatial_adversarial.results.aggregate import Aggregator
from spatial_adversarial.results.store import read_evaluation
from spatial_adversarial.settings.registry import REGISTRIES, discover

ROOT = Path(__file__).parents[1]


def block(name: str) -> str:
    """The block of the page that begins with a comment of that file name."""
    text = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```\w+\n# {re.escape(name)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return found


def executed(name: str, **known) -> dict:
    exec(block(name), known)
    return known


def test_an_own_model_is_a_file_a_checkpoint_and_an_entry(tmp_path, monkeypatch, full_config):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(block("mine.py"))
    Path("mine.pt").touch()
    entry = yaml.safe_load(block("mine.yaml"))
    catalog = load(full_config | entry, ROOT / "figures")
    for figure in entry["own"]["mine"]["figures"]:
        panels = catalog.targets[tuple(figure.split("/"))].panels
        assert {panel.family for panel in panels if panel.model == "mine"} == {"given"}
    logits = executed("mine.py")["build"](channels=1, side=28, classes=10)(torch.rand(3, 1, 28, 28))
    assert logits.shape == (3, 10)


def test_an_attack_check_is_a_line_of_the_config(full_config):
    catalog = load(full_config | yaml.safe_load(block("check.yaml")), ROOT / "figures")
    added = catalog.targets.keys() - load(full_config, ROOT / "figures").targets.keys()
    assert added == {("tradeoff", "fig2_attack_check"), ("invariance", "fig5_attack_check")}


def test_a_point_by_hand_is_a_paper_of_one_run(specs, full_config):
    (specs / "byhand.yaml").write_text(block("figures/byhand.yaml"), encoding="utf-8")
    catalog = load(full_config | {"papers": ["byhand"]}, specs)
    (target,) = catalog.targets.values()
    (path,) = target.paths()
    assert catalog.recipe(path)["phases"][0]["augment"]["rotate"] == 45
    assert {file.split("-")[0] for _, file in target.evaluations()} == {"rotation", "pgd"}


def test_a_table_of_results_is_rows_and_columns(specs, full_config):
    (specs / "mytable.yaml").write_text(block("figures/mytable.yaml"), encoding="utf-8")
    catalog = load(full_config | {"papers": ["mytable"]}, specs)
    (target,) = catalog.targets.values()
    assert [panel.letter for panel in target.panels] == ["plain", "turned"]
    assert len(target.paths()) == 2 and len(target.evaluations()) == 4
    shared = load(full_config, ROOT / "figures").targets["invariance", "fig1"]
    assert set(target.paths()) < set(shared.paths()), "the runs that the paper trains already"


def test_a_data_set_is_a_reader_and_a_line(monkeypatch):
    monkeypatch.setattr(stand_ins, "STAND_INS", dict(stand_ins.STAND_INS))
    executed("data/stand_ins.py", np=np, STAND_INS=stand_ins.STAND_INS)
    entry = yaml.safe_load(block("figures/registry.yaml"))["data"]["stripes"]
    for split, (images, labels) in sources.read(entry, ".").items():
        assert images.shape == (entry[split], entry["channels"], entry["side"], entry["side"])
        assert images.dtype == np.uint8
        assert set(labels) == set(range(entry["classes"]))


def test_an_attack_is_a_class(monkeypatch):
    """Evaluated as any other: noise is all that it is, and of more tries a worse one is taken."""
    noise = executed("attacks/sign_noise.py")["ATTACK"]
    monkeypatch.setitem(PERTURBATIONS["attack"], noise.name, noise)
    torch.manual_seed(3)
    body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(25, 8, bias=False), torch.nn.ReLU())
    network = Network(
        torch.nn.Identity(), torch.nn.Identity(), body, torch.nn.Linear(8, 3), group="z2"
    ).eval()
    x = torch.rand(60, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    images = ImageSet(x, network(x).argmax(1), 3, (0.5,), (0.5,))
    right = {}
    for tries in (1, 20):
        settings = {"attack": "sign_noise", "grid": [0, 0.3], "tries": tries}
        made = evaluate(network, images, ProfileSettings.of(settings), tell=lambda line: None)
        right[tries] = (made.prediction[:, 0] == made.label).mean(axis=1)
        assert profile_passes(settings | {"draws": 1}, 10, 3) == 10 * (1 + tries + 1)
    assert right[1][0] == right[20][0] == 1 and right[20][1] < right[1][1] < 1
    moved = noise(tries=1).examples(network, x, images.labels, eps=0.1, seed=0)
    assert moved.min() >= 0 and moved.max() <= 1 and (moved - x).abs().max() <= 0.1 + 1e-6
    assert noise(tries=5).words(0.1) == ["eps 0.1", "5 tries"]


def test_a_config_says_something_of_some_runs_panels_and_rows_only(full_config):
    catalog = load(full_config | yaml.safe_load(block("some.yaml")), ROOT / "figures")
    runs = catalog.runs(catalog.targets["invariance", "fig1"])
    assert {run.rpartition("/")[2] for run in runs} == {"seed0", "seed1", "seed2"}
    table = {panel.letter: panel for panel in catalog.targets["cusp", "table1"].panels}
    assert {key for key, panel in table.items() if not panel.reason} == {"3", "4", "7", "mine"}
    recipe = table["mine"].members[0].recipe
    assert recipe["phases"][0]["epochs"] == 12 and recipe["split"]["limit"] == 20000
    assert "mine" in {panel.letter for panel in catalog.targets["cusp", "fig6"].panels}
    assert {panel.letter for panel in catalog.targets["tradeoff", "fig2"].panels if not panel.reason} == {
        "a",
        "b",
        "b'",
    }
    lengths = {
        name: catalog.recipe(catalog.targets["invariance", name].paths()[0]) for name in ("fig1", "fig2")
    }
    assert {name: recipe["phases"][0]["epochs"] for name, recipe in lengths.items()} == {
        "fig1": 10,
        "fig2": 30,
    }


FIG1 = "results/figures/invariance/fig1.pdf"


@pytest.mark.parametrize("points", [5, {"pgd": [0, 0.1, 0.3]}], ids=str)
def test_a_budget_of_points_is_checked_for_what_is_asked(dry_run, full_config, points):
    """Figures of other data sets, or that show one point by itself, do not stand in the way of the one asked for."""
    config = full_config | {"budget": {"points": points}}
    status, said = dry_run(config, "--quiet", "all", "--", FIG1)
    assert status == 0, said


def test_a_list_of_points_that_does_not_fit_is_refused_where_it_is_asked_for(dry_run, full_config):
    config = full_config | {"budget": {"points": {"pgd": [0, 0.1, 0.3]}}}
    status, said = dry_run(config, "--quiet", "all", "--", FIG1.replace("fig1", "fig2"))
    assert status != 0
    assert "config: budget.points.pgd: 0.1 is none of [0, " in said


def test_a_number_of_points_keeps_the_one_that_a_line_shows(full_config):
    """fig14 shows each network at its own training rotation, which five evenly spread points have not."""
    catalog = load(full_config | {"papers": ["tradeoff"], "budget": {"points": 5}}, ROOT / "figures")
    panel = next(one for one in catalog.targets["tradeoff", "fig14"].panels if one.letter == "a")
    rotated = next(line for line in panel.lines if line.label == "test, rotated")
    grids = {member.strength: rotated.profiles[member.path].settings["grid"] for member in panel.members}
    assert grids[0] == [0, 45, 90, 135, 180] and grids[30] == [0, 30, 45, 90, 135, 180]


@pytest.fixture
def added(tmp_path, monkeypatch):
    """added(package, name): the module of a block of the page, found in a package as a file of it would be."""

    def add(package, name: str, constant: str, known: dict, *kinds: str):
        (tmp_path / name).write_text(block(f"{package.__name__.rpartition('.')[2]}/{name}"), encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        found = discover(package.__name__, constant, path=[str(tmp_path)])
        for registry in (known, *(REGISTRIES[kind] for kind in kinds)):
            monkeypatch.setitem(registry, Path(name).stem, found[Path(name).stem])

    return add


def test_a_metric_and_a_panel_kind_have_rows_and_a_figure(added, specs, full_config):
    added(metrics, "lost_accuracy.py", "METRIC", metrics.METRICS, "metric")
    added(panels, "bars.py", "PANEL", panels.PANELS, "panel kind")
    (specs / "lost.yaml").write_text(block("figures/lost.yaml"), encoding="utf-8")
    catalog = load(full_config | {"papers": ["lost"], "budget": {"members": 2}}, specs)
    (target,) = catalog.targets.values()
    assert [panel.kind for panel in target.panels] == ["profile", "bars"]

    def evaluated(path: str, profile, seed: int) -> Evaluation:
        """Of ten images eight are right when clean; at each point one of these more is lost."""
        label, grid = np.zeros(10, int), profile.settings["grid"]
        clean = np.array([1, 1, *np.zeros(8, int)])
        moved = np.stack([np.where(np.arange(10) < 2 + k % 5, 1, 0) for k in range(len(grid))])
        return Evaluation(label, clean, np.array(grid), moved[:, None])

    results = Aggregator(
        target,
        seeds=lambda run: [0],
        bootstrap={"replicates": 20, "level": 0.95, "seed": 0},
        status=lambda *run: "run",
        evaluation=lambda *key: key,
        classes={"mnist": 10},
    )
    results.inputs.evaluation = evaluated
    rows = results.table({}).rows
    for _, curve in rows.groupby(["panel", "strength"]):
        assert curve.value.tolist() == pytest.approx([k % 5 / 10 for k in range(len(curve))])
    assert set(rows.panel) == {"a", "b"} and set(rows.metric) == {"lost_accuracy"}
    drawn = panels.draw(rows, captions.figure(catalog, target))
    bars = next(axes for axes in drawn.axes if axes.patches)
    last = rows[(rows.panel == "b") & (rows.x == rows.x.iloc[-1])].value
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(last.tolist())
    assert bars.get_ylabel() == "lost accuracy"


@pytest.fixture
def clone(tmp_path):
    """A copy of the workflow to which a test may add files."""
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("rules", "workflow_scripts", "figures", "envs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def with_noise(clone: Path, config: dict) -> dict[str, str]:
    """Add the page's training method, its paper and its config to a clone; the environment that finds the clone."""
    method = clone / "workflow_scripts/spatial_adversarial/methods/noise.py"
    method.write_text(block("methods/noise.py"), encoding="utf-8")
    (clone / "figures/noisy.yaml").write_text(block("figures/noisy.yaml"), encoding="utf-8")
    small = {"epochs": 0.1, "test_images": 60, "points": 3}
    made = config | {"papers": ["noisy"], "results": "results", "budget": small}
    (clone / "config.yaml").write_text(yaml.safe_dump(made), encoding="utf-8")
    return os.environ | {"PYTHONPATH": str(clone / "workflow_scripts")}


KNOWN = """
import sys

sys.modules["torch"] = None
from pathlib import Path

from spatial_adversarial import methods
from spatial_adversarial.catalog import load
from spatial_adversarial.planning.costs import training_passes
from spatial_adversarial.records.reading import read
from spatial_adversarial.records.recipe import Recipe

catalog = load(read(Path("config.yaml")), Path("figures"))
(target,) = catalog.targets.values()
for path in sorted(target.paths(), reverse=True):
    recipe = catalog.recipe(path)
    print(path.split("/")[2].split("-")[0], recipe["phases"][0]["method"], training_passes(Recipe.of(recipe), 100))
del sys.modules["torch"]
import torch

x = torch.rand(6, 1, 3, 3)
moved = methods.make({"noise": {"eps": 0.25}}).attack(None, x, None, methods.Context(torch.Generator()))
changed = (moved - x).abs().max().item()
print(0 < changed < 0.25 + 1e-6, moved.min().item() >= 0, moved.max().item() <= 1)
"""


def test_a_training_method_is_in_the_catalog_and_the_plan_without_torch(clone, demo_config):
    told = subprocess.run(
        [sys.executable, "-c", KNOWN],
        cwd=clone,
        env=with_noise(clone, demo_config),
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    noise, natural, attack = told.stdout.splitlines()
    assert noise.startswith("noise0.3 {'noise': {'eps': 0.3}} ")
    assert natural.startswith("natural {} ")
    assert noise.split()[-1] == natural.split()[-1], "noise takes no pass through the network"
    assert attack == "True True True"


@pytest.mark.slow
def test_a_training_method_is_one_file(clone, demo_config):
    """From the config to the figure: plan, training, evaluation and drawing, by nothing but the file."""
    environment = with_noise(clone, demo_config)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "--", "noisy"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = pd.read_csv(clone / "results/figures/noisy/attacked.csv")
    assert set(rows.strength) == {0, 0.3} and set(rows.metric) == {"one_minus_fooling_rate"}
    (file,) = (clone / "results/runs").glob("*/stdcnn/noise0.3-*/seed0/run.yaml")
    recipe = yaml.safe_load(file.read_text(encoding="utf-8"))["recipe"]
    assert recipe["phases"][0]["examples"] == {"noise": {"eps": 0.3}}
    assert (clone / "results/figures/noisy/attacked.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_metric_and_a_panel_kind_are_a_file_each(clone, demo_config):
    """From the config to the figure: plan, training, evaluation, rows and drawing, by nothing but the two files."""
    for name in ("metrics/lost_accuracy.py", "panels/bars.py"):
        (clone / "workflow_scripts/spatial_adversarial" / name).write_text(block(name), encoding="utf-8")
    (clone / "figures/lost.yaml").write_text(block("figures/lost.yaml"), encoding="utf-8")
    config = demo_config | {"papers": ["lost"], "results": "results"}
    config["budget"] = {"epochs": 0.1, "test_images": 60, "members": 2, "points": 3}
    (clone / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "--", "lost"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = pd.read_csv(clone / "results/figures/lost/rotations.csv")
    assert set(rows.metric) == {"lost_accuracy"} and len(rows) == 2 * 2 * 3
    a, b = (rows[rows.panel == letter].drop(columns="panel").reset_index(drop=True) for letter in "ab")
    pd.testing.assert_frame_equal(a, b)
    for strength in set(rows.strength):
        run = f"rotate{strength}" if strength else "natural"
        (file,) = (clone / "results/evaluations/digits/stdcnn").glob(f"{run}-*/seed0/rotation-*.h5")
        found = read_evaluation(file)
        right = found.clean == found.label
        kept = [[np.mean(right & (draw == found.label)) for draw in point] for point in found.prediction]
        lost = [right.mean() - np.mean(point) for point in kept]
        assert a.value[a.strength == strength].tolist() == pytest.approx(lost)
    assert (clone / "results/figures/lost/rotations.png").stat().st_size > 10_000


@pytest.mark.slow
def test_an_attack_is_one_file(clone, demo_config):
    """From the config to the figure: its profile is checked, planned, evaluated and drawn; no other file changes."""
    added = clone / "workflow_scripts/spatial_adversarial/attacks/sign_noise.py"
    added.write_text(block("attacks/sign_noise.py"), encoding="utf-8")
    (clone / "figures/noise.yaml").write_text(block("figures/noise.yaml"), encoding="utf-8")
    config = demo_config | {"papers": ["noise"], "results": "results"}
    config["budget"] = {"epochs": 0.3, "test_images": 80, "members": {"rotate": [0]}}
    (clone / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for target in ("plan", "noise"):  # in one call, the plan may come after the evaluation
        command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "--", target]
        done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    plan = pd.read_csv(clone / "results/plan.csv").set_index("target")
    assert plan.evaluate_jobs["fig1"] == 1
    rows = pd.read_csv(clone / "results/figures/noise/fig1.csv")
    assert list(rows.x) == [0, 0.1, 0.4] and set(rows.metric) == {"robust_accuracy"}
    assert rows.value.iloc[0] > rows.value.iloc[-1], "the noise fools the network"
    assert (clone / "results/figures/noise/fig1.png").stat().st_size > 10_000
