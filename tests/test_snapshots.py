"""Weights kept during training: they disturb nothing, survive interruptions, and are evaluated like any others."""

import json
import logging
from pathlib import Path

import pytest
import torch

import evaluate as evaluate_script
import train as script
from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.data.images import load as load_images
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.records.identity import canonical, filled, run_and_weights
from spatial_adversarial.records.reading import schema
from spatial_adversarial.results.store import read_evaluation
from spatial_adversarial.runner.files import digest
from spatial_adversarial.training import loop
from spatial_adversarial.training.checkpoint import Checkpoint, save
from spatial_adversarial.transforms.pixels import to_float

ROOT = Path(__file__).parents[1]
DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 200, "test": 100}
RECIPE = canonical(
    {
        "data": "digits",
        "model": {"name": "stdcnn", "width": 0.5, "normalise": "dataset"},
        "optimiser": {"name": "sgd", "lr": 0.05, "momentum": 0.9},
        "batch": 40,
        "split": {"validation": 40},
        "steps": 10,  # four an epoch
        "augment": {"rotate": 30},
    },
    "a test",
)
STEPS = [1, 4, 6, 10]


@pytest.fixture(scope="module")
def digits(prepared) -> str:
    return prepared("digits", DIGITS)


def train(digits: str, folder: Path, snapshots=STEPS) -> Path:
    script.train(RECIPE, 0, digits, folder, device="cpu", threads=1, snapshots=snapshots)
    return folder


@pytest.fixture(scope="module")
def kept(digits, tmp_path_factory) -> Path:
    return train(digits, tmp_path_factory.mktemp("kept"))


def names(*steps: int) -> list[str]:
    return [f"step{step}.pt" for step in steps]


def test_training_with_and_without_snapshots_ends_bit_identical(digits, kept, tmp_path):
    plain = train(digits, tmp_path, snapshots=())
    for name in ("weights.pt", "history.csv"):
        assert (kept / name).read_bytes() == (plain / name).read_bytes()
    assert sorted(p.name for p in kept.glob("step*.pt")) == sorted(names(*STEPS))
    assert not list(plain.glob("step*"))


def test_a_snapshot_is_what_a_run_of_that_length_ends_with(digits, kept, tmp_path):
    short = RECIPE | {"phases": [RECIPE["phases"][0] | {"steps": 6}]}
    script.train(short, 0, digits, tmp_path, device="cpu", threads=1)
    assert (kept / "step6.pt").read_bytes() == (tmp_path / "weights.pt").read_bytes()
    assert (kept / "step10.pt").read_bytes() == (kept / "weights.pt").read_bytes()
    assert len({(kept / name).read_bytes() for name in names(*STEPS)}) == 4


def interrupted(digits: str, folder: Path, monkeypatch, snapshots) -> None:
    """Training that ends while it writes the row of its second epoch."""
    keep = loop.Trainer._keep

    def stop(self, row, robust):
        if row["epoch"] == 2:
            raise RuntimeError("interrupted")
        keep(self, row, robust)

    with monkeypatch.context() as patched:
        patched.setattr(loop.Trainer, "_keep", stop)
        with pytest.raises(RuntimeError, match="interrupted"):
            train(digits, folder, snapshots)


def test_an_interrupted_run_has_the_same_snapshots(digits, kept, tmp_path, monkeypatch):
    interrupted(digits, tmp_path, monkeypatch, STEPS)
    assert not list(tmp_path.glob("step*"))  # Snakemake would remove them
    train(digits, tmp_path)
    for name in names(*STEPS):
        assert (tmp_path / name).read_bytes() == (kept / name).read_bytes()


def test_the_seconds_of_an_interrupted_run_are_those_of_all_its_processes(digits, tmp_path, monkeypatch):
    interrupted(digits, tmp_path, monkeypatch, STEPS)
    kept = torch.load(tmp_path / "resume.pt", weights_only=True)
    assert 0 < kept["spent"][0] < 60 and 0 < kept["spent"][1] < 60
    save(Checkpoint(**kept | {"spent": (1000.0, 500.0)}), tmp_path / "resume.pt")
    train(digits, tmp_path)
    told = json.loads((tmp_path / "provenance.json").read_text())
    assert 1000 < told["seconds"] < 1060 and 500 < told["cpu_seconds"] < 560


def test_a_run_that_fails_after_its_last_step_goes_on_from_there(digits, kept, tmp_path, monkeypatch, caplog):
    with monkeypatch.context() as patched:
        patched.setattr(script, "write_run", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            train(digits, tmp_path)
    for made in (*tmp_path.glob("step*"), tmp_path / "weights.pt"):
        made.unlink()  # as Snakemake does with the outputs of a job that failed
    with caplog.at_level(logging.INFO):
        train(digits, tmp_path)
    assert "resumed after epoch 3 of 3, step 10 of 10" in caplog.text and "anew" not in caplog.text
    for name in names(*STEPS):
        assert (tmp_path / name).read_bytes() == (kept / name).read_bytes()
    assert not (tmp_path / "snapshots").exists() and not (tmp_path / "resume.pt").exists()


def test_a_snapshot_of_a_step_already_passed_starts_training_anew(
    digits, kept, tmp_path, monkeypatch, caplog
):
    interrupted(digits, tmp_path, monkeypatch, [10])
    with caplog.at_level(logging.WARNING):
        train(digits, tmp_path)
    assert "training starts anew" in caplog.text
    for name in names(*STEPS):
        assert (tmp_path / name).read_bytes() == (kept / name).read_bytes()


def test_a_snapshot_is_evaluated_like_a_run(digits, kept, tmp_path):
    profile = filled({"transform": "rotate", "grid": [0]}, schema("profile"))
    for weights in ("step1.pt", "weights.pt"):
        output = {str(tmp_path / f"{weights}.h5"): profile}
        evaluate_script.evaluate(kept, digits, output, device="cpu", threads=1, weights=weights)
    early, late = (read_evaluation(tmp_path / f"{name}.h5") for name in ("step1.pt", "weights.pt"))
    images = load_images(digits, "test")
    for found, name in ((early, "step1.pt"), (late, "weights.pt")):
        network = load_network(RECIPE["model"], images, seed=0, weights=kept / name).eval()
        with torch.no_grad():
            assert found.clean.tolist() == network(to_float(images.images)).argmax(1).tolist()


def test_the_evaluation_of_a_snapshot_is_not_that_of_the_runs_end(digits, tmp_path):
    """Of a run so long that its last weights predict otherwise than its first ones."""
    longer = RECIPE | {"phases": [RECIPE["phases"][0] | {"steps": 80}]}
    script.train(longer, 0, digits, tmp_path / "run", device="cpu", threads=1, snapshots=[1])
    profile, found = filled({"transform": "rotate", "grid": [0]}, schema("profile")), []
    for weights in ("step1.pt", "weights.pt"):
        output = {str(tmp_path / f"{weights}.h5"): profile}
        evaluate_script.evaluate(tmp_path / "run", digits, output, device="cpu", threads=1, weights=weights)
        found.append(read_evaluation(tmp_path / f"{weights}.h5"))
        assert found[-1].made_of["weights"] == digest(tmp_path / "run" / weights)
    early, late = ((one.clean == one.label).mean() for one in found)
    assert early < late - 0.1


def test_a_family_of_snapshots_is_one_run(full_config):
    catalog = load(full_config | {"papers": ["features"]}, ROOT / "figures")
    members = catalog.targets["features", "fig1"].panels[0].members
    (run,) = catalog.targets["features", "fig1"].paths()
    assert [member.strength for member in members][:6] == [625, 1250, 1875, 2500, 3125, 6250]
    assert [run_and_weights(member.path) for member in members] == [
        (run, f"step{m.strength}") for m in members
    ]
    assert {run: set(kept) for run, kept in catalog.kept.items()} == {
        run: {f"step{m.strength}" for m in members}
    }
    assert catalog.recipe(members[0].path) == catalog.recipe(run)


def test_a_budget_shortens_the_run_and_its_snapshots(full_config):
    config = full_config | {"papers": ["features"], "budget": {"epochs": 0.1}}
    catalog = load(config, ROOT / "figures")
    ((run, kept),) = catalog.kept.items()
    steps = sorted(int(name.removeprefix("step")) for name in kept)
    assert catalog.recipe(run)["phases"][0]["steps"] == 7813 and steps[:2] == [63, 125] and steps[-1] == 7813


def test_a_snapshot_past_the_end_is_refused(full_config, specs, edit):
    edit("features.yaml", {"families.training.values": [625, 80000]})
    with pytest.raises(CatalogError, match="a snapshot at step 80000, but the run ends at 78125"):
        load(full_config | {"papers": ["features"]}, specs)
