"""GAMA-PGD, Square and AutoAttack on a trained network, and evaluations with them that are killed and go on."""

import logging
import os
import signal
import subprocess
import sys
import time
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import evaluate as script
import train as train_script
from spatial_adversarial.attacks import autoattack as autoattack_file
from spatial_adversarial.attacks.autoattack import autoattack
from spatial_adversarial.attacks.block import in_parts
from spatial_adversarial.attacks.early_stopping import probability_margin
from spatial_adversarial.attacks.gama import gama
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.attacks.square import square
from spatial_adversarial.data.images import load
from spatial_adversarial.evaluation import profiles
from spatial_adversarial.evaluation.profiles import evaluate
from spatial_adversarial.evaluation.resume import Blocks
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.records.identity import canonical, filled
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.reading import schema
from spatial_adversarial.results.store import read_evaluation
from spatial_adversarial.transforms.pixels import to_float

DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 800, "test": 300}
NET = {"name": "stdcnn", "width": 0.5, "normalise": "dataset"}
EPS = 0.1
FEW = {"steps": 6, "targets": 2, "queries": 40}


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory) -> tuple[Path, str]:
    """The folder of a run that PGD has trained, and its data set."""
    folder = tmp_path_factory.mktemp("trained")
    data = prepared("digits", DIGITS)
    recipe = {
        "data": "digits",
        "model": NET,
        "optimiser": {"name": "adam", "lr": 0.003},
        "batch": 40,
        "epochs": 25,
        "method": {"pgd": {"eps": EPS, "step": 0.05, "steps": 3}},
    }
    train_script.train(canonical(recipe, "test"), 0, data, folder / "run", device="cpu", threads=1)
    return folder / "run", data


@pytest.fixture(scope="module")
def attacked(trained) -> tuple[nn.Module, Tensor, Tensor]:
    """(network, the test images that it is right on, their labels)."""
    run, data = trained
    images = load(data, "test")
    network = load_network(NET, images, seed=0, weights=run / "weights.pt").eval()
    x, y = to_float(images.images), images.labels
    right = network(x).argmax(1) == y
    assert right.float().mean() > 0.8
    return network, x[right], y[right]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def survivors(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return (network(x).argmax(1) == y).detach()


def no_weaker(strong: Tensor, weak: Tensor) -> bool:
    """Whether no more images survive the strong attack than the weak one, within two paired standard errors."""
    more, less = (strong & ~weak).sum().item(), (weak & ~strong).sum().item()
    return more - less <= 2 * (more + less) ** 0.5


def test_robust_accuracy_falls_in_the_order_pgd_gama_autoattack(attacked):
    network, x, y = attacked
    moved = pgd(network, x, y, eps=EPS, step=EPS / 4, steps=100, generator=seeded())
    left = {"pgd": survivors(network, moved, y)}
    left["gama"] = survivors(network, gama(network, x, y, eps=EPS, generator=seeded()), y)
    smaller = {"steps": 20, "targets": 4, "queries": 50}
    left["autoattack"] = survivors(network, autoattack(network, x, y, eps=EPS, seed=0, **smaller), y)
    assert no_weaker(left["gama"], left["pgd"]) and no_weaker(left["autoattack"], left["gama"])
    assert 0.2 < left["pgd"].float().mean() < 0.95


ATTACKS = {
    "gama": lambda model, x, y: gama(model, x, y, eps=EPS, steps=8, generator=seeded()),
    "square": lambda model, x, y: square(model, x, y, eps=EPS, seed=0, queries=40),
    "autoattack": lambda model, x, y: autoattack(model, x, y, eps=EPS, seed=0, **FEW),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_keep_ball_range_network_and_random_streams(attacked, name):
    network, x, y = attacked
    network, before = deepcopy(network).train(), deepcopy(network.state_dict())
    random, kept = torch.get_rng_state(), x.clone()
    moved = ATTACKS[name](network, x, y)
    assert (moved - x).abs().max() <= EPS + 1e-6 and moved.min() >= 0 and moved.max() <= 1
    assert network.training and all(p.requires_grad and p.grad is None for p in network.parameters())
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random) and torch.equal(x, kept)
    assert torch.equal(ATTACKS[name](network, x, y), moved)  # the same seed, the same examples
    assert 0 < survivors(network.eval(), moved, y).sum() < len(y)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_block_in_parts_is_attacked_alike(attacked, name):
    network, x, y = attacked
    whole, parts = (ATTACKS[name](model, x[:50], y[:50]) for model in (network, in_parts(network, 7)))
    assert torch.equal(survivors(network, whole, y[:50]), survivors(network, parts, y[:50]))


@pytest.mark.parametrize("queries", [2, 15, 60])
def test_square_keeps_to_its_queries(attacked, queries):
    """Each image is looked at `queries` times at most, besides the clean prediction and the last one."""
    network, x, y = attacked[0], attacked[1][:60], attacked[2][:60]
    seen = torch.zeros(len(x))

    class Counted(nn.Module):
        def forward(self, moved: Tensor) -> Tensor:
            owner = (moved[:, None] - x[None]).abs().amax((2, 3, 4)).argmin(1)
            seen.index_add_(0, owner, torch.ones(len(moved)))
            return network(moved)

    moved = square(Counted(), x, y, eps=0.02, seed=0, queries=queries)
    assert seen.max() == queries + 2
    assert survivors(network, moved, y).float().mean() > 0.5


def test_gama_climbs_the_margin_and_is_guided_at_first(attacked):
    network, x, y = attacked
    start = gama(network, x, y, eps=EPS, steps=0, generator=seeded())
    inside = (x > EPS) & (x < 1 - EPS)
    torch.testing.assert_close((start - x).abs()[inside], torch.full_like(x, EPS)[inside])
    end = gama(network, x, y, eps=EPS, steps=20, generator=seeded())
    margins = [probability_margin(network(moved), y).mean() for moved in (x, start, end)]
    assert margins[0] < margins[1] < margins[2]
    unguided = gama(network, x, y, eps=EPS, steps=20, weight=0, generator=seeded())
    assert not torch.equal(end, unguided)


class Wave(nn.Module):
    """So many maxima within a ball that iterates do not stay in its corners."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(20 * x)


class Recorded(nn.Module):
    """A small smooth network in float64 that remembers what it is asked."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 20), Wave(), nn.Linear(20, 5)).double()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach().clone())
        return 4 * self.layers(x)


def test_gama_is_its_published_schedule():
    """100 steps from x + eps sign(noise), of 2 eps, a tenth after 60 and again after 85; the guide's weight falls from
    50 to 0 in 25 steps, and compares with the probabilities at the start. Every iterate, against a loop in numbers.
    """
    x, y = torch.rand(6, 3, 2, 2, generator=seeded(), dtype=torch.float64), torch.arange(6) % 5
    model, eps = Recorded(), 0.2
    end = gama(model, x, y, eps=eps, generator=seeded(3))
    iterates = [*model.seen[1:], end]  # the first call is the guide's, at the start
    assert len(model.seen) == 101 and torch.equal(model.seen[0], model.seen[1])
    signs = torch.randint(0, 2, x.shape, generator=seeded(3)) * 2 - 1
    moved = torch.min(torch.max(x + eps * signs, x - eps), x + eps).clamp(0, 1)
    f = lambda z: (4 * model.layers(z)).softmax(1)  # noqa: E731
    start = f(moved).detach()
    for k in range(100):
        torch.testing.assert_close(iterates[k], moved, rtol=0, atol=1e-12)
        leaf = moved.clone().requires_grad_()
        p = f(leaf)
        rivals = torch.stack([torch.cat([row[:c], row[c + 1 :]]).max() for row, c in zip(p, y, strict=True)])
        margin = rivals - p[torch.arange(6), y]
        guide = 50 * (25 - k) / 25 if k < 25 else 0
        (gradient,) = torch.autograd.grad((margin + guide * (p - start).pow(2).sum(1)).sum(), leaf)
        step = 2 * eps if k < 60 else 0.2 * eps if k < 85 else 0.02 * eps
        moved = torch.min(torch.max(moved + step * gradient.sign(), x - eps), x + eps).clamp(0, 1)
    torch.testing.assert_close(end, moved, rtol=0, atol=1e-12)
    assert all((one - other).abs().max() > 0 for one, other in pairwise(iterates[84:]))  # each step shows


def profile(**settings) -> dict:
    return filled(settings, schema("profile"))


def test_more_restarts_fool_more_images(trained, attacked):
    images = load(trained[1], "test")
    weak = {"attack": "pgd", "grid": [EPS], "step": 0.02, "steps": 2}
    once, often = (
        evaluate(attacked[0], images, ProfileSettings.of(profile(**weak, restarts=n))) for n in (1, 6)
    )
    first, worst = (e.prediction[0, 0] == e.label for e in (once, often))
    assert not (worst & ~first).any() and worst.sum() < first.sum()


@pytest.mark.parametrize("attack", ["gama", "square", "autoattack"])
def test_images_that_are_wrong_stay_wrong_and_are_not_attacked(trained, attacked, attack):
    found = evaluate(
        attacked[0], load(trained[1], "test"), ProfileSettings.of(profile(attack=attack, grid=[EPS], **FEW))
    )
    wrong = found.clean != found.label
    assert wrong.any() and np.array_equal(found.prediction[0, 0][wrong], found.clean[wrong])
    assert ((found.prediction[0, 0] == found.label) <= (found.clean == found.label)).all()


# Interrupted evaluations

AUTOATTACK = profile(attack="autoattack", grid=[0.05, EPS], **FEW)
CHILD = """
import json, pathlib, sys, evaluate
from spatial_adversarial.evaluation import profiles
profiles.BLOCK = 60
run, data, output, profile = sys.argv[1:]
evaluate.evaluate(pathlib.Path(run), data, {output: json.loads(profile)}, device="cpu", threads=1)
"""


def child(run: Path, data: str, output: Path, blocks: int) -> None:
    """An evaluation that is killed when so many blocks of it are finished."""
    import json

    command = [sys.executable, "-c", CHILD, str(run), data, str(output), json.dumps(AUTOATTACK)]
    paths = os.pathsep.join([str(Path(script.__file__).parent), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 300
        while len(finished(output)) < blocks:
            assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def finished(output: Path) -> list[Path]:
    return list(output.parent.glob(f"{output.name}.blocks-*/[!.]*.npy"))


def test_kill_9_during_autoattack_loses_no_finished_block(trained, tmp_path, monkeypatch, caplog):
    run, data = trained
    monkeypatch.setattr(profiles, "BLOCK", 60)
    whole, output = tmp_path / "whole.h5", tmp_path / "killed.h5"
    script.evaluate(run, data, {str(whole): AUTOATTACK}, device="cpu", threads=1)
    for blocks in (2, 7):
        child(run, data, output, blocks)
        assert not output.exists() and len(finished(output)) >= blocks
    attacks = []
    plain = autoattack_file.autoattack
    monkeypatch.setattr(autoattack_file, "autoattack", lambda *a, **k: attacks.append(0) or plain(*a, **k))
    there = len(finished(output))
    caplog.set_level(logging.INFO)
    script.evaluate(run, data, {str(output): AUTOATTACK}, device="cpu", threads=1)
    assert f"going on after {there} finished blocks" in caplog.messages
    assert len(attacks) == 10 - there  # five blocks at each of two eps
    assert output.read_bytes() == whole.read_bytes() and not finished(output)
    assert read_evaluation(output).prediction.shape == (2, 1, 300)


def test_blocks_of_other_weights_or_settings_are_removed(tmp_path):
    output = tmp_path / "gama.h5"
    old = Blocks(output, "made of one")
    assert old("a", lambda: np.arange(3)).tolist() == [0, 1, 2]
    assert Blocks(output, "made of one")("a", pytest.fail).tolist() == [0, 1, 2]
    new = Blocks(output, "made of another")
    assert not old.folder.exists()
    assert new("a", lambda: np.zeros(2)).tolist() == [0, 0]
    new.remove()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_block_is_made_again(tmp_path, damage, caplog):
    blocks = Blocks(tmp_path / "gama.h5", "one")
    blocks("a", lambda: np.arange(3))
    (blocks.folder / "a.npy").write_bytes(damage)
    assert blocks("a", lambda: np.arange(4)).tolist() == [0, 1, 2, 3]
    assert "made again" in caplog.text
