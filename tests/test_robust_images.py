"""D_R: images that show a robust network's features, built in chunks that an interrupted call leaves behind."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import build_robust_images as script
import train as train_script
from convert_released_images import convert_released_images
from spatial_adversarial.data.images import load
from spatial_adversarial.evaluation import robust_images
from spatial_adversarial.evaluation.robust_images import feature_distance, partners, show_features
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.training.data import splits
from spatial_adversarial.transforms.pixels import to_float

DIGITS = {"source": "digits_colour", "classes": 10, "channels": 3, "side": 32, "train": 400, "test": 50}
SETTINGS = {"step": 0.5, "steps": 40, "images": 30, "seed": 0}
ROBUST = "digits_colour/resnet18/pgd0.5-0123abcd"
PGD = {"pgd": {"eps": 0.5, "step": 0.25, "steps": 2, "norm": "l2", "random_start": False}}
RECIPE = canonical(
    {
        "data": "digits_colour",
        "model": {"name": "resnet18", "width": 0.0625, "normalise": "dataset"},
        "optimiser": {"name": "adam", "lr": 0.005},
        "batch": 20,
        "epochs": 5,
        "split": {"validation": 40},
        "method": PGD,
    },
    "a test",
)


@pytest.fixture(scope="module")
def data(prepared) -> str:
    return prepared("digits_colour", DIGITS)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Path:
    """A small network trained with PGD in L2."""
    folder = tmp_path_factory.mktemp("robust") / ROBUST / "seed0"
    train_script.train(RECIPE, 0, data, folder, device="cpu", threads=1)
    return folder


@pytest.fixture(scope="module")
def images(data):
    return splits(data, RECIPE["split"], torch.device("cpu"))[0]


@pytest.fixture
def network(run, images):
    return load_network(RECIPE["model"], images, seed=0, weights=run / "weights.pt")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(robust_images, "CHUNK", 8)


def build(run: Path, data: str, folder: Path) -> Path:
    h5 = folder / "set.h5"
    script.build_robust_images(run, data, SETTINGS, h5, folder / "set.png", device="cpu", threads=1)
    return h5


@pytest.fixture(scope="module")
def built(run, data, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(robust_images, "CHUNK", 8)
        return build(run, data, tmp_path_factory.mktemp("built"))


def test_the_feature_distance_falls_below_a_third_of_its_start(network, images):
    x = to_float(images.images[:40])
    start, target = x[partners(40, 0)], x
    different = (start != target).flatten(1).any(1)
    moved = show_features(network, start, target, step=0.5, steps=40)
    network.eval()
    with torch.no_grad():
        goal = network.features(target)
        before, after = (feature_distance(network.features(z), goal)[different] for z in (start, moved))
    assert after.mean() < before.mean() / 3 and (after < before).float().mean() > 0.95
    assert moved.min() >= 0 and moved.max() <= 1


def test_the_network_is_left_as_it_was(network, images):
    network.train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    show_features(network, to_float(images.images[:4]), to_float(images.images[4:8]), step=0.5, steps=2)
    assert network.training and all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_set_is_float_images_labelled_like_their_targets(built, images):
    made = load(built, "train")
    assert made.images.dtype == torch.float32 and made.images.shape == (30, 3, 32, 32)
    assert made.labels.tolist() == images.labels[:30].tolist()
    assert made.images.min() >= 0 and made.images.max() <= 1
    assert ((made.images * 255) % 1 > 0.01).any()  # not rounded to bytes
    told = json.loads(Path(f"{built}.json").read_text())["feature_distance"]
    assert told["after"] < told["before"] / 3
    assert built.with_name("set.png").stat().st_size > 10_000
    assert not list(built.parent.glob("*.parts"))


def test_each_image_shows_the_features_of_the_image_that_it_is_labelled_like(built, network, images):
    """Not those of the one that it started from."""
    x, first = to_float(images.images[:30]), partners(30, 0)
    network.eval()
    with torch.no_grad():
        found = network.features(load(built, "train").images)
        own, other = (feature_distance(found, network.features(z)) for z in (x, x[first]))
    assert (own < other)[first != torch.arange(30)].float().mean() > 0.9


def test_an_interrupted_build_takes_its_finished_chunks_over(built, run, data, tmp_path, monkeypatch):
    made, chunk = [], robust_images._chunk

    def fail(*arguments):
        made.append(1)
        if len(made) == 3:
            raise RuntimeError("interrupted")
        return chunk(*arguments)

    monkeypatch.setattr(robust_images, "_chunk", fail)
    with pytest.raises(RuntimeError, match="interrupted"):
        build(run, data, tmp_path)
    assert not (tmp_path / "set.h5").exists()
    again = build(run, data, tmp_path)
    assert len(made) == 3 + 2  # four chunks in all
    with h5py.File(again) as ours, h5py.File(built) as theirs:
        assert np.array_equal(ours["train/images"][()], theirs["train/images"][()])


def test_training_mixes_the_set_in(built, data, tmp_path):
    recipe = RECIPE | {"mix": {"share": 0.5, "of": ROBUST} | SETTINGS}
    ends = []
    for robust in (None, str(built)):
        folder = tmp_path / str(robust is None)
        train_script.train(recipe, 0, data, folder, device="cpu", threads=1, robust=robust)
        ends.append((folder / "weights.pt").read_bytes())
        assert len((folder / "history.csv").read_text().splitlines()) == 6
    assert ends[0] != ends[1]


def test_the_released_files_become_a_set(tmp_path):
    images, labels = torch.rand(20, 3, 32, 32), torch.arange(20) % 10
    torch.save(images, tmp_path / "CIFAR_ims")
    torch.save(labels, tmp_path / "CIFAR_lab")
    convert_released_images(tmp_path / "CIFAR_ims", tmp_path / "CIFAR_lab", tmp_path / "released.h5")
    made = load(tmp_path / "released.h5", "train")
    assert torch.equal(made.images, images) and torch.equal(made.labels, labels)


def test_so_do_lists_of_batches(tmp_path):
    images, labels = torch.rand(20, 3, 32, 32), torch.arange(20) % 10
    torch.save(list(images.split(8)), tmp_path / "CIFAR_ims")
    torch.save(list(labels.split(8)), tmp_path / "CIFAR_lab")
    convert_released_images(tmp_path / "CIFAR_ims", tmp_path / "CIFAR_lab", tmp_path / "released.h5")
    made = load(tmp_path / "released.h5", "train")
    assert torch.equal(made.images, images) and torch.equal(made.labels, labels)


@pytest.mark.parametrize(
    ("images", "told"), [(torch.rand(20, 3, 28, 28), "shape"), (2 * torch.ones(20, 3, 32, 32), "pixels")]
)
def test_other_files_are_refused(tmp_path, images, told):
    torch.save(images, tmp_path / "CIFAR_ims")
    torch.save(torch.arange(20) % 10, tmp_path / "CIFAR_lab")
    with pytest.raises(ValueError, match=told):
        convert_released_images(tmp_path / "CIFAR_ims", tmp_path / "CIFAR_lab", tmp_path / "released.h5")
