"""A user's own model, from a file, a builder in it and a checkpoint: the papers' figures gain its panels."""

import re
from pathlib import Path

import pandas as pd
import pytest
import torch

from spatial_adversarial import models
from spatial_adversarial.catalog import CatalogError, load

ROOT = Path(__file__).parents[1]
BUILDER = """
from torch import nn

def build(channels, side, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 16), nn.ReLU(), nn.Linear(16, classes))

def seven(channels, side, classes):
    return build(channels, side, 7)

def square(channels, side, classes):
    return build(channels, 32, classes)
"""
SHAPE = {"channels": 1, "side": 28, "classes": 10}


@pytest.fixture
def mine(tmp_path) -> dict:
    """The config's entry of a model with a checkpoint of its own."""
    file, weights = tmp_path / "mine.py", tmp_path / "mine.pt"
    file.write_text(BUILDER)
    places: dict = {}
    exec(BUILDER, places)
    torch.save(places["build"](**SHAPE).state_dict(), weights)
    return {
        "label": "Mine",
        "file": str(file),
        "builder": "build",
        "weights": str(weights),
        "data": "mnist",
        "figures": ["invariance/fig1"],
    }


def spec(mine: dict, **changes) -> dict:
    return {"name": "own"} | {key: mine[key] for key in ("file", "builder", "weights")} | changes


def test_the_network_is_the_users_own(mine):
    network = models.build(spec(mine), **SHAPE)
    weights = torch.load(mine["weights"])
    x = torch.rand(5, 1, 28, 28)
    hidden = torch.relu(x.flatten(1) @ weights["1.weight"].T + weights["1.bias"])
    assert torch.allclose(network(x), hidden @ weights["3.weight"].T + weights["3.bias"], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"builder": "bild"}, r"mine\.py: bild: no such builder"),
        (
            {"builder": "seven", "weights": None},
            r"seven: logits of 2 images have shape \[2, 7\], expected \[2, 10\]",
        ),
        ({"builder": "square", "weights": None}, r"square: does not take images of shape \[1, 28, 28\]"),
        ({"builder": "seven"}, r"mine\.pt: damaged, or weights of another network"),
        ({"weights": "none.pt"}, r"none\.pt: no such weights"),
        ({"file": "none.py"}, r"none\.py: no such file"),
    ],
)
def test_what_does_not_fit_is_one_line(mine, changes, message):
    with pytest.raises(ValueError, match=message) as error:
        models.build(spec(mine, **changes), **SHAPE)
    assert "\n" not in str(error.value)


def test_a_figure_gains_a_panel_a_profile_and_a_run_that_trains_nothing(mine, full_config):
    before = load(full_config, ROOT / "figures")
    catalog = load(full_config | {"own": {"mine": mine}}, ROOT / "figures")
    fig1 = catalog.targets["invariance", "fig1"]
    added = [panel for panel in fig1.panels if panel.model == "mine"]
    assert [panel.letter for panel in added] == ["a mine", "b mine", "a' mine"]
    (path,) = {member.path for panel in added for member in panel.members}
    assert re.fullmatch(r"mnist/mine/given-[0-9a-f]{8}", path)
    assert catalog.recipe(path)["phases"][0]["epochs"] == 0
    shown = {line.profiles[p.members[0].path].file for p in fig1.panels[:3] for line in p.lines}
    assert set(catalog.profiles[path]) == shown
    assert set(before.recipes) == set(catalog.recipes) - {path}


def test_an_edit_of_its_files_is_another_run(mine, full_config):
    config = full_config | {"own": {"mine": mine}}
    before = set(load(config, ROOT / "figures").recipes)
    Path(mine["file"]).write_text(BUILDER + "# edited\n")
    assert len(set(load(config, ROOT / "figures").recipes) - before) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file": "none.py"}, "no such file none.py"),
        ({"data": "mnst"}, r"own\.mine\.data: unknown data set 'mnst' \(did you mean 'mnist'\?\)"),
        ({"figures": ["invariance/fig11"]}, r"own\.mine\.figures: unknown figure 'invariance/fig11'"),
        ({"bilder": "build"}, "unknown key 'bilder'"),
    ],
)
def test_a_wrong_entry_is_one_line_before_any_job(mine, full_config, changes, message):
    with pytest.raises(CatalogError, match=message):
        load(full_config | {"own": {"mine": mine | changes}}, ROOT / "figures")


@pytest.mark.slow
def test_its_profiles_are_drawn_without_training(mine, demo_config, snakemake, tmp_path):
    small = {"budget": {"members": {"rotate": [0]}, "points": 2, "test_images": 50}, "papers": ["invariance"]}
    config = demo_config | small | {"own": {"mine": mine}, "report": False}
    folder = tmp_path / "work"
    folder.mkdir()
    status, said = snakemake(folder, config, "results/demo/figures/invariance/fig1.csv")
    assert status == 0, said
    rows = pd.read_csv(folder / "results/demo/figures/invariance/fig1.csv")
    assert set(rows[rows["model"] == "mine"]["metric"]) == {"rate_of_invariance", "one_minus_fooling_rate"}
    assert rows[rows["model"] == "mine"]["value"].between(0, 1).all()
    (run,) = folder.glob("results/demo/runs/digits/mine/*/seed0")
    trained = torch.load(run / "weights.pt")
    given = torch.load(mine["weights"])
    assert all(torch.equal(trained[f"body.neck.{name}"], tensor) for name, tensor in given.items())
