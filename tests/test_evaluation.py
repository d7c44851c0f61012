"""Profiles of a trained network against naive loops and torchvision, slices of linear models, and their scripts."""

import json
from copy import deepcopy

import h5py
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import functional as reference

import train as train_script
from evaluate import evaluate as evaluate_run
from evaluate import source_folders
from slice_boundaries import slice_boundaries
from spatial_adversarial.attacks.block import Block, joined
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.data.images import ImageSet, load_sample
from spatial_adversarial.evaluation import profiles
from spatial_adversarial.evaluation.boundary_slices import SIDE, cut, distances
from spatial_adversarial.evaluation.profiles import Space, evaluate
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.models.network import Network
from spatial_adversarial.records.identity import canonical, filled
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.reading import schema
from spatial_adversarial.results.store import read_evaluation
from spatial_adversarial.runner import device
from spatial_adversarial.runner.device import halve_when_full
from spatial_adversarial.runner.seeds import derive
from spatial_adversarial.transforms.pixels import to_float
from spatial_adversarial.transforms.spatial import draw

IMAGES = 120
DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 400, "test": 200}
PGD = {"attack": "pgd", "grid": [0, 0.1, 0.3], "step": 0.05, "steps": 4}
NORMALIZED = PGD | {"space": "normalized", "grid": [0, 0.2, 1]}
PROFILES = {
    "rotation": {"transform": "rotate", "grid": [0, 60, 180], "draws": 2},
    "translation": {"transform": "translate", "grid": [0, 0.2]},
    "joint": {"transform": "rotate_translate", "grid": [0, 0.2]},
    "pgd": PGD | {"draws": 2},
    "pgd, normalised": NORMALIZED,
    "pgd, rotated": PGD | {"input": {"rotate": 90}},
    "l2 pgd": PGD
    | {"norm": "l2", "random_start": False, "keep": "best", "grid": [0, 0.5], "step": {"of_eps": 0.25}},
    "grid": {"attack": "spatial", "grid": [30], "turns": 5, "pixels": 3, "shifts": 3},
    "deepfool": {"attack": "deepfool", "grid": [0]},
    "deepfool, normalised": {"attack": "deepfool", "grid": [0], "space": "normalized"},
}
EACH = pytest.mark.parametrize("name", PROFILES)


def profile(**settings) -> dict:
    return filled(settings, schema("profile"))


@pytest.fixture(scope="module")
def digits(prepared) -> str:
    return prepared("digits", DIGITS)


@pytest.fixture(scope="module")
def runs(digits, tmp_path_factory) -> list:
    """The folders of two trained runs: without rotations and with rotations up to 180 degrees."""
    folders = []
    for theta in (0, 180):
        recipe = {
            "data": "digits",
            "model": {"name": "stdcnn", "width": 0.5, "normalise": "dataset"},
            "optimiser": {"name": "sgd", "lr": 0.05, "momentum": 0.9},
            "batch": 40,
            "epochs": 12,
            "augment": {"rotate": theta},
        }
        folders.append(tmp_path_factory.mktemp(f"rotate{theta}"))
        train_script.train(canonical(recipe, "test"), 0, digits, folders[-1], device="cpu", threads=1)
    return folders


@pytest.fixture(scope="module")
def images(digits) -> ImageSet:
    return load_sample(digits, IMAGES)


@pytest.fixture(scope="module")
def fitted(runs, images) -> Network:
    spec = {"name": "stdcnn", "width": 0.5, "normalise": "dataset"}
    return load_network(spec, images, seed=0, weights=runs[0] / "weights.pt")


@pytest.fixture
def network(fitted) -> Network:
    return deepcopy(fitted).eval()


@pytest.fixture
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(profiles, "BLOCK", 50)


def stream(*names) -> torch.Generator:
    """The random stream of that name for a profile of seed 0."""
    return torch.Generator().manual_seed(derive(0, *names))


def predictions(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x).argmax(1)


def quietly(network, images, settings, **more):
    return evaluate(network, images, ProfileSettings.of(profile(**settings)), tell=lambda line: None, **more)


def agreement(found, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return (torch.as_tensor(found) == expected).float().mean().item()


# What is measured


@pytest.mark.parametrize("settings", [PGD, NORMALIZED], ids=["pixel", "normalised"])
def test_eps_0_is_the_spaces_clean_prediction(network, images, settings):
    x = to_float(images.images)
    if settings is NORMALIZED:
        expected = predictions(network.body, network.normalise(x).clamp(-1, 1))
        assert agreement(expected, predictions(network, x)) < 1  # the two spaces do differ on these images
    else:
        expected = predictions(network, x)
    found = quietly(network, images, settings)
    assert found.clean.tolist() == found.prediction[0, 0].tolist() == expected.tolist()
    assert found.label.tolist() == images.labels.tolist() and found.x.tolist() == settings["grid"]


@EACH
def test_batches_change_no_result(network, images, small_blocks, name):
    whole, split = (quietly(network, images, PROFILES[name], batch=batch) for batch in (500, 7))
    assert (
        whole.prediction.tolist() == split.prediction.tolist()
        and whole.clean.tolist() == split.clean.tolist()
    )
    if whole.distance is not None:
        assert whole.distance == pytest.approx(split.distance, rel=1e-3)


JOINED = PROFILES.keys() - {"rotation", "translation", "joint", "deepfool", "deepfool, normalised"}


@pytest.mark.parametrize("name", sorted(JOINED))
def test_blocks_that_go_together_keep_their_random_streams(network, images, small_blocks, name):
    """Three blocks of 50, 50 and 20 images: in one batch, or each by itself, and after an interruption."""
    alone, together = [], []
    handle = network.body.register_forward_hook(lambda module, inputs, _: alone.append(len(inputs[0])))
    one = quietly(network, images, PROFILES[name], batch=50)
    handle.remove()
    network.body.register_forward_hook(lambda module, inputs, _: together.append(len(inputs[0])))
    three = quietly(network, images, PROFILES[name], batch=150)
    assert max(alone) <= 50 and max(together) >= 100 and len(together) < len(alone)
    for row in ("prediction", "prediction_predicted", "zero_gradient"):
        if getattr(one, row) is not None:
            assert getattr(one, row).tolist() == getattr(three, row).tolist()
    made = {}

    def kept(key, make):  # all blocks but the second were finished
        if key not in made:
            made[key] = make()
        return made[key]

    quietly(network, images, PROFILES[name], batch=150, kept=kept)
    assert {key.rpartition("-")[2] for key in made} == {"0", "1", "2"}
    made = {key: rows for key, rows in made.items() if not key.endswith("-1")}
    resumed = quietly(network, images, PROFILES[name], batch=150, kept=kept)
    assert resumed.prediction.tolist() == one.prediction.tolist()


def test_a_joined_block_draws_what_its_blocks_draw():
    def block(n, k):
        rows = [torch.zeros(n, 1, 2, 2), *(torch.zeros(n, dtype=torch.int64) for _ in range(3))]
        return Block(None, *rows, batch=9, seed=3, names=(0, k))

    both = joined([block(3, 0), block(2, 1)]).uniform("pgd", 0.1, after=(7,))
    streams = [torch.Generator().manual_seed(derive(3, "pgd", 0.1, 0, k, 7)) for k in (0, 1)]
    drawn = [torch.rand(n, 1, 2, 2, generator=stream) for n, stream in zip((3, 2), streams, strict=True)]
    assert torch.equal(both, torch.cat(drawn))


@EACH
def test_profiles_repeat_and_move_with_the_seed(network, images, name):
    first, second, other = (quietly(network, images, PROFILES[name] | {"seed": seed}) for seed in (0, 0, 1))
    assert first.prediction.tobytes() == second.prediction.tobytes()
    random = not name.startswith(("deepfool", "l2", "grid"))
    assert (first.prediction[-1].tolist() != other.prediction[-1].tolist()) == random


def test_draws_are_independent_and_one_more_keeps_the_others(network, images):
    one, two = (quietly(network, images, PROFILES["rotation"] | {"draws": draws}) for draws in (1, 2))
    assert one.prediction.shape == (3, 1, IMAGES) and two.prediction.shape == (3, 2, IMAGES)
    assert one.prediction[:, 0].tolist() == two.prediction[:, 0].tolist()
    assert two.prediction[1:, 0].tolist() != two.prediction[1:, 1].tolist()
    assert two.prediction[0, 0].tolist() == two.prediction[0, 1].tolist() == two.clean.tolist()


@pytest.mark.parametrize("theta", [60, 180])
def test_rotations_are_torchvisions_at_the_same_angles(network, images, theta):
    found = quietly(network, images, PROFILES["rotation"]).prediction[[0, 60, 180].index(theta), 1]
    angles = draw("rotate", theta, IMAGES, stream("rotate", theta, 1), "cpu")[:, 0].tolist()
    turned = [reference.rotate(image, angle) for image, angle in zip(images.images, angles, strict=True)]
    expected = predictions(network, to_float(torch.stack(turned)))
    assert agreement(found, expected) > 0.98 > agreement(found, predictions(network, to_float(images.images)))


def test_translations_are_torchvisions_at_the_same_shifts(network, images):
    found = quietly(network, images, PROFILES["translation"]).prediction[1, 0]
    shifts = (draw("translate", 0.2, IMAGES, stream("translate", 0.2, 0), "cpu") * 28).round().int().tolist()
    moved = [reference.affine(image, 0, by, 1, [0]) for image, by in zip(images.images, shifts, strict=True)]
    expected = predictions(network, to_float(torch.stack(moved)))
    assert agreement(found, expected) == 1 > agreement(found, predictions(network, to_float(images.images)))


def test_inputs_are_turned_before_the_attack(network, images):
    found = quietly(network, images, PROFILES["pgd, rotated"])
    angles = draw("rotate", 90, IMAGES, stream("input", "rotate", 90), "cpu")[:, 0].tolist()
    turned = [reference.rotate(image, angle) for image, angle in zip(images.images, angles, strict=True)]
    assert agreement(found.clean, predictions(network, to_float(torch.stack(turned)))) > 0.98
    assert found.prediction[0, 0].tolist() == found.clean.tolist()
    same, plain = (quietly(network, images, PGD | {"input": {"rotate": 0}}), quietly(network, images, PGD))
    assert same.prediction.tolist() == plain.prediction.tolist() != found.prediction.tolist()


def naive(space: Space, *attack) -> int:
    return int(predictions(space.model, naive_image(space, *attack)[None]))


def naive_image(space: Space, x: Tensor, y: int, eps: float, settings: dict, unit: Tensor) -> Tensor:
    """PGD on one image, written down from its definition: first the ball, then the range."""
    clean = space.model(x[None]).softmax(1).detach()
    moved = (x + eps * (2 * unit - 1)).clamp(space.low, space.high)
    for _ in range(settings["steps"]):
        leaf = moved.clone().requires_grad_()
        told = space.model(leaf[None]).softmax(1)
        divergence = (clean * (clean.log() - told.log())).sum()
        (divergence if settings.get("loss") == "kl" else -told[0, y].log()).backward()
        moved = moved + settings["step"] * leaf.grad.sign()
        moved = torch.minimum(torch.maximum(moved, x - eps), x + eps).clamp(space.low, space.high)
    return moved


@pytest.mark.parametrize(
    "settings", [PGD, NORMALIZED, PGD | {"loss": "kl"}], ids=["pixel", "normalised", "KL"]
)
def test_pgd_fools_like_a_naive_loop(network, images, small_blocks, settings):
    found = quietly(network, images, settings)
    space = Space(network, settings.get("space", "pixel"))
    eps = settings["grid"][1]
    shape = (1, 28, 28)
    unit = torch.cat(
        [torch.rand(n, *shape, generator=stream("pgd", eps, 0, k)) for k, n in enumerate((50, 50, 20))]
    )
    inputs = space.inputs(to_float(images.images))
    expected = [
        naive(space, x, int(y), eps, settings, u) for x, y, u in zip(inputs, images.labels, unit, strict=True)
    ]
    assert agreement(found.prediction[1, 0], torch.tensor(expected)) > 0.98
    assert found.prediction[1, 0].tolist() != found.clean.tolist()


def test_pgd_climbs_the_label_predicted_at_its_noisy_start(network, images, small_blocks):
    settings = PGD | {"grid": [0.3], "steps": 3}
    found = quietly(network, images, settings | {"loss": "predicted_at_start"}).prediction[0, 0]
    space, inputs = Space(network, "pixel"), to_float(images.images)
    unit = torch.cat(
        [torch.rand(n, 1, 28, 28, generator=stream("pgd", 0.3, 0, k)) for k, n in enumerate((50, 50, 20))]
    )
    seen = predictions(network, (inputs + 0.3 * (2 * unit - 1)).clamp(0, 1))
    assert (seen != images.labels).any()
    each = zip(inputs, seen.tolist(), unit, strict=True)
    expected = torch.tensor([naive(space, x, y, 0.3, settings, u) for x, y, u in each])
    assert agreement(found, expected) > 0.98
    assert found.tolist() != quietly(network, images, settings).prediction[0, 0].tolist()


def test_a_transfer_attack_is_pgd_on_another_network_seen_by_this_one(network, images, small_blocks):
    settings = PGD | {"grid": [0.2]}
    other = load_network({"name": "stdcnn", "width": 0.5, "normalise": "dataset"}, images, seed=1).eval()
    white = quietly(network, images, settings).prediction
    assert quietly(network, images, settings, source=network).prediction.tolist() == white.tolist()
    found = quietly(network, images, settings, source=other)
    space, inputs = Space(other, "pixel"), to_float(images.images)
    unit = torch.cat(
        [torch.rand(n, 1, 28, 28, generator=stream("pgd", 0.2, 0, k)) for k, n in enumerate((50, 50, 20))]
    )
    each = zip(inputs, images.labels, unit, strict=True)
    moved = torch.stack([naive_image(space, x, int(y), 0.2, settings, u) for x, y, u in each])
    assert agreement(found.prediction[0, 0], predictions(network, moved)) > 0.98
    assert found.clean.tolist() == quietly(network, images, settings).clean.tolist()
    right = (found.prediction[0, 0] == found.label).mean()
    assert right > (white[0, 0] == found.label).mean(), "weaker than its own gradients"


def test_a_relative_step_is_two_and_a_half_radii_over_the_steps(network, images):
    relative = quietly(network, images, PGD | {"step": "relative", "grid": [0.1]})
    absolute = quietly(network, images, PGD | {"step": 2.5 * 0.1 / 4, "grid": [0.1]})
    assert relative.prediction.tolist() == absolute.prediction.tolist()


def test_pictures_are_the_first_images_attacked_and_what_the_network_takes_those_for(network, images):
    kept = quietly(network, images, PGD | {"pictures": 3}).pictures
    x, y = to_float(images.images[:3]), images.labels[:3]
    for k, eps in enumerate(PGD["grid"]):
        moved = pgd(network, x, y, eps=eps, step=0.05, steps=4, generator=stream("pictures", eps))
        probability, prediction = network(moved).softmax(1).max(1)
        assert kept.images[k].tolist() == (255 * moved).round().int().tolist()
        assert kept.prediction[k].tolist() == prediction.tolist()
        assert kept.probability[k] == pytest.approx(probability.detach().numpy(), abs=1e-5)


def test_robust_accuracy_falls_with_eps(network, images):
    found = quietly(network, images, PGD | {"grid": [0, 0.05, 0.15, 0.4], "steps": 10})
    accuracy = (found.prediction[:, 0] == found.label).mean(axis=1)
    assert (accuracy[:-1] >= accuracy[1:]).all() and accuracy[0] - accuracy[-1] > 0.5


def test_deepfool_distances_scale_with_the_normalisation(network, images):
    """Normalised inputs are pixels over the deviation, so that each distance is too."""
    pixel, normalised = (quietly(network, images, PROFILES[name]) for name in list(PROFILES)[-2:])
    assert pixel.distance.shape == (1, 1, IMAGES) and (pixel.distance > 0).all()
    near = abs(pixel.distance / normalised.distance / network.normalise.std.item() - 1) < 1e-2
    assert near.mean() > 0.95
    assert (pixel.prediction[0, 0] != pixel.clean).mean() > 0.95


def test_the_network_is_left_as_it_was(network, images):
    network.train().body.head.requires_grad_(False)
    network.body.neck.eval()

    def state():
        modes = [module.training for module in network.modules()]
        flags = [(parameter.requires_grad, parameter.grad) for parameter in network.parameters()]
        return modes, flags, [tensor.tolist() for tensor in network.state_dict().values()]

    before = state()
    found = [quietly(network, images, PROFILES[name]) for name in ("rotation", "pgd", "deepfool")]
    assert state() == before
    assert found[0].clean.tolist() == predictions(network.eval(), to_float(images.images)).tolist()


def test_progress_is_told_point_by_point(network, images):
    told: list[str] = []
    evaluate(network, images, ProfileSettings.of(profile(**PROFILES["translation"])), tell=told.append)
    assert told == ["point 1 of 2", "point 2 of 2"]


# Memory and devices


def test_a_full_gpu_halves_the_batch():
    tried = []

    def work(batch: int) -> str:
        tried.append(batch)
        if batch > 100:
            raise torch.cuda.OutOfMemoryError
        return "done"

    assert halve_when_full(work, 800) == "done" and tried == [800, 400, 200, 100]


def test_a_network_too_large_for_one_image_is_one_line():
    def work(batch: int):
        raise torch.cuda.OutOfMemoryError

    with pytest.raises(RuntimeError, match="not hold even one image") as caught:
        halve_when_full(work, 8)
    assert "\n" not in str(caught.value)


def test_a_missing_gpu_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "listed_gpus", list)  # nor one that nvidia-smi lists
    assert device.pick_device("auto", 1) == torch.device("cpu")
    with pytest.raises(RuntimeError, match="no GPU is visible"):
        device.pick_device("cuda", 1)


# The scripts


def test_evaluations_of_a_run(digits, runs, tmp_path, fitted, images):
    settings = {name: profile(**PROFILES[name], sample=IMAGES) for name in ("rotation", "pgd", "deepfool")}
    for folder in ("first", "second"):
        outputs = {str(tmp_path / folder / f"{name}.h5"): found for name, found in settings.items()}
        evaluate_run(runs[0], digits, outputs, device="cpu", threads=1)
    for name, unit in (("rotation", "degrees"), ("pgd", "eps"), ("deepfool", "eps")):
        path = tmp_path / "first" / f"{name}.h5"
        assert path.read_bytes() == (tmp_path / "second" / f"{name}.h5").read_bytes()
        assert (
            read_evaluation(path).prediction.tolist()
            == quietly(fitted, images, PROFILES[name]).prediction.tolist()
        )
        with h5py.File(path) as file:
            assert file["x"].attrs["unit"] == unit and json.loads(file.attrs["profile"]) == settings[name]
        assert json.loads((tmp_path / "first" / f"{name}.h5.json").read_text())["images"] == IMAGES


def test_a_profile_that_was_finished_is_not_made_again_where_a_later_one_fails(
    digits, runs, tmp_path, monkeypatch, caplog
):
    import evaluate as script

    settings = [profile(**PGD | {"grid": [eps]}, sample=IMAGES) for eps in (0.1, 0.2)]
    outputs = {str(tmp_path / f"{k}.h5"): one for k, one in enumerate(settings)}
    whole, first = script.measured, []

    def fails_at_the_second(*args, **more):
        if first:
            raise RuntimeError("killed")
        first.append(whole(*args, **more))
        return first[0]

    with monkeypatch.context() as patched:
        patched.setattr(script, "measured", fails_at_the_second)
        with pytest.raises(RuntimeError, match="killed"):
            evaluate_run(runs[0], digits, outputs, device="cpu", threads=1)
    (tmp_path / "0.h5").unlink()  # as Snakemake does with the outputs of a job that failed
    with caplog.at_level("INFO"):
        evaluate_run(runs[0], digits, outputs, device="cpu", threads=1)
    assert "going on after 1 finished blocks" in caplog.text
    assert read_evaluation(tmp_path / "0.h5").prediction.tolist() == first[0].prediction.tolist()
    assert not list(tmp_path.glob("*.blocks-*"))


def test_the_script_loads_the_network_that_a_transfer_attack_is_made_on(
    digits, runs, images, fitted, tmp_path
):
    asked = PGD | {"grid": [0.2]}
    settings = profile(**asked, sample=IMAGES, source="digits/stdcnn/turned")
    folders = source_folders([settings], [tmp_path / "digits/stdcnn/turned/seed0/weights.pt"])
    assert folders == {"digits/stdcnn/turned": tmp_path / "digits/stdcnn/turned/seed0"}
    sources = {"digits/stdcnn/turned": runs[1]}
    path = tmp_path / "transfer.h5"
    evaluate_run(runs[0], digits, {str(path): settings}, device="cpu", threads=1, sources=sources)
    spec = {"name": "stdcnn", "width": 0.5, "normalise": "dataset"}
    turned = load_network(spec, images, seed=0, weights=runs[1] / "weights.pt").eval()
    found = read_evaluation(path).prediction.tolist()
    assert found == quietly(fitted, images, asked, source=turned).prediction.tolist()
    assert found != quietly(fitted, images, asked).prediction.tolist()


def test_a_slice_through_two_runs(digits, runs, tmp_path):
    for name in ("first", "second"):
        slice_boundaries(runs, digits, str(tmp_path / f"{name}.h5"), sample=1000, device="cpu", threads=1)
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "second.h5").read_bytes()
    with h5py.File(tmp_path / "first.h5") as file:
        assert file["margin"].shape == (2, SIDE, SIDE)
        assert (file["margin"][:, SIDE // 2, SIDE // 2] > 0).all()  # at the image itself both are right
        assert file["margin"][1, SIDE // 2, -1] < 0 and file["margin"][0].min() < 0
        assert file["distance"].shape[0] == 2 and 0 < file["distance"].shape[1] <= 200
        assert all(one["margin"].shape == (2, SIDE, SIDE) for one in file["more"].values())


# Slices of two linear models, whose boundaries are known


class Linear(nn.Module):
    """Two classes apart by the line weight . x = offset: class 1 beyond it."""

    def __init__(self, weight: list[float], offset: float):
        super().__init__()
        self.weight, self.offset = torch.tensor(weight), offset

    def forward(self, x: Tensor) -> Tensor:
        score = x.flatten(1) @ self.weight - self.offset
        return torch.stack([-score, score], dim=1)

    def distance(self, x: Tensor) -> Tensor:
        """Signed L2 distance to the boundary, positive on the side of class 0."""
        return (self.offset - x.flatten(1) @ self.weight) / self.weight.norm()


LINEAR = [Linear([3.0, 4.0, 0.0, 0.0], 3.5), Linear([1.0, -1.0, 1.0, 0.0], 1.2)]


def points(*values: list[float], labels: list[int]) -> ImageSet:
    return ImageSet(torch.tensor(values).view(-1, 1, 2, 2), torch.tensor(labels), 2, (0.0,), (1.0,))


def test_margins_of_linear_models_are_where_they_must_be():
    """A plane's point lies as far from each boundary as its two coordinates say."""
    images = points([0.2, 0.1, 0.3, 0.5], labels=[0])
    (found,) = cut(LINEAR, images)
    first, second = (model.distance(images.images).item() for model in LINEAR)
    length = [2 * model.weight.norm() for model in LINEAR]  # of the margin's gradient
    # The x axis is the second model's normal; the first one's has parts along both axes.
    along = torch.dot(LINEAR[0].weight, LINEAR[1].weight) / (
        LINEAR[0].weight.norm() * LINEAR[1].weight.norm()
    )
    expected = [
        first - along * found.x - (1 - along**2).sqrt() * found.y[:, None],
        (second - found.x).expand(SIDE, SIDE),
    ]
    for margin, distance, scale in zip(found.margin, expected, length, strict=True):
        assert torch.allclose(margin, scale * distance, atol=1e-4)


def test_the_zero_contours_lie_at_the_models_distances():
    images = points([0.2, 0.1, 0.3, 0.5], labels=[0])
    (found,) = cut(LINEAR, images)
    step = (found.x[1] - found.x[0]).item()
    assert found.x[SIDE // 2] == found.y[SIDE // 2] == 0
    for margin, model in zip(found.margin, LINEAR, strict=True):
        beyond = (found.x**2 + found.y[:, None] ** 2).sqrt()[margin <= 0]
        assert 0 <= beyond.min() - model.distance(images.images) < 1.5 * step


def test_the_slice_goes_through_the_first_image_that_both_get_right():
    wrong, right = [1.0, 1.0, 1.0, 1.0], [0.2, 0.1, 0.3, 0.5]
    images = points(wrong, right, right, labels=[0, 0, 0])
    assert [one.image for one in cut(LINEAR, images)] == [1]
    several = cut(LINEAR, images, 4)
    assert [one.image for one in several] == [1, 2]
    assert torch.equal(several[0].margin, cut(LINEAR, images)[0].margin)
    with pytest.raises(ValueError, match="no test image is classified right by both"):
        cut(LINEAR, points(wrong, labels=[0]))


def test_distances_are_those_of_the_lines_and_infinite_where_there_is_none():
    wrong, right = [1.0, 1.0, 1.0, 1.0], [[0.2, 0.1, 0.3, 0.5], [0.4, 0.1, 0.2, 0.1], [0.1, 0.3, 0.1, 0.2]]
    images = points(wrong, *right, labels=[0, 0, 0, 0])
    flat = Linear([0.0, 0.0, 0.0, 0.0], 1.0)
    found = distances([*LINEAR, flat], images, most=2)
    inside = torch.tensor(right[:2]).view(2, 1, 2, 2)
    for own, model in zip(found, LINEAR, strict=False):
        assert torch.allclose(own, 1.02 * model.distance(inside), atol=1e-5)  # DeepFool's overshoot
    assert found[2].isinf().all()


def test_a_slice_needs_boundaries():
    flat = Linear([0.0, 0.0, 0.0, 0.0], 1.0)
    with pytest.raises(ValueError, match="DeepFool found no boundary"):
        cut([LINEAR[0], flat], points([0.2, 0.1, 0.3, 0.5], labels=[0]))


def test_a_network_is_evaluated_in_eval_mode_and_left_as_it_was(fitted, images):
    """Dropout would make other predictions of it; one beside the source of a transfer attack, too."""
    again = quietly(deepcopy(fitted).eval(), images, PROFILES["rotation"])
    for source in (None, deepcopy(fitted).eval()):
        trained = deepcopy(fitted).train()
        found = quietly(trained, images, PROFILES["rotation"], source=source)
        assert trained.training and (found.clean == again.clean).all()
        assert (found.prediction == again.prediction).all()
