"""Training: schedules by hand and against torch's schedulers, resumption to the last bit, one-line errors."""

import hashlib
import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

import train as script
from spatial_adversarial import methods, models
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.data.images import batch_sizes, load, origin
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.models.weights import load_weights, weights_bytes
from spatial_adversarial.records.identity import canonical, released
from spatial_adversarial.records.recipe import Selection
from spatial_adversarial.runner.files import digest, lock
from spatial_adversarial.runner.run_folder import run_name
from spatial_adversarial.runner.seeds import derive, unit_draw
from spatial_adversarial.training import interrupt, loop
from spatial_adversarial.training.checkpoint import load as load_checkpoint
from spatial_adversarial.training.data import splits
from spatial_adversarial.training.loop import Trainer
from spatial_adversarial.training.schedules import Clock, at, value
from spatial_adversarial.training.validation import accuracy_of, robust_accuracy_of
from spatial_adversarial.transforms.pixels import to_float

DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 200, "test": 200}
NET = {"name": "stdcnn", "width": 0.5, "normalise": "dataset"}
SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.9}
PGD = {"pgd": {"eps": 0.1, "step": 0.05, "steps": 2}}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def digits(prepared) -> str:
    return prepared("digits", DIGITS)


def recipe(**given) -> dict:
    """A canonical recipe on 160 digits, 40 a batch: four steps an epoch."""
    base = {"data": "digits", "model": NET, "optimiser": SGD, "batch": 40, "split": {"validation": 40}}
    return canonical(base | given, "test")


def trainer(spec: dict, data: str, *, seed: int = 0, network_seed: int = 0, **wanted) -> Trainer:
    train, validation = splits(data, spec["split"], CPU)
    network = load_network(spec["model"], train, seed=network_seed)
    if spec["averaging"]:
        wanted = {"readouts": ["averaged", "best_robust"]} | wanted
    return Trainer(spec, seed=seed, network=network, train=train, validation=validation, **wanted)


def ends(run: Trainer) -> list[bytes]:
    """All the weights that a run ends with."""
    return [weights_bytes(run.weights()), *(weights_bytes(run.readout(name)) for name in run.readouts)]


def train(spec: dict, data: str, folder: Path, seed: int = 3, start: Path | None = None) -> None:
    script.train(spec, seed, data, folder, device="cpu", threads=1, start=start)


def test_a_fetched_run_that_is_trained_is_no_longer_a_fetched_one(digits, tmp_path):
    """Else the next call takes its files for what `fetch_run` made, and deletes them to fetch them again."""
    folder = tmp_path / "digits/stdcnn/natural-0/seed3"
    folder.mkdir(parents=True)
    (folder / "fetched.json").write_text("{}")
    train(recipe(epochs=1), digits, folder)
    assert (folder / "weights.pt").exists() and not (folder / "fetched.json").exists()


def one_line(caught: pytest.ExceptionInfo) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Ramps and phases

RATE = {"schedule": "drops", "from": 0.1, "factor": 0.1}
CUSP = {  # epochs counted from 1: theta, eps, lr
    (1, 74): (120, 2 / 255, 0.1),
    (75, 89): (150, 4 / 255, 0.01),
    (90, 99): (180, 8 / 255, 0.001),
    (100, 120): (180, 8 / 255, 0.0001),
}


def test_cusps_table_as_a_recipe():
    phases = [
        {
            "epochs": last - first + 1,
            "augment": {"rotate": theta},
            "method": {"pgd": PGD["pgd"] | {"eps": eps}},
        }
        for (first, last), (theta, eps, _) in CUSP.items()
    ]
    made = recipe(phases=phases, optimiser=SGD | {"lr": RATE | {"at": [74, 89, 99]}})
    clock = Clock(made["phases"])
    assert (clock.unit, clock.length, clock.steps(313)) == ("epochs", 120, 120 * 313)
    for (first, last), (theta, eps, lr) in CUSP.items():
        for epoch in (first, last):
            for step in ((epoch - 1) * 313, epoch * 313 - 1):
                moment = clock.time(step, 313)
                phase = clock.phase(moment)
                assert (phase["augment"]["rotate"], phase["method"]["pgd"]["eps"]) == (theta, eps)
                assert value(made["optimiser"]["lr"], moment, clock.length) == pytest.approx(lr)


PAIRS = [(120, 2 / 255), (150, 4 / 255), (180, 8 / 255)]
RANDOM_PAIRS = {
    "augment": {"rotate": {"schedule": "random", "values": [120, 150, 180], "weights": [74, 15, 31]}},
    "method": {
        "pgd": PGD["pgd"]
        | {"eps": {"schedule": "random", "values": [2 / 255, 4 / 255, 8 / 255], "weights": [74, 15, 31]}}
    },
}


def test_a_random_ramp_by_hand():
    schedule = {"schedule": "random", "values": [5, 6, 7], "weights": [1, 2, 1]}
    draws = [0, 0.2499, 0.25, 0.7499, 0.75, 0.9999]
    assert [value(schedule, 3, 10, draw) for draw in draws] == [5, 5, 6, 6, 7, 7]
    with pytest.raises(ValueError, match="needs a draw"):
        value(schedule, 3, 10)


def test_random_pairs_come_in_their_shares_and_never_part(digits, tmp_path, monkeypatch):
    """What the loop augments and attacks with, step by step: pairs, in the shares of the weights, by the seed."""
    clock = Clock(recipe(**RANDOM_PAIRS, epochs=1)["phases"])
    seen = []
    for step in range(12_000):
        phase = clock.phase(0, unit_draw(3, "ramps", step))
        seen.append((phase["augment"]["rotate"], phase["method"]["pgd"]["eps"]))
    assert set(seen) == set(PAIRS)
    for pair, epochs in zip(PAIRS, (74, 15, 31), strict=True):
        share = epochs / 120
        assert abs(seen.count(pair) / len(seen) - share) < 4 * (share * (1 - share) / len(seen)) ** 0.5
    used = []
    monkeypatch.setattr(
        "spatial_adversarial.training.loop.augment",
        lambda x, how, g: (used.append(how["rotate"]), to_float(x))[1],
    )
    for seed in (3, 4):
        list(trainer(recipe(**RANDOM_PAIRS, epochs=4), digits, seed=seed).run(tmp_path / f"{seed}.pt"))
    half = len(used) // 2
    assert used[:half] == [theta for theta, _ in seen[:half]] != used[half:]


def test_drops_as_torchs_scheduler():
    """The R schedule: divided by ten at epochs 50 and 100 of 120."""
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimiser, [50, 100], 0.1)
    for epoch in range(120):
        assert value(RATE | {"at": [50, 100]}, epoch, 120) == pytest.approx(scheduler.get_last_lr()[0])
        optimiser.step()
        scheduler.step()


def test_cosine_as_torchs_scheduler():
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=0.2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 110)
    for epoch in range(111):
        found = value({"schedule": "cosine", "from": 0.2, "to": 0}, epoch, 110)
        assert found == pytest.approx(scheduler.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        scheduler.step()


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"from": 0, "to": 1}, [0, 0.25, 0.5, 0.75, 1, 1]),
        ({"from": 1, "to": 0, "begin": 50}, [1, 1, 1, 0.5, 0, 0]),
        ({"from": 0, "to": 8, "end": 50}, [0, 4, 8, 8, 8, 8]),
        ({"from": 2, "to": 4, "begin": 25, "end": 75}, [2, 2, 3, 4, 4, 4]),
        ({"from": 2, "to": 4, "begin": 50, "end": 50}, [2, 2, 4, 4, 4, 4]),
    ],
)
def test_linear_schedules_by_hand(schedule, expected):
    found = [value({"schedule": "linear"} | schedule, moment, 100) for moment in (0, 25, 50, 75, 100, 120)]
    assert found == pytest.approx(expected)


def test_schedules_inside_a_phase_move_and_the_recipe_stays():
    spec = {"augment": {"rotate": {"schedule": "linear", "from": 0, "to": 180}}, "flip": True}
    before = deepcopy(spec)
    assert at(spec, 30, 120) == {"augment": {"rotate": 45}, "flip": True}
    assert spec == before


def test_phases_in_steps():
    made = recipe(phases=[{"steps": 3}, {"steps": 5, "augment": {"rotate": 60}}])
    clock = Clock(made["phases"])
    assert clock.steps(4) == 8 and [clock.time(step, 4) for step in (0, 5)] == [0, 5]
    assert [clock.phase(step)["augment"]["rotate"] for step in (0, 2, 3, 7)] == [0, 0, 60, 60]
    with pytest.raises(ValueError, match="time 8 lies past the run's end at 8 steps"):
        clock.phase(8)


@pytest.mark.parametrize("unit", ["epochs", "steps"])
def test_the_loop_trains_on_what_each_phase_says(digits, tmp_path, monkeypatch, unit):
    """Four epochs of four steps, or ten steps, with another theta, eps and lr in each phase."""
    first = {"augment": {"rotate": 30}, unit: 3 if unit == "steps" else 1}
    second = {"augment": {"rotate": 60}, "method": PGD, unit: 7 if unit == "steps" else 3}
    drop = first[unit]
    made = recipe(phases=[first, second], optimiser=SGD | {"lr": RATE | {"at": [drop]}})
    run = trainer(made, digits)
    seen = []
    augment, make = loop.augment, methods.make
    monkeypatch.setattr(
        loop, "augment", lambda x, what, g: seen.append([what["rotate"]]) or augment(x, what, g)
    )
    monkeypatch.setattr(
        methods, "make", lambda what: seen[-1].append(what.get("pgd", {}).get("eps", 0)) or make(what)
    )
    rows = list(run.run(tmp_path / "resume.pt"))
    count = 3 if unit == "steps" else 4
    total = 10 if unit == "steps" else 16
    assert seen == [[30, 0]] * count + [[60, 0.1]] * (total - count)
    assert [row["step"] for row in rows] == ([4, 8, 10] if unit == "steps" else [4, 8, 12, 16])
    assert rows[-1]["lr"] == pytest.approx(0.01)
    assert rows[0]["lr"] == pytest.approx(0.01 if unit == "steps" else 0.1)


# Resumption

TWO_PHASES = [
    {"epochs": 2, "augment": {"rotate": 30, "crop": 2, "flip": True}},
    {"epochs": 2, "augment": {"rotate": 60, "translate": 0.1}, "method": PGD},
]
ADAM = {"name": "adam", "lr": {"schedule": "cosine", "from": 0.01, "to": 0.001}, "weight_decay": 1e-4}
RICH = {
    "dropout, averaging, PGD": {"phases": TWO_PHASES, "averaging": 0.9, "label_smoothing": 0.1},
    "CuSP, by steps": {
        "epochs": 4,
        "augment": {"rotate": {"schedule": "steps", "values": [30, 60, 90], "at": [1, 2]}},
        "method": {
            "pgd": PGD["pgd"] | {"eps": {"schedule": "steps", "values": [0.05, 0.1, 0.2], "at": [1, 2]}}
        },
        "optimiser": SGD | {"lr": RATE | {"at": [1, 2, 3]}},
    },
    "a random pair for each batch": RANDOM_PAIRS | {"epochs": 3},
    "batch norm, Adam, the best": {
        "phases": TWO_PHASES,
        "optimiser": ADAM,
        "keep": "best",
        "averaging": 0.8,
        "model": {"name": "vgg16", "width": 0.03, "normalise": "dataset"},
    },
    "steps, group twin": {
        "phases": [{"steps": 6, "augment": {"rotate_translate": 0.2}}, {"steps": 9, "method": PGD}],
        "model": {"name": "stdcnn", "width": 0.3, "group": "p4", "normalise": "per_image"},
        "optimiser": SGD | {"nesterov": True},
    },
}


def test_an_epochs_loss_is_the_mean_over_its_images_smoothed_as_torch_does_it(digits, tmp_path):
    """Of a network that does not learn: batches of 60, 60 and 40 weigh by their images."""
    still = {
        "optimiser": SGD | {"lr": 1e-12, "momentum": 0.0},
        "model": {"name": "mlp_a", "width": 0.125},
        "batch": 60,
    }
    run = trainer(recipe(epochs=1, label_smoothing=0.1, **still), digits)
    (row,) = run.run(tmp_path / "resume.pt")
    images, labels = to_float(run.train_set.images), run.train_set.labels
    run.network.train()
    with torch.no_grad():
        loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(run.network(images), labels)
    assert row["loss"] == pytest.approx(loss.item(), abs=1e-5)


@pytest.mark.parametrize("name", RICH)
def test_a_run_interrupted_after_any_epoch_ends_bit_identical(digits, tmp_path, name):
    """The resumed network starts from other weights, so that the checkpoint must hold all that matters."""
    made = recipe(**RICH[name])
    whole = trainer(made, digits)
    history = list(whole.run(tmp_path / "whole.pt"))
    again = trainer(made, digits)
    assert list(again.run(tmp_path / "again.pt")) == history
    assert ends(again) == ends(whole)
    for stop in range(1, len(history)):
        resume = tmp_path / f"{stop}.pt"
        interrupted = trainer(made, digits).run(resume)
        head = [next(interrupted) for _ in range(stop)]
        interrupted.close()
        torch.manual_seed(stop)
        resumed = trainer(made, digits, network_seed=99)
        resumed.checkpoint.made_of = whole.checkpoint.made_of  # a checkpoint of other weights is refused
        rows = resumed.run(resume)
        assert resumed.checkpoint.epoch == stop  # before it trains on: what the log's first line says
        assert head + list(rows) == history
        assert resumed.checkpoint.history == history
        assert ends(resumed) == ends(whole)


class Ended(BaseException):
    """What the job's handler of SIGTERM raises."""


@pytest.mark.parametrize(("number", "last"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
@pytest.mark.parametrize("name", RICH)
def test_a_signal_within_an_epoch_ends_the_step_and_the_rest_is_bit_identical(
    digits, tmp_path, name, number, last, monkeypatch
):
    made = recipe(**RICH[name])
    whole = trainer(made, digits)
    history = list(whole.run(tmp_path / "whole.pt"))
    interrupted, step = trainer(made, digits), Trainer._step
    stop = whole.steps_an_epoch - 1 if last else whole.steps // 2 + 1

    def signalled(self, *arguments):
        if self is interrupted and self.checkpoint.step == stop:
            signal.raise_signal(number)
        return step(self, *arguments)

    def end(number, frame):
        raise Ended

    monkeypatch.setattr(Trainer, "_step", signalled)
    handler = signal.signal(number, end)
    try:
        with pytest.raises(Ended):
            list(interrupted.run(tmp_path / "part.pt"))
        assert signal.getsignal(number) is end
    finally:
        signal.signal(number, handler)
    assert interrupted.checkpoint.step == stop + 1 and interrupted.checkpoint.part["seen"] > 0
    torch.manual_seed(stop)
    resumed = trainer(made, digits, network_seed=99)
    resumed.checkpoint.made_of = interrupted.checkpoint.made_of
    rows = list(resumed.run(tmp_path / "part.pt"))
    assert rows and resumed.checkpoint.history == history
    assert ends(resumed) == ends(whole)


def interrupt_in_validation(run: Trainer, resume: Path, epoch: int, monkeypatch) -> None:
    """Train until a signal comes while that epoch, counted from 0, is validated."""

    def ended(*arguments):
        if run.checkpoint.epoch == epoch:
            raise Ended
        return accuracy_of(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "accuracy_of", ended)
        with pytest.raises(Ended):
            list(run.run(resume))


@pytest.mark.parametrize("name", RICH)
def test_a_signal_during_validation_loses_no_step(digits, tmp_path, name, monkeypatch):
    made, resume = recipe(**RICH[name]), tmp_path / "resume.pt"
    whole = trainer(made, digits)
    history = list(whole.run(tmp_path / "whole.pt"))
    interrupted = trainer(made, digits, save_every=1e6)
    interrupt_in_validation(interrupted, resume, whole.epochs - 1, monkeypatch)
    resumed = trainer(made, digits, network_seed=99)
    resumed.checkpoint.made_of = whole.checkpoint.made_of
    assert load_checkpoint(resume, whole.checkpoint.made_of).step == whole.steps
    assert list(resumed.run(resume)) == history[-1:]
    assert ends(resumed) == ends(whole)


def test_an_epoch_begun_on_a_gpu_goes_on_on_a_cpu(digits, tmp_path, monkeypatch, caplog):
    """With the weights and sums that it had; a GPU's random streams, of another size, stay behind."""
    made, resume, capture = recipe(epochs=2), tmp_path / "resume.pt", interrupt.capture
    interrupted = trainer(made, digits, save_every=1e6)

    def on_a_gpu(*arguments) -> dict:
        state = torch.zeros(16, dtype=torch.uint8)
        part = capture(*arguments)
        return part | {"device": "cuda", "dropout": state, "streams": dict.fromkeys(part["streams"], state)}

    monkeypatch.setattr(interrupt, "capture", on_a_gpu)
    interrupt_in_validation(interrupted, resume, 0, monkeypatch)
    resumed = trainer(made, digits, network_seed=99)
    resumed.checkpoint.made_of = interrupted.checkpoint.made_of
    with caplog.at_level(logging.WARNING):
        rows = list(resumed.run(resume))
    assert len(rows) == resumed.epochs and "interrupted on cuda, goes on on cpu" in caplog.text
    assert rows[0]["loss"] == next(trainer(made, digits).run(tmp_path / "whole.pt"))["loss"]


def test_epochs_shorter_than_save_every_share_a_checkpoint(digits, tmp_path):
    made, resume, killed = recipe(epochs=4), tmp_path / "resume.pt", tmp_path / "killed"
    whole = trainer(made, digits)
    history = list(whole.run(tmp_path / "whole.pt"))
    interrupted = trainer(made, digits, save_every=1e6)
    rows = interrupted.run(resume)
    for _ in range(3):
        next(rows)
        assert load_checkpoint(resume, interrupted.checkpoint.made_of).epoch == 1
    killed.mkdir()
    for file in tmp_path.glob("resume.pt*"):
        shutil.copy(file, killed)
    rows.close()  # as the exception of a signal does
    for file, epochs in ((resume, 3), (killed / "resume.pt", 1)):
        resumed = trainer(made, digits, save_every=1e6)
        assert list(resumed.run(file)) == history[epochs:]
        assert load_checkpoint(file, resumed.checkpoint.made_of).epoch == 4
        assert ends(resumed) == ends(whole)


def test_a_job_saves_no_checkpoint_for_each_short_epoch(digits, tmp_path, monkeypatch):
    saved, write = [], loop.save
    monkeypatch.setattr(loop, "save", lambda found, path: (saved.append(found.epoch), write(found, path)))
    train(recipe(epochs=4), digits, tmp_path)
    assert saved == [1, 4]


def test_another_seed_trains_other_weights(digits, tmp_path):
    made = recipe(epochs=1)
    ends = []
    for seed in (0, 1):
        run = trainer(made, digits, seed=seed)
        list(run.run(tmp_path / f"{seed}.pt"))
        ends.append(weights_bytes(run.weights()))
    assert ends[0] != ends[1]


def test_a_runs_seed_decides_its_first_weights_and_then_its_images_order(digits, tmp_path):
    """By hardly moving weights, and by equal first ones that see the images in another order."""
    still = recipe(epochs=1, optimiser=SGD | {"lr": 1e-30})
    for seed in (0, 1):
        train(still, digits, tmp_path / f"still{seed}", seed)
    files = (tmp_path / f"still{seed}/weights.pt" for seed in (0, 1))
    first, second = (torch.load(file, weights_only=True) for file in files)
    convolution = next(key for key, weight in first.items() if weight.dim() == 4 and weight.numel() > 1)
    assert not torch.equal(first[convolution], second[convolution])
    for seed in (0, 1):
        train(recipe(epochs=1), digits, tmp_path / f"on{seed}", seed, start=tmp_path / "still0/weights.pt")
    assert digest(tmp_path / "on0/weights.pt") != digest(tmp_path / "on1/weights.pt")


LONG = recipe(epochs=60, augment={"rotate": 60}, optimiser=SGD | {"lr": 0.02})
CHILD = """
import json, pathlib, sys, train
recipe, data, folder = sys.argv[1:]
train.train(json.loads(recipe), 3, data, pathlib.Path(folder), device="cpu", threads=1)
"""


@pytest.fixture(scope="module")
def reference(digits, tmp_path_factory) -> dict[str, bytes]:
    """The files of `LONG` trained without interruption."""
    folder = tmp_path_factory.mktemp("reference")
    train(LONG, digits, folder)
    assert not (folder / "resume.pt").exists() and (folder / "provenance.json").exists()
    return files(folder)


def files(folder: Path) -> dict[str, bytes]:
    """A run's files, the name of its folder aside."""
    found = {name: (folder / name).read_bytes() for name in ("weights.pt", "history.csv", "run.yaml")}
    told = yaml.safe_load(found["run.yaml"])
    assert told.pop("run") == run_name(folder)
    return found | {"run.yaml": yaml.safe_dump(told).encode()}


def child(data: str, folder: Path) -> subprocess.Popen:
    """A training process of `LONG` that has saved an epoch."""
    before = (folder / "resume.pt").stat().st_mtime_ns if (folder / "resume.pt").exists() else 0
    command = [sys.executable, "-c", CHILD, json.dumps(LONG), data, str(folder)]
    paths = os.pathsep.join([str(Path(script.__file__).parent), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not (folder / "resume.pt").exists() or (folder / "resume.pt").stat().st_mtime_ns == before:
        assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
        time.sleep(0.002)
    return process


def test_kill_9_at_any_moment_changes_nothing(digits, tmp_path, reference, caplog):
    """Killed twice at a random moment, with a second process turned away meanwhile; then finished here."""
    folder = tmp_path / "run"
    waits = torch.rand(2, generator=torch.Generator().manual_seed(os.getpid())) * 0.3
    for wait in waits.tolist():
        with child(digits, folder) as process:
            with pytest.raises(
                RuntimeError, match=f"another process is training .*: process {process.pid} on"
            ):
                train(LONG, digits, folder)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not (folder / "weights.pt").exists()
    caplog.set_level(logging.INFO)
    train(LONG, digits, folder)
    assert any("resumed after epoch" in record.message for record in caplog.records)
    assert files(folder) == reference


@pytest.mark.parametrize("damage", ["truncated", "text", "turned bit", "another object"])
def test_a_damaged_state_means_a_new_start_with_a_log_line(digits, tmp_path, caplog, damage):
    made = recipe(epochs=2, augment={"rotate": 60})
    train(made, digits, tmp_path / "whole")
    resume = tmp_path / "run/resume.pt"
    next(trainer(made, digits, seed=3).run(resume))
    whole = resume.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "truncated": whole[:middle],
        "text": b"no checkpoint",
        "turned bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "another object": b"",
    }
    resume.write_bytes(damaged[damage])
    if damage == "another object":
        torch.save({"weights": torch.zeros(3)}, resume)
    train(made, digits, tmp_path / "run")
    (warning,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "resume.pt cannot be read" in warning and "starts anew" in warning and "\n" not in warning
    assert files(tmp_path / "run") == files(tmp_path / "whole")


def test_a_run_that_is_being_trained_is_left_alone(digits, tmp_path):
    with lock(tmp_path / "lock"), pytest.raises(RuntimeError, match="another process is training") as caught:
        train(LONG, digits, tmp_path)
    assert str(tmp_path) in one_line(caught) and [path.name for path in tmp_path.iterdir()] == ["lock"]


# What a run leaves, and its errors


def test_files_of_a_run(reference, digits, tmp_path):
    told = yaml.safe_load(reference["run.yaml"])
    for name, content in reference.items():
        (tmp_path / name).write_bytes(content)
    sums = {name: digest(tmp_path / name) for name in ("weights.pt", "history.csv")}
    made_of = {"data": origin(digits)[0]}
    assert told == {"recipe": released(LONG), "seed": 3, "made_of": made_of, "files": sums}
    history = pd.read_csv(tmp_path / "history.csv")
    assert history.epoch.tolist() == list(range(1, 61)) and history.step.iloc[-1] == 240
    assert history.train_accuracy.between(0, 1).all() and history.validation_accuracy.iloc[-1] > 0.3
    _, validation = splits(digits, LONG["split"], CPU)
    network = load_network(NET, validation, seed=0, weights=tmp_path / "weights.pt")
    assert accuracy_of(network, validation) == pytest.approx(history.validation_accuracy.iloc[-1])


def test_a_run_starts_from_the_weights_that_it_is_given(digits, tmp_path, reference):
    (tmp_path / "start.pt").write_bytes(reference["weights.pt"])
    train(
        recipe(epochs=1, optimiser=SGD | {"lr": 1e-30}), digits, tmp_path / "run", start=tmp_path / "start.pt"
    )
    assert (tmp_path / "run/weights.pt").read_bytes() == reference["weights.pt"]


def test_the_best_epoch_is_kept(digits, tmp_path):
    """A learning rate that ruins the network in the last epoch: the best on validation came before."""
    rate = {"schedule": "drops", "from": 0.05, "factor": 40, "at": [5]}
    run = trainer(recipe(epochs=6, keep="best", optimiser=SGD | {"lr": rate}), digits)
    accuracy = [row["validation_accuracy"] for row in run.run(tmp_path / "resume.pt")]
    assert accuracy[-1] < max(accuracy)
    run.network.load_state_dict(run.weights())
    assert accuracy_of(run.network, run.validation_set) == pytest.approx(max(accuracy))


def test_averaged_weights_are_the_exponential_mean(digits, tmp_path):
    made = recipe(epochs=1, averaging=0.9)
    run = trainer(made, digits)
    passed: list[torch.Tensor] = []
    run.optimiser.register_step_post_hook(
        lambda *_: passed.append(run.network.body.head.weight.detach().clone())
    )
    list(run.run(tmp_path / "resume.pt"))
    mean = passed[0]
    for weight in passed[1:]:
        mean = 0.9 * mean + 0.1 * weight
    assert len(passed) == 4 and not torch.equal(mean, passed[-1])
    assert torch.allclose(run.readout("averaged")["body.head.weight"], mean, atol=1e-6)
    assert torch.equal(run.weights()["body.head.weight"], passed[-1])


def test_the_files_have_the_weights_that_a_recipe_keeps_and_those_that_are_read_out(digits, tmp_path):
    """As a trainer ends with them; the last epoch's rate ruins the network, so that none are the last ones."""
    rate = {"schedule": "drops", "from": 0.05, "factor": 40, "at": [5]}
    made = recipe(epochs=6, keep="best", averaging=0.9, optimiser=SGD | {"lr": rate})
    made["selection"] = {"eps": 0.02, "step": 0.01, "steps": 3, "images": 40}
    run = trainer(made, digits, seed=0)
    list(run.run(tmp_path / "resume.pt"))
    script.train(made, 0, digits, tmp_path / "run", device="cpu", threads=1, readouts=run.readouts)
    kept = [(tmp_path / f"run/{name}.pt").read_bytes() for name in ("weights", *run.readouts)]
    assert kept == ends(run) and kept[0] != kept[1]
    assert weights_bytes(run.network.state_dict()) not in kept


def test_a_read_out_disturbs_nothing(digits, tmp_path):
    made = recipe(epochs=2, averaging=0.9)
    ended = []
    for wanted in ([], ["averaged"], ["best_robust"], ["averaged", "best_robust"]):
        run = trainer(made, digits, readouts=wanted)
        history = list(run.run(tmp_path / f"{len(ended)}.pt"))
        ended.append((history, weights_bytes(run.weights())))
    assert all(end == ended[0] for end in ended)


def test_the_epoch_of_best_robust_accuracy_is_read_out(digits, tmp_path, caplog):
    """Against the accuracy under PGD of each epoch's weights, measured here on the first 30 validation images."""
    made = recipe(
        epochs=5, optimiser=SGD | {"lr": {"schedule": "drops", "from": 0.05, "factor": 40, "at": [4]}}
    )
    made["selection"] = {"eps": 0.02, "step": 0.01, "steps": 3, "images": 30}
    run = trainer(made, digits, readouts=["best_robust"])
    x, y = to_float(run.validation_set.images[:30]), run.validation_set.labels[:30]
    found = []
    for row in run.run(tmp_path / "resume.pt"):
        stream = torch.Generator().manual_seed(derive(0, "selection", row["epoch"]))
        moved = pgd(run.network, x, y, eps=0.02, step=0.01, steps=3, generator=stream)
        accuracy = (run.network.eval()(moved).argmax(1) == y).float().mean().item()
        found.append((accuracy, weights_bytes(run.network.state_dict())))
        run.network.train()
    best = max(accuracy for accuracy, _ in found)
    assert weights_bytes(run.readout("best_robust")) == next(w for accuracy, w in found if accuracy == best)
    assert found[-1][0] < best and len({accuracy for accuracy, _ in found}) > 2


def test_robust_accuracy_is_measured_on_the_first_validation_images(digits):
    """At eps 0: the network is right on the first 30 alone."""
    run = trainer(recipe(epochs=1), digits)
    seen = run.network.eval()(to_float(run.validation_set.images)).argmax(1)
    labels = torch.where(torch.arange(len(seen)) < 30, seen, (seen + 1) % 10)
    selection = Selection(eps=0.0, step=0.0, steps=1, images=30)
    moved = replace(run.validation_set, labels=labels)
    assert robust_accuracy_of(run.network, moved, selection, torch.Generator().manual_seed(0)) == 1


def test_a_read_out_that_an_interrupted_run_was_not_asked_for_starts_it_anew(digits, tmp_path, caplog):
    made = recipe(epochs=3, averaging=0.9)
    whole = trainer(made, digits)
    list(whole.run(tmp_path / "whole.pt"))
    for wanted in (["averaged", "best_robust"], ["averaged"], ["best_robust"]):
        interrupted = trainer(made, digits, readouts=[])
        next(interrupted.run(tmp_path / "part.pt"))
        run = trainer(made, digits, readouts=wanted)
        with caplog.at_level(logging.WARNING):
            list(run.run(tmp_path / "part.pt"))
        assert "starts anew" in caplog.text
        assert [weights_bytes(run.readout(n)) for n in wanted] == [
            weights_bytes(whole.readout(n)) for n in wanted
        ]
        (tmp_path / "part.pt").unlink()
        caplog.clear()


def test_the_best_of_a_part_of_the_epochs_is_not_the_best(digits, tmp_path, caplog):
    """Asked for, then not, then again: the epochs between have never been looked at."""
    made, resume = recipe(epochs=3, averaging=0.9), tmp_path / "resume.pt"
    for wanted in (["best_robust"], []):
        rows = trainer(made, digits, readouts=wanted).run(resume)
        next(rows)
        rows.close()
    with caplog.at_level(logging.WARNING):
        rows = list(trainer(made, digits, readouts=["best_robust"]).run(resume))
    assert len(rows) == 3 and "starts anew" in caplog.text


def test_read_outs_that_cannot_be_are_one_line(digits):
    with pytest.raises(ValueError, match="best_robust needs validation images"):
        trainer(recipe(epochs=1, split={}), digits, readouts=["best_robust"])
    with pytest.raises(ValueError, match="averaged weights of a recipe without averaging"):
        trainer(recipe(epochs=1), digits, readouts=["averaged"])


def test_without_validation_images_accuracy_is_left_empty(digits, tmp_path):
    (row,) = trainer(recipe(epochs=1, split={}), digits).run(tmp_path / "resume.pt")
    assert math.isnan(row["validation_accuracy"])
    with pytest.raises(ValueError, match="keep: best needs validation images") as caught:
        trainer(recipe(epochs=1, split={}, keep="best"), digits)
    one_line(caught)


def test_a_full_gpu_is_one_line_that_names_the_key_to_lower(digits, tmp_path, monkeypatch):
    def full(*arguments):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.\nTried to allocate much")

    monkeypatch.setattr(Trainer, "_step", full)
    with pytest.raises(RuntimeError, match=r"^the GPU's memory .* lower the recipe's `batch` \(\d+, .*$"):
        list(trainer(recipe(epochs=1), digits).run(tmp_path / "resume.pt"))


def test_diverging_training_is_one_line(digits, tmp_path):
    with pytest.raises(ValueError, match=r"training diverged in epoch \d+: the loss is (nan|inf)") as caught:
        train(recipe(epochs=3, optimiser=SGD | {"lr": 1e12}), digits, tmp_path)
    assert "optimiser.lr" in one_line(caught) and not (tmp_path / "weights.pt").exists()


def test_weights_that_are_no_numbers_end_a_run_whose_loss_is_one(digits, tmp_path, monkeypatch):
    """A weight that the loss does not see, as a bias of a class that no image has."""
    step = Trainer._step

    def spoilt(self, *arguments):
        sums = step(self, *arguments)
        self.network.body.head.bias.data[3] = math.inf if self.checkpoint.step % 4 == 3 else 0
        return sums

    monkeypatch.setattr(Trainer, "_step", spoilt)
    with pytest.raises(ValueError, match="diverged in epoch 1: body.head.bias is no longer finite"):
        train(recipe(epochs=3), digits, tmp_path)
    assert not (tmp_path / "weights.pt").exists()


@pytest.mark.parametrize(
    ("images", "batch", "sizes"),
    [
        (160, 40, [40] * 4),
        (161, 40, [40, 40, 40, 41]),
        (162, 40, [40] * 4 + [2]),
        (41, 40, [41]),
        (39, 40, [39]),
        (1, 40, [1]),
        (2, 1, [1, 1]),
    ],
)
def test_no_image_is_a_batch_alone(images, batch, sizes):
    assert batch_sizes(images, batch) == sizes and sum(sizes) == images


def test_a_last_image_trains_where_batch_norm_sees_one_pixel(digits, tmp_path):
    """160 images in batches of 53: the fourth would hold one image, whose 1x1 maps have no statistics."""
    made = recipe(epochs=2, batch=53, model={"name": "vgg16", "width": 0.03, "normalise": "dataset"})
    run = trainer(made, digits)
    seen = []
    run.optimiser.register_step_post_hook(lambda *_: seen.append(run.checkpoint.step))
    assert [row["step"] for row in run.run(tmp_path / "resume.pt")] == [3, 6] and seen == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("wrong", ["missing", "architecture", "truncated", "turned bit"])
def test_wrong_weights_are_one_line_that_names_the_file(tmp_path, wrong):
    path = tmp_path / "weights.pt"
    shape = {"channels": 1, "side": 28, "classes": 10, "mean": [0.1], "std": [0.3]}
    network = models.build(NET, **shape)
    other = models.build({"name": "madry_lenet", "width": 0.1}, **shape)
    content = weights_bytes((other if wrong == "architecture" else network).state_dict())
    if wrong == "truncated":
        content = content[: len(content) // 2]
    if wrong == "turned bit":
        middle = len(content) // 2
        content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    if wrong != "missing":
        path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        load_weights(network, path)
    assert one_line(caught).startswith(f"{path}: ")


# Learning


@pytest.fixture(scope="module")
def fitted(prepared, tmp_path_factory) -> Iterator:
    """(test pixels, labels, {"natural", "pgd"} networks), trained alike but for the method."""
    folder = tmp_path_factory.mktemp("fitted")
    data = prepared("digits", DIGITS | {"train": 500})
    found = {}
    for name, spec in (("natural", {}), ("pgd", {"pgd": {"eps": 0.1, "step": 0.04, "steps": 4}})):
        made = recipe(epochs=10, method=spec, model=NET | {"name": "lenet", "width": 0.5})
        run = trainer(made, data)
        list(run.run(folder / f"{name}.pt"))
        found[name] = run.network.eval()
    test = load(data, "test")
    return to_float(test.images), test.labels, found


def test_natural_training_learns(fitted):
    x, y, networks = fitted
    assert (networks["natural"](x).argmax(1) == y).float().mean() > 0.8


def test_pgd_training_raises_robust_accuracy(fitted):
    x, y, networks = fitted
    robust = {}
    for name, network in networks.items():
        adversarial = pgd(
            network, x, y, eps=0.1, step=0.02, steps=10, generator=torch.Generator().manual_seed(0)
        )
        robust[name] = (network(adversarial).argmax(1) == y).float().mean().item()
    assert robust["pgd"] > robust["natural"] + 0.1


@pytest.mark.parametrize("unit", ["epochs", "steps"])
def test_every_epoch_has_streams_of_its_own(digits, tmp_path, monkeypatch, unit):
    """SHA-256 of seed/name/epoch, worked out here; orders, augmentations, attacks' starts and dropout all differ."""
    run = trainer(recipe(**{unit: 3 if unit == "epochs" else 10}), digits, seed=5)
    seen, step = [], Trainer._step

    def observed(self, batch, streams):
        now = {name: stream.initial_seed() for name, stream in streams.items()}
        seen.append(now | {"dropout": torch.initial_seed(), "batch": batch.tolist()})
        return step(self, batch, streams)

    monkeypatch.setattr(Trainer, "_step", observed)
    list(run.run(tmp_path / "resume.pt"))

    def expected(name: str, epoch: int) -> int:
        digest = hashlib.sha256(f"5/{name}/{epoch}".encode()).hexdigest()
        return int(digest[:16], 16) // 2

    for epoch in range(3):
        order = torch.randperm(160, generator=torch.Generator().manual_seed(expected("order", epoch)))
        batches = [step.pop("batch") for step in seen[4 * epoch : 4 * epoch + 4]]
        assert batches == [part.tolist() for part in order.split(40)][: len(batches)]
        names = ("augment", "examples", "dropout")
        assert all(step == {name: expected(name, epoch) for name in names} for step in seen[4 * epoch :][:4])


def test_seeds_of_streams_differ_and_stay():
    names = [
        derive(seed, name, epoch) for seed in (0, 1) for name in ("order", "augment") for epoch in range(50)
    ]
    assert len(set(names)) == 200 and all(0 <= seed < 2**63 for seed in names)
    assert derive(0, "order", 1) == 4489457307835839548  # a change would make every trained run another
