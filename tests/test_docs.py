"""What docs/extending.md shows does what it says."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from spatial_adversarial import methods
from spatial_adversarial.catalog import load
from spatial_adversarial.data import sources, stand_ins

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


def test_an_attack_is_a_function():
    attack = executed("attacks/sign_noise.py")["sign_noise"]
    x = torch.rand(4, 1, 5, 5)
    moved = attack(x, eps=0.1, generator=torch.Generator().manual_seed(0))
    assert torch.allclose((moved - x).abs().max(), torch.tensor(0.1))
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_a_training_method_is_a_class(monkeypatch):
    noise = executed("methods/noise.py")["Noise"]
    monkeypatch.setitem(methods.METHODS, "noise", noise)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9, 2))
    x, y = torch.rand(6, 1, 3, 3), torch.zeros(6, dtype=torch.int64)
    criterion = torch.nn.functional.cross_entropy
    method = methods.make({"noise": {"eps": 0.0}})
    adversarial = method.attack(network, x, y, methods.Context(torch.Generator()))
    loss, logits = method.loss(network, x, adversarial, y, criterion=criterion)
    assert loss == criterion(network(x), y)
    assert torch.equal(logits, network(x))


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
