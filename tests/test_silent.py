"""What would pass for a result without a word: logits that are no numbers, zero gradients, inputs changed in place."""

import logging
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import train as train_script
from evaluate import evaluate as evaluate_run
from spatial_adversarial import models
from spatial_adversarial.attacks.early_stopping import early_stopped_pgd
from spatial_adversarial.attacks.pgd import ZERO_GRADIENTS
from spatial_adversarial.data.images import ImageSet, load
from spatial_adversarial.evaluation.finite import NotFinite, finite
from spatial_adversarial.evaluation.profiles import evaluate, pictures
from spatial_adversarial.evaluation.resume import Blocks
from spatial_adversarial.metrics import outcomes
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.models.network import Network
from spatial_adversarial.models.weights import save_weights
from spatial_adversarial.records.identity import canonical, filled
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.reading import schema
from spatial_adversarial.runner.run_folder import read_run, write_run

DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 400, "test": 200}
MODEL = {"name": "stdcnn", "width": 0.5, "normalise": "dataset"}
PGD = {"attack": "pgd", "grid": [0, 0.1], "step": 0.02, "steps": 8}
ATTACKS = {
    "pgd": PGD,
    "pgd, normalised": PGD | {"space": "normalized"},
    "pgd, KL": PGD | {"loss": "kl"},
    "pgd, best iterate": PGD | {"keep": "best", "random_start": False, "step": {"of_eps": 0.25}},
    "pgd, L2": PGD | {"norm": "l2", "random_start": False, "grid": [2], "step": 0.5},
    "pgd, restarts": PGD | {"restarts": 2},
    "gama": {"attack": "gama", "grid": [0.1], "steps": 8},
    "square": {"attack": "square", "grid": [0.1], "queries": 60},
    "autoattack": {"attack": "autoattack", "grid": [0.05], "steps": 4, "targets": 2, "queries": 20},
    "deepfool": {"attack": "deepfool", "grid": [0]},
    "deepfool, normalised": {"attack": "deepfool", "grid": [0], "space": "normalized"},
    "spatial": {"attack": "spatial", "grid": [30], "turns": 5, "pixels": 2, "shifts": 3},
    "rotation": {"transform": "rotate", "grid": [0, 60]},
}
EACH = pytest.mark.parametrize("name", ATTACKS)


def profile(**settings) -> dict:
    return filled(settings, schema("profile"))


def quietly(network, images, settings):
    return evaluate(network, images, ProfileSettings.of(profile(**settings)), tell=lambda line: None)


@pytest.fixture(scope="module")
def digits(prepared) -> str:
    return prepared("digits", DIGITS)


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """The folder of a network that has learnt digits."""
    recipe = {"data": "digits", "model": MODEL, "optimiser": {"name": "sgd", "lr": 0.05, "momentum": 0.9}}
    folder = tmp_path_factory.mktemp("run")
    recipe = canonical(recipe | {"batch": 40, "epochs": 12}, "test")
    train_script.train(recipe, 0, digits, folder, device="cpu", threads=1)
    return folder


@pytest.fixture(scope="module")
def images(digits) -> ImageSet:
    return load(digits, "test", limit=100)


@pytest.fixture
def network(run, images) -> Network:
    return load_network(MODEL, images, seed=0, weights=run / "weights.pt").eval()


# Logits that are no numbers


@pytest.mark.parametrize("damage", [float("nan"), float("inf")])
@EACH
def test_weights_that_are_no_numbers_end_every_evaluation(network, images, damage, name):
    damaged = deepcopy(network)
    damaged.body.head.weight.data[3, 0] = damage
    with pytest.raises(NotFinite, match="logits are not finite on clean images"):
        quietly(damaged, images, ATTACKS[name])


def test_one_line_names_the_file_and_the_network(run, digits, tmp_path):
    weights = torch.load(run / "weights.pt", weights_only=True)
    weights["body.head.bias"][0] = float("nan")
    damaged = tmp_path / "run"
    damaged.mkdir()
    save_weights(weights, damaged / "weights.pt")
    told = read_run(run)
    write_run(damaged, told["recipe"], told["seed"], ["weights.pt"], told["made_of"])
    output = tmp_path / "pgd.h5"
    with pytest.raises(
        ValueError, match=r"run/weights\.pt: network stdcnn: the logits are not finite"
    ) as error:
        evaluate_run(damaged, digits, {str(output): profile(**PGD)}, device="cpu", threads=1)
    assert "\n" not in str(error.value) and not output.exists()


class Overflowing(nn.Module):
    """A network whose logits overflow where an image is brighter than any clean one."""

    def __init__(self, network: nn.Module, brightest: float):
        super().__init__()
        self.network, self.brightest = network, brightest

    def forward(self, x: Tensor) -> Tensor:
        over = (x.flatten(1).mean(1) > self.brightest)[:, None]
        return self.network(x) + torch.where(over, torch.inf, 0)


def test_an_overflow_under_attack_alone_is_seen_too(network, images):
    brightest = (images.images.float() / 255).flatten(1).mean(1).max().item()
    watched = Overflowing(network, brightest + 0.01)
    assert quietly(watched, images, PGD | {"grid": [0]}).prediction.size
    with pytest.raises(NotFinite, match=r"not finite at 0\.4"):
        quietly(watched, images, PGD | {"grid": [0, 0.4]})


def test_a_block_that_overflows_is_not_kept_for_the_next_attempt(network, images, tmp_path):
    brightest = (images.images.float() / 255).flatten(1).mean(1).max().item()
    watched, settings = (
        Overflowing(network, brightest + 0.01),
        ProfileSettings.of(profile(**PGD | {"grid": [0.4]})),
    )
    for _ in range(2):  # a retry takes from the disk what is there
        with pytest.raises(NotFinite):
            evaluate(
                watched, images, settings, tell=lambda line: None, kept=Blocks(tmp_path / "pgd.h5", "made")
            )
    assert not list(tmp_path.rglob("*.npy"))


class Rootless(nn.Module):
    """A network times 1, by a root whose gradient at 0 is 0 times infinity: it sees alike and cannot be climbed."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) * (1 + (0 * x).square().flatten(1).sum(1, keepdim=True).sqrt())


@pytest.mark.parametrize("name", ["pgd", "pgd, L2", "gama", "autoattack"])
def test_a_gradient_that_is_no_number_is_no_robustness(network, images, name):
    rootless = Rootless(network)
    x = images.images.float() / 255
    with torch.no_grad():
        assert torch.equal(rootless(x), network(x))
    with pytest.raises(NotFinite, match=r"(gradients|logits) are not finite at"):
        quietly(rootless, images, ATTACKS[name])


def test_the_network_that_a_transfer_attack_is_made_on_is_watched_too(network, images):
    settings = ProfileSettings.of(profile(**PGD, source="another run"))
    with pytest.raises(
        NotFinite, match="gradients of the network that the attack is made on are not finite at"
    ):
        evaluate(network, images, settings, tell=lambda line: None, source=Rootless(deepcopy(network)))
    assert evaluate(
        network, images, settings, tell=lambda line: None, source=deepcopy(network)
    ).prediction.size


def test_a_sound_network_is_left_without_a_watch(network, images):
    quietly(network, images, PGD)
    assert not network._forward_hooks and not network.body._forward_hooks


# Gradients of 0


class Rounded(nn.Module):
    """A network that sees its input in steps of a tenth: it has no gradient anywhere, and is no more robust."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network((10 * x).round() / 10)


class Scaled(nn.Module):
    """A network with its logits times 40: it decides alike, and its cross-entropy underflows."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return 40 * self.network(x)


def robust(found) -> float:
    return outcomes(found, "robust_accuracy")[-1].mean()


def share(found) -> float:
    return found.zero_gradient[-1].mean()


@pytest.mark.parametrize(("mask", "least"), [(Rounded, 0.9), (Scaled, 0.2)])
def test_a_masked_gradient_is_measured_and_told(network, images, caplog, mask, least):
    attack = PGD | {"grid": [0, 0.2], "steps": 20}
    plain = quietly(network, images, attack)
    assert share(plain) <= ZERO_GRADIENTS and not caplog.records
    masked = quietly(mask(network), images, attack)
    told = (
        f"{robust(masked):.2f} robust, in truth {robust(plain):.2f}; {share(masked):.2f} at a gradient of 0"
    )
    print(f"{mask.__name__}: {told}")
    assert robust(masked) > robust(plain) + 0.25, "PGD makes it out to be robust"
    if mask is Scaled:
        assert masked.clean.tolist() == plain.clean.tolist()
    assert share(masked) >= least
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{100 * share(masked):.1f}% of the images standing at 0.2" in record.getMessage()


def test_no_attack_has_no_zero_gradient(network, images):
    masked = quietly(Rounded(network), images, PGD)
    assert not masked.zero_gradient[0].any() and masked.zero_gradient[1].mean() > 0.9
    assert quietly(network, images, ATTACKS["gama"]).zero_gradient is None


# Inputs changed in place

BUILDER = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes, inplace):
        super().__init__()
        self.inplace = inplace
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(576, classes))

    def forward(self, x):
        x = x.sub_(0.3).mul_(3).relu_() if self.inplace else torch.relu((x - 0.3) * 3)
        return self.layers(x)


def plain(channels, side, classes):
    return Net(classes, False)


def inplace(channels, side, classes):
    return Net(classes, True)
"""


@pytest.fixture(scope="module")
def twins(tmp_path_factory, images) -> tuple[Network, Network]:
    """Two networks of one file with the same weights, of which the second changes its input in place."""
    file = tmp_path_factory.mktemp("own") / "mine.py"
    file.write_text(BUILDER)
    spec = {"name": "own", "file": str(file), "normalise": "none"}
    torch.manual_seed(0)
    plain, inplace = (
        models.build(spec | {"builder": name}, channels=1, side=28, classes=10)
        for name in ("plain", "inplace")
    )
    optimiser = torch.optim.Adam(plain.parameters(), 3e-3)
    for _ in range(60):  # so that attacks have something to do
        loss = nn.functional.cross_entropy(plain(images.images.float() / 255), images.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    inplace.load_state_dict(plain.state_dict())
    return plain.eval(), inplace.eval()


@EACH
def test_every_attack_gives_the_same_numbers(twins, images, name):
    plain, inplace = (quietly(network, images, ATTACKS[name]) for network in twins)
    for key, values in vars(plain).items():
        assert np.array_equal(values, getattr(inplace, key)), key
    assert (plain.prediction[-1] != plain.clean).any(), "the attack does something"


def test_training_attacks_and_pictures_give_the_same_numbers_and_leave_the_images(twins, images):
    x, y = images.images.float() / 255, images.labels
    before = x.clone()
    moved = [
        early_stopped_pgd(one, x, y, eps=0.1, step=0.02, steps=5, generator=torch.Generator().manual_seed(0))
        for one in twins
    ]
    assert torch.equal(*moved) and torch.equal(x, before)
    kept = [pictures(one, images, ProfileSettings.of(profile(**PGD, pictures=3))) for one in twins]
    assert np.array_equal(kept[0].images, kept[1].images)
    assert torch.equal(twins[0].features(x), twins[1].features(x)) and torch.equal(x, before)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_infinite_logits_are_no_numbers_though_no_nan_is_among_them(value):
    class Same(torch.nn.Module):
        def forward(self, x):
            return x

    model = Same()
    with finite({"": model}, torch.device("cpu")) as check:
        model(torch.zeros(2, 3))
        check("at 0")
        model(torch.tensor([[0.0, value, 0.0]]))
        with pytest.raises(NotFinite, match="logits are not finite at 1"):
            check("at 1")
