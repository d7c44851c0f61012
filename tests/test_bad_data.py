"""Data that users really have: each fault is one line that says which and what is expected, told before it is used."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from test_data import mini_cifar10, mini_mnist, save

import download as download_script
import prepare as prepare_script
from spatial_adversarial.data import images, prepare
from spatial_adversarial.data.download import fetch

SPEC = {"source": "digits", "classes": 10, "channels": 1, "side": 8, "train": 20, "test": 20}
PIXELS = np.random.default_rng(0).random((20, 1, 8, 8)).astype(np.float32)
LABELS = np.arange(20) % 10
NAN = PIXELS.copy()
NAN[3, 0, 4, 4:6] = np.nan
EXPECTED = "expected uint8 in 0..255 or float32 in 0..1"

# {fault: (images, labels, the line)}
BAD = {
    "in 0..255 as float": (255 * PIXELS.round(), LABELS, f"images are float32 from 0 to 255, {EXPECTED}"),
    "in -1..1": (2 * PIXELS.round() - 1, LABELS, f"images are float32 from -1 to 1, {EXPECTED}"),
    "nan pixels": (NAN, LABELS, f"images have 2 pixels that are no numbers, {EXPECTED}"),
    "infinite pixels": (
        np.where(NAN == NAN, NAN, np.inf),
        LABELS,
        "images have 2 pixels that are no numbers",
    ),
    "int64 images": ((255 * PIXELS).astype(np.int64), LABELS, f"images are int64, {EXPECTED}"),
    "float64 images": (PIXELS.astype(float), LABELS, f"images are float64, {EXPECTED}"),
    "labels (N, 1)": (PIXELS, LABELS[:, None], "labels of shape (20, 1), expected (20,)"),
    "one-hot labels": (PIXELS, np.eye(10)[LABELS], "labels of shape (20, 10), expected (20,)"),
    "labels from -1": (
        PIXELS,
        LABELS - 1,
        "labels from -1 to 8, but the registry says 10 classes: expected 0 to 9",
    ),
    "labels from 1": (
        PIXELS,
        LABELS + 1,
        "labels from 1 to 10, but the registry says 10 classes: expected 0 to 9",
    ),
    "fractional labels": (PIXELS, LABELS / 2, "labels are float64 and not all whole, expected 0 to 9"),
    "nan labels": (PIXELS, np.where(LABELS == 3, np.nan, LABELS), "not all whole, expected 0 to 9"),
    "a label too few": (PIXELS, LABELS[1:], "has 19 labels for 20 images"),
}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(("pixels", "labels", "line"), BAD.values(), ids=BAD)
def test_prepare_refuses_what_is_no_images_and_labels(
    told, tmp_path, monkeypatch, split, pixels, labels, line
):
    sound = {"train": (PIXELS, LABELS), "test": (PIXELS, LABELS)}
    monkeypatch.setattr(prepare, "read", lambda spec, root: sound | {split: (pixels, labels)})
    with pytest.raises(ValueError) as refused:
        prepare.prepare("mine", SPEC, tmp_path, tmp_path / "mine.h5")
    said = str(refused.value)
    told(said)
    assert said.startswith(f"mine: {split} ") and line in said and "\n" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_what_is_as_it_should_be_is_taken(tmp_path, monkeypatch, kind):
    pixels = (255 * PIXELS).astype(np.uint8) if kind is np.uint8 else PIXELS
    monkeypatch.setattr(
        prepare, "read", lambda spec, root: dict.fromkeys(("train", "test"), (pixels, LABELS))
    )
    prepare.prepare("mine", SPEC, tmp_path, tmp_path / "mine.h5")
    loaded = images.load(tmp_path / "mine.h5", "test")
    assert np.array_equal(loaded.images, pixels) and loaded.labels.tolist() == LABELS.tolist()


def test_mnists_format_with_another_type_is_read_as_that_type(tmp_path):
    """Float images of MNIST's format were taken for bytes."""
    files, spec, _ = mini_mnist()
    name = "t10k-images-idx3-ubyte"
    pixels = np.random.default_rng(4).random((20, 28, 28)).astype(">f4") * 255
    content = bytes([0, 0, 13, 3]) + np.array(pixels.shape, ">i4").tobytes() + pixels.tobytes()
    files[f"{name}.gz"] = gzip.compress(content, mtime=0)
    spec["checksums"][f"{name}.gz"] = "md5:" + hashlib.md5(files[f"{name}.gz"]).hexdigest()
    for file, packed in files.items():
        save(tmp_path / "MNIST/raw" / file, packed)
    with pytest.raises(ValueError, match="mnist: test images are >f4, expected uint8"):
        prepare.prepare("mnist", spec, tmp_path, tmp_path / "mnist.h5")


def other_mnist() -> tuple[dict[str, bytes], dict, dict]:
    """A data set of MNIST's names and sizes with other bytes, as Fashion-MNIST is."""
    files, spec, arrays = mini_mnist()
    turned = {}
    for file, content in files.items():
        raw = gzip.decompress(content)
        raw = raw[:16] + bytes(255 - byte for byte in raw[16:]) if "images" in file else raw
        turned[file] = gzip.compress(raw, mtime=0)
    checksums = {file: f"md5:{hashlib.md5(content).hexdigest()}" for file, content in turned.items()}
    arrays = {split: (255 - pixels, labels) for split, (pixels, labels) in arrays.items()}
    return turned, spec | {"checksums": checksums}, arrays


def test_two_data_sets_of_one_source_share_a_data_folder(tmp_path):
    sets = {"mine": mini_mnist(), "other": other_mnist()}
    for name, (files, _, _) in sets.items():
        for file, content in files.items():
            save(tmp_path / "mirror" / name / "MNIST/raw" / file, content)
    for name, (_, spec, _) in sets.items():
        download_script.main(name, spec, tmp_path / "raw" / f"{name}.json", str(tmp_path / "mirror"))
    for name, (_, spec, arrays) in sets.items():
        manifest = tmp_path / "raw" / f"{name}.json"
        assert len(json.loads(manifest.read_text())) == 4
        prepare_script.main(name, spec, manifest, tmp_path / f"{name}.h5")
        for split, (pixels, labels) in arrays.items():
            found = images.load(tmp_path / f"{name}.h5", split)
            assert np.array_equal(found.images, pixels) and found.labels.tolist() == labels.tolist()


def test_torchvisions_own_files_stay_where_they_are(tmp_path):
    from spatial_adversarial.data.sources import folder
    from spatial_adversarial.records.reading import read

    registry = read(Path(__file__).parents[1] / "figures/registry.yaml")
    for name in ("mnist", "cifar10", "cifar100", "tiny_imagenet", "digits"):
        assert folder(name, registry["data"][name], tmp_path) == tmp_path


@pytest.mark.parametrize("half", ["archives", "members"])
def test_a_mirror_with_half_the_files_names_the_missing_one(tmp_path, half):
    if half == "archives":
        files, spec, _ = mini_mnist()
        spec["urls"] = dict.fromkeys(files, ())
        missing = "MNIST/raw/t10k-images-idx3-ubyte.gz"
        files = {f"MNIST/raw/{file}": content for file, content in files.items()}
    else:
        batches, _, spec, _ = mini_cifar10()
        spec["urls"] = {"cifar-10-python.tar.gz": []}
        missing = "cifar-10-batches-py/data_batch_4"
        files = {f"cifar-10-batches-py/{file}": content for file, content in batches.items()}
    for file, content in files.items():
        if file != missing:
            save(tmp_path / "mirror" / file, content)
    with pytest.raises(ValueError) as refused:
        fetch("mine", spec, tmp_path / "raw", mirror=tmp_path / "mirror", wait=0.01, retries=1)
    said = str(refused.value)
    print(said)
    assert (
        said.startswith(f"mine: the data mirror {tmp_path}/mirror has no {missing}, and ")
        and "\n" not in said
    )
