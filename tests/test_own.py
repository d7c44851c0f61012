"""A user's own model, from a file, a builder in it and a checkpoint: the papers' figures gain its panels."""

import json
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
import yaml
from matplotlib.figure import Figure

import evaluate
from spatial_adversarial import models, panels
from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.judging.columns import column_of
from spatial_adversarial.judging.target_numbers import Numbers
from spatial_adversarial.models import user_weights
from spatial_adversarial.reporting import captions

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


def outputs(path, mine, x) -> torch.Tensor:
    """What the network of another file of weights makes of x."""
    with torch.no_grad():
        return models.build(spec(mine, weights=str(path)), **SHAPE)(x)


def as_they_come(weights: dict) -> dict:
    """{name: a function that writes the weights in that form}."""

    def torch_file(value, **options):
        return lambda path: torch.save(value, path, **options)

    epoch = {"epoch": 3, "optimizer": {"lr": 0.1}, "loss": torch.tensor(0.5)}
    parallel = {f"module.{name}": tensor for name, tensor in weights.items()}
    return {
        "torch before 1.6": torch_file(weights, _use_new_zipfile_serialization=False),
        "DataParallel's": torch_file(parallel),
        "compiled": torch_file({f"_orig_mod.{name}": tensor for name, tensor in weights.items()}),
        "state_dict": torch_file({"state_dict": weights} | epoch),
        "model": torch_file({"model": weights} | epoch),
        "all of it, before 1.6": torch_file(
            {"state_dict": parallel} | epoch, _use_new_zipfile_serialization=False
        ),
        "float64": torch_file({name: tensor.double() for name, tensor in weights.items()}),
        "safetensors": lambda path: safetensors.torch.save_file(weights, path),
        "safetensors, DataParallel's": lambda path: safetensors.torch.save_file(parallel, path),
    }


@pytest.mark.parametrize("form", as_they_come({}))
def test_weights_are_taken_in_the_forms_in_which_they_come(mine, tmp_path, form):
    as_they_come(torch.load(mine["weights"]))[form](tmp_path / "other")
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(outputs(tmp_path / "other", mine, x), outputs(mine["weights"], mine, x))


def test_a_network_with_a_part_called_module_keeps_its_names(tmp_path):
    linear = "nn.Sequential(nn.Flatten(), nn.Linear(784, 10))"
    builder = (
        f"from torch import nn\n\ndef build(channels, side, classes):\n    return nn.DataParallel({linear})\n"
    )
    (tmp_path / "parallel.py").write_text(builder)
    network = models.build(
        {"name": "own", "file": str(tmp_path / "parallel.py"), "builder": "build"}, **SHAPE
    )
    weights = network.body.neck.state_dict()
    assert all(name.startswith("module.") for name in weights)
    user_weights.load_checkpoint(network.body.neck, saved(weights, tmp_path / "weights.pt"))


def saved(value, path: Path) -> Path:
    torch.save(value, path)
    return path


def script(path: Path, weights: dict) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), path)


def damaged(path: Path, weights: dict) -> None:
    torch.save(weights, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda path, weights: torch.save(torch.nn.Linear(2, 2), path),
            r"whole pickled Python objects.*save the weights alone, torch\.save\(network\.state_dict\(\)",
        ),
        (
            lambda path, weights: torch.save(
                torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=False
            ),
            "whole pickled Python objects",
        ),
        (lambda path, weights: torch.save({"state_dict": weights, "at": Path()}, path), "whole pickled"),
        (script, r"is TorchScript.*torch\.jit\.load\(path\)\.state_dict\(\)"),
        (damaged, "damaged: wrong checksum"),
        (lambda path, weights: path.write_text("weights"), "damaged, or no file of weights"),
        (lambda path, weights: path.write_bytes(b""), "damaged, or no file of weights"),
        (lambda path, weights: path.write_bytes(b"\xff" * 7 + b"\0{}"), "damaged, or no file of weights"),
        (
            lambda path, weights: torch.save({"epoch": 3, "args": [1]}, path),
            "holds no state dict, but keys epoch, args",
        ),
        (lambda path, weights: torch.save(torch.zeros(3), path), "holds no state dict, but a Tensor"),
        (
            lambda path, weights: torch.save({"0.weight": torch.zeros(2, 2)}, path),
            "weights of another network .*Missing key",
        ),
    ],
)
def test_other_files_are_refused_in_one_line(mine, tmp_path, write, message):
    file = tmp_path / "other.pt"
    write(file, torch.load(mine["weights"]))
    with pytest.raises(ValueError, match=message) as error:
        models.build(spec(mine, weights=str(file)), **SHAPE)
    told = str(error.value)
    assert told.startswith(str(file)) and "\n" not in told and "\x1b" not in told


def test_no_code_in_a_file_of_weights_is_run(mine, tmp_path):
    class Malicious:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    for options in ({}, {"_use_new_zipfile_serialization": False}):
        torch.save({"state_dict": Malicious()}, tmp_path / "bad.pt", **options)
        with pytest.raises(ValueError, match="whole pickled"):
            models.build(spec(mine, weights=str(tmp_path / "bad.pt")), **SHAPE)
    assert not (tmp_path / "ran").exists()


DATACLASS = """
from __future__ import annotations
from dataclasses import dataclass

from layers import linear

@dataclass
class Size:
    hidden: int = 16

def build(channels, side, classes):
    from torch import nn
    return nn.Sequential(nn.Flatten(), linear(channels * side * side, Size().hidden), nn.ReLU(), linear(16, classes))
"""
LAYERS = "from torch import nn\nimport blocks.sizes\n\ndef linear(a, b):\n    return nn.Linear(a, b)\n"


@pytest.fixture
def neighbours(mine, tmp_path) -> dict:
    """An entry whose file has a dataclass and imports a neighbour, which imports a package beside it."""
    (tmp_path / "mine.py").write_text(DATACLASS)
    (tmp_path / "layers.py").write_text(LAYERS)
    (tmp_path / "blocks").mkdir()
    for name in ("__init__", "sizes"):
        (tmp_path / "blocks" / f"{name}.py").write_text("SIDE = 28\n")
    (tmp_path / "unrelated.py").write_text("raise RuntimeError\n")
    return mine


def test_a_file_with_a_dataclass_that_imports_its_neighbour(neighbours, tmp_path):
    x = torch.rand(5, 1, 28, 28)
    weights = torch.load(neighbours["weights"])
    hidden = torch.relu(x.flatten(1) @ weights["1.weight"].T + weights["1.bias"])
    expected = hidden @ weights["3.weight"].T + weights["3.bias"]
    assert torch.allclose(outputs(neighbours["weights"], neighbours, x), expected, atol=1e-5)
    assert "layers" not in sys.modules and str(tmp_path) not in sys.path


def test_neighbours_of_two_models_do_not_mix(neighbours, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.py").write_text(DATACLASS)
    (other / "layers.py").write_text(
        LAYERS.replace("import blocks.sizes", "").replace("(a, b)\n", "(a, b, bias=False)\n")
    )
    first = models.build(spec(neighbours), **SHAPE)
    second = models.build(spec(neighbours, file=str(other / "mine.py"), weights=None), **SHAPE)
    assert [len(network.state_dict()) for network in (first, second)] == [4, 2]


@pytest.mark.parametrize("edited", ["layers.py", "blocks/sizes.py"])
def test_an_edit_of_a_neighbour_is_another_run(neighbours, tmp_path, full_config, edited):
    config = full_config | {"own": {"mine": neighbours}}
    before = set(load(config, ROOT / "figures").recipes)
    (tmp_path / "unrelated.py").write_text("raise ValueError\n")
    assert set(load(config, ROOT / "figures").recipes) == before
    (tmp_path / edited).write_text("# edited\n" + (tmp_path / edited).read_text())
    assert len(set(load(config, ROOT / "figures").recipes) - before) == 1


@pytest.mark.parametrize("initialised", [True, False])
def test_a_package_beside_the_file_is_its_own_with_and_without_an_init(
    mine, tmp_path, full_config, initialised
):
    """Two models, each with a folder `nets` of its own; Python imports one without __init__.py too."""
    files = []
    for name, hidden in (("first", 8), ("second", 16)):
        package = tmp_path / name / "nets"
        package.mkdir(parents=True)
        (package / "sizes.py").write_text(f"HIDDEN = {hidden}\n")
        if initialised:
            (package / "__init__.py").touch()
        file = tmp_path / name / "mine.py"
        file.write_text(
            "def build(channels, side, classes):\n"
            "    from nets.sizes import HIDDEN\n"
            "    from torch import nn\n"
            "    inputs = channels * side * side\n"
            "    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, HIDDEN), nn.Linear(HIDDEN, classes))\n"
        )
        files.append(str(file))
    built = [models.build(spec(mine, file=file, weights=None), **SHAPE) for file in files]
    assert [len(next(network.parameters())) for network in built] == [8, 16] and "nets" not in sys.modules
    config = full_config | {
        "own": {"mine": {k: v for k, v in mine.items() if k != "weights"} | {"file": files[0]}}
    }
    before = set(load(config, ROOT / "figures").recipes)
    (tmp_path / "first/nets/sizes.py").write_text("HIDDEN = 4\n")
    assert len(set(load(config, ROOT / "figures").recipes) - before) == 1


FAULTS = """
import torch
from torch import nn

class Faulty(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.layer, self.output = nn.Linear(784, 10), output

    def forward(self, x):
        return self.output(self.layer(x.flatten(1)), x)

def faulty(output):
    return lambda channels, side, classes: Faulty(output)

pair = faulty(lambda logits, x: (logits, x))
named = faulty(lambda logits, x: {"logits": logits})
double = faulty(lambda logits, x: logits.double())
detached = faulty(lambda logits, x: logits.detach())
blind = faulty(lambda logits, x: logits * 0 + 1 if x.shape[0] == 0 else nn.Parameter(torch.zeros(len(x), 10)))

def wide(channels, side, classes):
    return Faulty(lambda logits, x: logits).double()

def none(channels, side, classes):
    return None

def broken(channels, side, classes):
    return nn.Linear("ten", 3)

def positional(inputs):
    return nn.Linear(inputs, 10)
"""


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        ("pair", "gives a tuple, expected logits, a float32 tensor"),
        ("named", "gives a dict, expected logits, a float32 tensor"),
        ("double", "gives float64, expected logits, a float32 tensor"),
        ("wide", "its weights are float64, expected float32"),
        ("detached", "no gradient reaches its images"),
        ("blind", "no gradient reaches its images"),
        ("none", "returns a NoneType, expected a torch.nn.Module"),
        ("broken", "TypeError: "),
        ("positional", "TypeError: .*unexpected keyword argument 'channels'"),
    ],
)
def test_a_faulty_network_is_one_line_with_file_and_builder(mine, tmp_path, builder, message):
    (tmp_path / "mine.py").write_text(FAULTS)
    with pytest.raises(ValueError, match=rf"mine\.py: {builder}: .*{message}") as error:
        models.build(spec(mine, builder=builder, weights=None), **SHAPE)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_python_is_told_before_any_job(mine, full_config):
    Path(mine["file"]).write_text("def build(:\n")
    with pytest.raises(CatalogError, match=r"mine\.py, line 1: no Python"):
        load(full_config | {"own": {"mine": mine}}, ROOT / "figures")


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
    assert [panel.letter for panel in added] == ["a mine", "b mine"]
    normalised = load(full_config | {"own": {"mine": mine | {"normalise": "dataset"}}}, ROOT / "figures")
    letters = [
        panel.letter for panel in normalised.targets["invariance", "fig1"].panels if panel.model == "mine"
    ]
    assert letters == ["a mine", "b mine", "a' mine"]
    (path,) = {member.path for panel in added for member in panel.members}
    assert re.fullmatch(r"mnist/mine/given-[0-9a-f]{8}", path)
    assert catalog.recipe(path)["phases"][0]["epochs"] == 0
    shown = {line.profiles[p.members[0].path].file for p in fig1.panels[:2] for line in p.lines}
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
        ({"tables": ["oaat/table1"]}, r"own\.mine\.tables: oaat/table1 has no results on mnist"),
        ({"tables": ["oaat/tabel1"]}, r"own\.mine\.tables: unknown table 'oaat/tabel1'"),
        (
            {"profiles": ["rotatoin"]},
            r"own\.mine\.profiles: unknown profile 'rotatoin' \(did you mean 'rotation'\?\)",
        ),
        ({"profiles": ["oatt/gama_8"]}, r"own\.mine\.profiles: unknown paper 'oatt'"),
    ],
)
def test_a_wrong_entry_is_one_line_before_any_job(mine, full_config, changes, message):
    with pytest.raises(CatalogError, match=message):
        load(full_config | {"own": {"mine": mine | changes}}, ROOT / "figures")


def test_profiles_alone_make_a_paper_of_its_own(mine, full_config):
    entry = {key: value for key, value in mine.items() if key != "figures"}
    entry |= {"data": "cifar10", "profiles": ["rotation", "pgd", "oaat/autoattack_8", "cusp/pgd_8"]}
    catalog = load(full_config | {"own": {"mine": entry}}, ROOT / "figures")
    assert catalog.config["papers"][-1] == "own"
    figure, table = catalog.targets["own", "mine"], catalog.targets["own", "mine_table"]
    assert [panel.lines[0].profiles[panel.members[0].path].key for panel in figure.panels] == [
        "rotation",
        "pgd",
    ]
    (row,) = table.panels
    assert [line.name for line in row.lines] == ["clean", "autoattack_8", "pgd_8"]
    assert row.lines[0].metric == "natural_accuracy"
    runs = {path for target in (figure, table) for path in target.paths()}
    assert [path.split("/")[1] for path in runs] == ["mine"]  # no run of a paper
    again = load(catalog.config, ROOT / "figures")  # as a job is given it
    assert (
        again.config["papers"] == catalog.config["papers"] and again.targets.keys() == catalog.targets.keys()
    )
    assert load(catalog.config, ROOT / "figures", "own").targets.keys() == {
        ("own", "mine"),
        ("own", "mine_table"),
    }


def test_tables_gain_a_row_of_what_fits(mine, full_config):
    entry = {key: value for key, value in mine.items() if key != "figures"}
    entry |= {"data": "cifar10", "tables": ["oaat/table1"]}
    before = load(full_config, ROOT / "figures")
    small = {"budget": {"rows": {"oaat/table1": ["oaat"]}}}
    catalog = load(full_config | small | {"own": {"mine": entry}}, ROOT / "figures")
    table = catalog.targets["oaat", "table1"]
    row = table.panels[-1]
    assert (row.letter, row.title, row.model, row.reason) == ("mine", "Mine", "mine", "")
    assert [line.name for line in row.lines] == list(table.spec["columns"])
    others = {key: one for key, one in table.spec["rows"].items() if key not in ("own", "mine")}
    assert others == before.targets["oaat", "table1"].spec["rows"]


def test_a_row_of_ones_own_is_not_judged():
    rows = pd.DataFrame({"panel": ["a", "mine"], "family": ["pgd", "given"], "column": ["c", "c"]})
    rows = rows.assign(
        value=[0.5, 0.9], low=[0.4, 0.8], high=[0.6, 1.0], kind="row", learnt="yes", published=None
    )
    numbers = Numbers(rows, np.full((2, 3), 0.5, dtype=np.float32))
    assert set(column_of(numbers, "c", "value").samples) == {"a"}


def drawn(catalog) -> Figure:
    """invariance fig1 of a catalog, of numbers that no evaluation is needed for."""
    target, found = catalog.targets["invariance", "fig1"], []
    for panel in target.panels:
        (line,) = panel.lines
        for member in panel.members:
            profile = line.profiles[member.path]
            for k, x in enumerate(profile.settings["grid"]):
                level = 0.97 if panel.model == "mine" else 0.9
                found.append(
                    {"panel": panel.letter, "metric": line.metric, "strength": member.strength, "x": x}
                    | {"value": level - 0.05 * k, "low": level - 0.05 * k, "high": level - 0.05 * k}
                    | {"clean_accuracy": level, "learnt": "yes", "status": "run", "source": "ours"}
                    | {"profile": profile.key, "x_unit": profile.unit, "attack_space": panel.space}
                    | {"kind": panel.kind, "column": "", "attacked_label": "predicted"}
                )
    return panels.draw(pd.DataFrame(found), captions.figure(catalog, target))


def test_its_curve_is_drawn_over_the_papers_with_its_clean_accuracy(mine, full_config):
    plain = drawn(load(full_config, ROOT / "figures"))
    catalog = load(full_config | {"own": {"mine": mine}}, ROOT / "figures")
    figure = drawn(catalog)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [axes.get_title(loc="left") for axes in plain.axes]  # no panel more
    over = {
        axes.get_title(loc="left"): line
        for axes in figure.axes
        for line in axes.lines
        if line.get_label() == "Mine · 97.0%"
    }
    assert set(over) == {"(a)", "(b)"}
    assert over["(b)"].get_ydata()[0] == 0.97 and len(over["(b)"].get_ydata()) == 13
    others = {line.get_color() for axes in plain.axes for line in axes.lines}
    assert over["(a)"].get_color() not in others
    (legend,) = figure.legends
    assert "Mine · 97.0%" in [text.get_text() for text in legend.get_texts()]
    assert "networks of the user's own" in captions.caption(catalog, catalog.targets["invariance", "fig1"])


@pytest.fixture
def zoo(tmp_path, monkeypatch) -> list[dict]:
    """A stand-in of RobustBench's loader, in place of the package; what it was asked for."""
    asked = tmp_path / "asked.json"
    package = tmp_path / "stand_in" / "robustbench"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "utils.py").write_text(
        "import json\nfrom pathlib import Path\nfrom torch import nn\n\n"
        "def load_model(**wanted):\n"
        f"    Path({str(asked)!r}).write_text(json.dumps(wanted))\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)).eval()\n"
    )
    for name in ("robustbench", "robustbench.utils"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(package.parent))
    return asked


def test_the_example_of_a_zoo_asks_its_loader_and_is_evaluated_by_autoattack(zoo, full_config, monkeypatch):
    monkeypatch.chdir(ROOT)
    example = yaml.safe_load((ROOT / "docs/examples/robustbench/own.yaml").read_text())
    catalog = load(full_config | example, ROOT / "figures")
    (row,) = catalog.targets["own", "oaat_released_table"].panels
    assert {line.name for line in row.lines} == {"clean", "autoattack_8"}
    settings = row.lines[1].profiles[row.members[0].path].settings
    assert settings["attack"] == "autoattack" and settings["grid"] == [8 / 255] and settings["sample"] is None
    assert catalog.targets["oaat", "table1"].panels[-1].letter == "oaat_released"
    entry = example["own"]["oaat_released"]
    network = models.build(
        {"name": "own"} | {k: entry[k] for k in ("file", "builder")}, channels=3, side=32, classes=10
    )
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    asked = json.loads(zoo.read_text())
    assert asked.pop("model_dir")
    assert asked == {"model_name": "Addepalli2021Towards_RN18", "dataset": "cifar10", "threat_model": "Linf"}


def test_a_network_at_chance_is_told_how_images_look(capsys, caplog):
    label = np.arange(1000) % 10
    evaluate.doubt(Path("runs/mine"), label, label, 10)
    assert not capsys.readouterr().err
    right = np.where(np.arange(1000) < 98, label, (label + 1) % 10)
    evaluate.doubt(Path("runs/mine"), right, label, 10)
    said = capsys.readouterr().err
    assert "runs/mine: clean accuracy 9.8%" in said and "[0, 1]" in said and said.count("\n") == 1


def test_without_profiles_the_command_says_what_is_missing(full_config, dry_run):
    status, said = dry_run(full_config | {"papers": ["invariance"]}, "own")
    assert status == 1 and "config: own: no model names profiles" in said


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
