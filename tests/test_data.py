"""Data sets: download and mirrors, archives in their official formats, prepared files, loading, stand-ins."""

import gzip
import hashlib
import http.server
import io
import json
import os
import pickle
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from spatial_adversarial.data import images, stand_ins
from spatial_adversarial.data.download import fetch
from spatial_adversarial.data.prepare import moments, prepare, write
from spatial_adversarial.data.sources import TINY, pieces, read
from spatial_adversarial.training.data import splits
from spatial_adversarial.transforms.pixels import to_float

ROOT = Path(__file__).parents[1]

SIZES = {"train": 30, "test": 20}
MNIST_FILES = [f"{part}.gz" for part in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")]
MNIST_FILES += [f"{part}.gz" for part in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")]


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


def save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# Miniature data sets in their official formats.


def mini_mnist() -> tuple[dict[str, bytes], dict, dict]:
    """Return files of MNIST's names, a registry entry that fits them, and the arrays inside."""
    rng = np.random.default_rng(1)
    files, arrays = {}, {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        pixels = rng.integers(0, 256, (SIZES[split], 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, SIZES[split], dtype=np.uint8)
        arrays[split] = (pixels[:, None], labels)
        for kind, array in ((f"{prefix}-images-idx3-ubyte", pixels), (f"{prefix}-labels-idx1-ubyte", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            files[f"{kind}.gz"] = gzip.compress(header + array.tobytes(), mtime=0)
    checksums = {file: md5(content) for file, content in files.items()}
    checksums |= {file[:-3]: md5(gzip.decompress(content)) for file, content in files.items()}
    spec = {"source": "MNIST", "classes": 10, "channels": 1, "side": 28, "checksums": checksums, **SIZES}
    return files, spec, arrays


def mini_cifar10() -> tuple[dict[str, bytes], bytes, dict, dict]:
    """Return CIFAR-10's batch files, their archive, a registry entry, and the arrays inside."""
    rng = np.random.default_rng(2)
    files, arrays = {}, {"train": ([], []), "test": ([], [])}
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        data = rng.integers(0, 256, (6, 3072), dtype=np.uint8)
        labels = rng.integers(0, 10, 6).tolist()
        files[name] = pickle.dumps({"data": data, "labels": labels}, protocol=2)
        split = "test" if name == "test_batch" else "train"
        arrays[split][0].append(data.reshape(-1, 3, 32, 32))
        arrays[split][1].extend(labels)
    archive = tar({f"cifar-10-batches-py/{name}": files[name] for name in reversed(files)})
    checksums = {
        name: md5(content) for name, content in (files | {"cifar-10-python.tar.gz": archive}).items()
    }
    spec = {"source": "CIFAR10", "classes": 10, "channels": 3, "side": 32, "checksums": checksums}
    return files, archive, spec, {split: (np.concatenate(x), np.array(y)) for split, (x, y) in arrays.items()}


def tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def mini_tiny_imagenet() -> tuple[dict[str, bytes], dict]:
    """Return the files of a Tiny ImageNet of two classes, every first image in grey, and a registry entry."""
    files = {f"{TINY}/wnids.txt": b"n02\nn01\n", f"{TINY}/words.txt": b"n01\tfish\nn02\tbird\n"}
    colour = {"n01": (250, 0, 0), "n02": (0, 0, 250)}
    for wnid in ("n02", "n01"):
        for number in range(3):
            files[f"{TINY}/train/{wnid}/images/{wnid}_{number}.JPEG"] = jpeg(colour[wnid], grey=number == 0)
        files[f"{TINY}/train/{wnid}/{wnid}_boxes.txt"] = b""
    annotated = [("val_0.JPEG", "n02"), ("val_1.JPEG", "n01"), ("val_10.JPEG", "n01")]
    for file, wnid in annotated:
        files[f"{TINY}/val/images/{file}"] = jpeg(colour[wnid])
    rows = "".join(f"{file}\t{wnid}\t0\t0\t63\t63\n" for file, wnid in annotated)
    files[f"{TINY}/val/val_annotations.txt"] = rows.encode()
    files[f"{TINY}/test/images/test_0.JPEG"] = jpeg((9, 9, 9))
    spec = {"source": "TinyImageNet", "classes": 2, "channels": 3, "side": 64, "train": 6, "test": 3}
    return files, spec | {"checksums": {f"{TINY}.zip": md5(packed(files))}}


def jpeg(colour: tuple[int, int, int], *, grey: bool = False, side: int = 64) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), colour).convert("L" if grey else "RGB").save(stream, "JPEG")
    return stream.getvalue()


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


@pytest.fixture
def server(monkeypatch):
    """A local HTTP server: set `files` (name -> bytes) and `failures` (how many requests answer 503)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.server.failures -= 1
            content = self.server.files.get(self.path[1:])
            self.send_response(503 if self.server.failures >= 0 else 404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments):
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.files, serving.failures, serving.asked = {}, 0, []
    serving.url = f"http://127.0.0.1:{serving.server_port}"
    threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
    yield serving
    serving.shutdown()
    serving.server_close()


def served_mnist(server) -> tuple[dict, dict]:
    files, spec, arrays = mini_mnist()
    server.files = files
    return spec | {"urls": {file: f"{server.url}/{file}" for file in files}}, arrays


def assert_same(found: dict, expected: dict) -> None:
    for split, (pixels, labels) in expected.items():
        np.testing.assert_array_equal(found[split][0], pixels)
        np.testing.assert_array_equal(found[split][1], labels)
        assert found[split][0].dtype == np.uint8 and found[split][1].dtype == np.int64


def test_download_prepare_load(server, tmp_path):
    spec, arrays = served_mnist(server)
    files = fetch("mnist", spec, tmp_path)
    assert files == {f"MNIST/raw/{file}": spec["checksums"][file] for file in MNIST_FILES}
    assert sorted(path.name for path in (tmp_path / "MNIST/raw").iterdir()) == sorted(MNIST_FILES)
    prepare("mnist", spec, tmp_path, tmp_path / "mnist.h5")
    for split, (pixels, labels) in arrays.items():
        loaded = images.load(tmp_path / "mnist.h5", split)
        np.testing.assert_array_equal(loaded.images.numpy(), pixels)
        np.testing.assert_array_equal(loaded.labels.numpy(), labels)
        assert loaded.classes == 10 and len(loaded) == images.size(tmp_path / "mnist.h5", split)
    with h5py.File(tmp_path / "mnist.h5") as file:
        assert json.loads(file.attrs["files"]) == files
        assert (file.attrs["name"], file.attrs["source"]) == ("mnist", "MNIST")


def test_intact_files_are_not_fetched_again(server, tmp_path):
    spec, _ = served_mnist(server)
    fetch("mnist", spec, tmp_path)
    server.asked.clear()
    fetch("mnist", spec, tmp_path)
    assert server.asked == []


def test_passing_failure_is_retried(server, tmp_path):
    spec, _ = served_mnist(server)
    server.failures = 2
    assert len(fetch("mnist", spec, tmp_path, wait=0.01)) == 4


def test_second_url_is_tried(server, tmp_path):
    spec, _ = served_mnist(server)
    spec["urls"] = {file: [f"{server.url}/gone/{file}", url] for file, url in spec["urls"].items()}
    assert len(fetch("mnist", spec, tmp_path, retries=1)) == 4


def test_folders_are_tried_in_turn_until_a_checksum_holds(server, tmp_path):
    """The first has none of the files, the second others of their names, the third them; a fourth is not asked."""
    files, spec, _ = mini_mnist()
    server.files = {f"third/{file}": content for file, content in files.items()}
    server.files |= {f"second/{file}": content[:-1] + b"?" for file, content in files.items()}
    spec["urls"] = [f"{server.url}/{name}" for name in ("first", "second/", "third", "fourth")]
    found = fetch("mnist", spec, tmp_path, retries=1)
    assert found == {f"MNIST/raw/{file}": spec["checksums"][file] for file in MNIST_FILES}
    asked = [path for path in server.asked if path.endswith(MNIST_FILES[0])]
    assert list(dict.fromkeys(asked)) == [
        f"/{name}/{MNIST_FILES[0]}" for name in ("first", "second", "third")
    ]


def test_the_registry_lists_where_each_archive_lies():
    entries = yaml.safe_load((ROOT / "figures/registry.yaml").read_text(encoding="utf-8"))["data"]
    found = {name: pieces(entry) for name, entry in entries.items() if "urls" in entry}
    assert set(found) == {"mnist", "cifar10", "cifar100", "tiny_imagenet"}
    for name, archives in found.items():
        for piece in archives:
            assert piece.urls == tuple(url + Path(piece.archive).name for url in entries[name]["urls"])
    # as torchvision has them, in its order
    theirs = {piece.archive: piece.urls for piece in pieces({"source": "MNIST"})}
    assert {piece.archive: piece.urls for piece in found["mnist"]} == theirs


@pytest.mark.parametrize("damage", [lambda content: content[:-5], lambda content: content[:-1] + b"?"])
def test_damaged_download_never_takes_its_name(server, tmp_path, damage):
    spec, _ = served_mnist(server)
    file = MNIST_FILES[0]
    server.files[file] = damage(server.files[file])
    with pytest.raises(ValueError) as failure:
        fetch("mnist", spec, tmp_path, retries=2, wait=0.01)
    message = str(failure.value)
    assert file in message and spec["checksums"][file] in message and md5(server.files[file]) in message
    assert "\n" not in message
    assert list((tmp_path / "MNIST/raw").iterdir()) == []
    assert server.asked.count(f"/{file}") >= 2


def test_mirror_is_used_without_network(tmp_path):
    files, spec, arrays = mini_mnist()
    for index, (file, content) in enumerate(files.items()):
        extracted = index % 2
        target = tmp_path / "mirror/MNIST/raw" / (file[:-3] if extracted else file)
        save(target, gzip.decompress(content) if extracted else content)
    found = fetch(
        "mnist", spec | {"urls": dict.fromkeys(files, ())}, tmp_path / "raw", mirror=tmp_path / "mirror"
    )
    assert found == {f: spec["checksums"][Path(f).name] for f in found} and len(found) == 4
    assert_same(read(spec, tmp_path / "raw"), arrays)


@pytest.mark.parametrize("extracted", [False, True])
def test_cifar_from_archive_or_extracted(tmp_path, extracted):
    files, archive, spec, arrays = mini_cifar10()
    if extracted:
        for name, content in files.items():
            save(tmp_path / "mirror/cifar-10-batches-py" / name, content)
    else:
        save(tmp_path / "mirror/cifar-10-python.tar.gz", archive)
    found = fetch("cifar10", spec, tmp_path / "raw", mirror=tmp_path / "mirror")
    assert len(found) == (6 if extracted else 1)
    assert_same(read(spec, tmp_path / "raw"), arrays)
    prepare("cifar10", spec, tmp_path / "raw", tmp_path / "cifar10.h5")


def test_what_the_mirror_lacks_is_named(tmp_path):
    _, _, spec, _ = mini_cifar10()
    (tmp_path / "mirror").mkdir()
    spec["urls"] = {"cifar-10-python.tar.gz": []}
    with pytest.raises(ValueError, match="cifar-10-python.tar.gz could not be downloaded"):
        fetch("cifar10", spec, tmp_path / "raw", mirror=tmp_path / "mirror", wait=0.01)
    with pytest.raises(ValueError, match="elsewhere is not a folder"):
        fetch("cifar10", spec, tmp_path / "raw", mirror=tmp_path / "elsewhere")


class Harm:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def test_unverified_pickles_are_never_loaded(tmp_path):
    files, _, spec, _ = mini_cifar10()
    files["data_batch_3"] = pickle.dumps(Harm(tmp_path / "harm"))
    for name, content in files.items():
        save(tmp_path / "raw/cifar-10-batches-py" / name, content)
    for act in (fetch, prepare):
        with pytest.raises(ValueError, match="data_batch_3: damaged"):
            act("cifar10", spec, tmp_path / "raw", *([tmp_path / "cifar10.h5"] if act is prepare else []))
    assert not (tmp_path / "harm").exists() and not (tmp_path / "cifar10.h5").exists()


@pytest.mark.parametrize("extracted", [False, True])
def test_tiny_imagenet(tmp_path, extracted):
    files, spec = mini_tiny_imagenet()
    for name, content in files.items() if extracted else [(f"{TINY}.zip", packed(files))]:
        save(tmp_path / "mirror" / name, content)
    fetch("tiny_imagenet", spec, tmp_path / "raw", mirror=tmp_path / "mirror")
    prepare("tiny_imagenet", spec, tmp_path / "raw", tmp_path / "tiny.h5")
    train = images.load(tmp_path / "tiny.h5", "train")
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert train.images.shape == (6, 3, 64, 64)
    strongest = train.images.float().mean(dim=(2, 3)).argmax(1)
    assert strongest[[1, 2, 4, 5]].tolist() == [0, 0, 2, 2]
    for grey in train.images[[0, 3]]:
        assert torch.equal(grey[0], grey[1]) and torch.equal(grey[0], grey[2])
    assert images.load(tmp_path / "tiny.h5", "test").labels.tolist() == [1, 0, 0]


def test_incomplete_tiny_imagenet_is_refused(tmp_path):
    files, spec = mini_tiny_imagenet()
    odd = f"{TINY}/train/n02/images/n02_1.JPEG"
    for name, content in (files | {odd: jpeg((1, 2, 3), side=60)}).items():
        save(tmp_path / name, content)
    with pytest.raises(ValueError, match=odd):
        prepare("tiny_imagenet", spec, tmp_path, tmp_path / "tiny.h5")
    (tmp_path / odd).unlink()
    with pytest.raises(ValueError, match="train images of shape"):
        prepare("tiny_imagenet", spec, tmp_path, tmp_path / "tiny.h5")
    (tmp_path / TINY / "val/images/val_1.JPEG").unlink()
    with pytest.raises(ValueError, match="missing: .*val_1.JPEG"):
        prepare("tiny_imagenet", spec, tmp_path, tmp_path / "tiny.h5")


@pytest.mark.parametrize("source", ["CIFAR10", "TinyImageNet"])
def test_archives_cannot_write_outside(tmp_path, source):
    evil = {"../evil": b"x", f"{tmp_path}/evil": b"x", "../../evil": b"x"}
    if source == "CIFAR10":
        files, _, spec, _ = mini_cifar10()
        name = "cifar-10-python.tar.gz"
        content = tar(evil | {f"cifar-10-batches-py/{file}": batch for file, batch in files.items()})
    else:
        files, spec = mini_tiny_imagenet()
        name, content = f"{TINY}.zip", packed(evil | files)
    spec["checksums"][name] = md5(content)
    save(tmp_path / "in/mirror" / name, content)
    fetch("evil", spec, tmp_path / "in/raw", mirror=tmp_path / "in/mirror")
    prepare("evil", spec, tmp_path / "in/raw", tmp_path / "in/evil.h5")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()}
    assert found == {f"in/mirror/{name}", f"in/raw/{name}", "in/evil.h5"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": 31}, "train images of shape"),
        ({"side": 32}, "but the registry says"),
        ({"classes": 5}, "but the registry says 5 classes"),
        ({"source": "SVHN"}, "'SVHN' is not known"),
        ({"checksums": {MNIST_FILES[1]: "crc:12"}}, "unknown kind 'crc'"),
    ],
)
def test_registry_that_does_not_fit(tmp_path, change, message):
    files, spec, _ = mini_mnist()
    for file, content in files.items():
        save(tmp_path / "MNIST/raw" / file, content)
    change = change | {"checksums": spec["checksums"] | change.get("checksums", {})}
    with pytest.raises(ValueError, match=message):
        prepare("mnist", spec | change, tmp_path, tmp_path / "mnist.h5")
    assert not (tmp_path / "mnist.h5").exists()


def test_prepared_bytes_do_not_depend_on_time(tmp_path):
    spec = {"source": "digits_two_hues", "classes": 20, "channels": 3, "side": 32, "train": 150, "test": 50}
    prepare("hues", spec, tmp_path, tmp_path / "a.h5")
    time.sleep(1.1)  # the resolution of HDF5's own dates
    prepare("hues", spec, tmp_path, tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_mean_and_std(kind):
    pixels = np.random.default_rng(3).integers(0, 256, (2500, 3, 4, 4)).astype(kind)
    scaled = pixels.astype(np.float64) / 255
    mean, std = moments(pixels if kind == np.uint8 else (pixels / 255).astype(np.float32))
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 2, 3)), atol=1e-7)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 2, 3)), atol=1e-7)


@pytest.fixture
def small(tmp_path):
    """A prepared file of 20 train images; image i is filled with i and has label i."""
    pixels = np.arange(20, dtype=np.uint8)[:, None, None, None].repeat(4, axis=2).repeat(4, axis=3)
    splits = {"train": (pixels, np.arange(20)), "test": (pixels[:5].astype(np.float32) / 255, np.arange(5))}
    write(tmp_path / "small.h5", splits, name="small", classes=20, source="made", files={}, made_of={})
    return tmp_path / "small.h5"


def test_load_chooses_in_order(small):
    chosen = images.load(small, "train", indices=np.array([7, 3, 19, 0]), limit=3)
    assert chosen.labels.tolist() == [7, 3, 19]
    assert chosen.images[:, 0, 0, 0].tolist() == [7, 3, 19]
    assert images.load(small, "train", limit=2).labels.tolist() == [0, 1]
    assert len(images.load(small, "test", limit=100)) == 5


def test_a_sample_of_test_images_is_random_and_holds_the_smaller_ones(tmp_path):
    total = 2000
    pixels = np.zeros((total, 1, 4, 4), dtype=np.uint8)
    half = np.arange(total) // (total // 2)  # as a test set whose first half differs from its second
    splits = {"train": (pixels, half), "test": (pixels, half)}
    write(tmp_path / "t.h5", splits, name="t", classes=2, source="made", files={}, made_of={})
    first_half = [1 - images.load_sample(tmp_path / "t.h5", n).labels.float().mean() for n in (1000, 200)]
    assert 0.45 < first_half[0] < 0.55 and 0.35 < first_half[1] < 0.65  # within three standard deviations
    assert images.load_sample(tmp_path / "t.h5", None).labels.tolist() == half.tolist()
    order = images.sample_order(total)
    assert sorted(order) == list(range(total))
    assert images.load_sample(tmp_path / "t.h5", 200).labels.tolist() == half[order[:200]].tolist()


def test_to_float(small):
    whole, derived = images.load(small, "train", limit=5), images.load(small, "test")
    assert whole.images.dtype == torch.uint8 and derived.images.dtype == torch.float32
    for loaded in (whole, derived):
        assert torch.equal(to_float(loaded.images)[:, 0, 0, 0], torch.arange(5) / 255)


def test_splits_are_disjoint_and_reproducible():
    train, validation = images.split_indices(1000, 100, seed=4)
    assert sorted([*train, *validation]) == list(range(1000)) and len(validation) == 100
    again = images.split_indices(1000, 100, seed=4)
    assert np.array_equal(again[0], train) and np.array_equal(again[1], validation)
    assert not np.array_equal(images.split_indices(1000, 100, seed=5)[1], validation)
    assert len(images.split_indices(10, 0, seed=0)[1]) == 0
    for validation in (-1, 10):
        with pytest.raises(ValueError, match="held out"):
            images.split_indices(10, validation, seed=0)


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_damaged_prepared_file_is_named(small, keep):
    content = small.read_bytes()
    small.write_bytes(content[: keep if keep != 0.5 else len(content) // 2])
    with pytest.raises(ValueError, match="small.h5: damaged.*delete it") as failure:
        images.load(small, "train")
    assert "\n" not in str(failure.value)


def test_one_turned_bit_is_noticed(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (100, 3, 32, 32), dtype=np.uint8)
    splits = {split: (noise, np.zeros(100)) for split in ("train", "test")}
    write(tmp_path / "noise.h5", splits, name="noise", classes=1, source="made", files={}, made_of={})
    content = bytearray((tmp_path / "noise.h5").read_bytes())
    content[content.index(noise.tobytes()[5000:5010])] ^= 4
    (tmp_path / "noise.h5").write_bytes(content)
    with pytest.raises(ValueError, match="noise.h5: damaged"):
        for split in ("train", "test"):
            images.load(tmp_path / "noise.h5", split)


def test_missing_prepared_file_and_split(small, tmp_path):
    with pytest.raises(ValueError, match="none.h5: this prepared data set does not exist"):
        images.load(tmp_path / "none.h5", "train")
    with pytest.raises(ValueError, match="validation"):
        images.load(small, "validation")


def test_scans_are_split_by_class():
    from sklearn.datasets import load_digits

    parts = stand_ins.scans()
    both = np.concatenate([pixels for pixels, _ in parts.values()]).reshape(-1, 64)
    everything = np.rint(load_digits().data * 255 / 16)
    assert sorted(map(tuple, both.tolist())) == sorted(map(tuple, everything.astype(int).tolist()))
    shares = np.bincount(parts["test"][1]) / np.bincount(load_digits().target)
    assert len(parts["test"][1]) == 500 and np.ptp(shares) < 0.01


@pytest.mark.parametrize(
    ("source", "side", "train", "test", "classes", "least"),
    [
        ("digits", 28, 1297, 500, 10, 0.95),
        ("digits_colour", 32, 2594, 500, 10, 0.95),
        ("digits_two_hues", 32, 2594, 500, 20, 0.95),
        ("digits_four_hues", 16, 2594, 500, 40, 0.95),
    ],
)
def test_stand_ins_can_be_learnt(source, side, train, test, classes, least):
    """The nearest training image in shape (and in hue, where the class has one) has the right class."""
    splits = stand_ins.make(source, side, train, test)
    assert_same(stand_ins.make(source, side, train, test), splits)
    features = {}
    for split, (pixels, labels) in splits.items():
        assert pixels.shape == (len(labels), 1 if source == "digits" else 3, side, side)
        assert np.array_equal(np.unique(labels), np.arange(classes))
        grey = torch.from_numpy(pixels).float().mean(1)
        coarse = torch.nn.functional.normalize(torch.nn.functional.avg_pool2d(grey, 2).flatten(1))
        tint = torch.from_numpy(pixels).float().mean((2, 3))
        features[split] = (
            torch.cat([coarse, torch.nn.functional.normalize(tint)], 1) if classes > 10 else coarse
        )
    nearest = (features["test"] @ features["train"].T).argmax(1).numpy()
    assert (splits["train"][1][nearest] == splits["test"][1]).mean() > least


def test_class_does_not_depend_on_colour():
    pixels, labels = stand_ins.make("digits_colour", 32, 1297, 10)["train"]
    tint = pixels.mean(axis=(2, 3)) / pixels.mean(axis=(1, 2, 3))[:, None]
    by_class = np.stack([tint[labels == label].mean(axis=0) for label in range(10)])
    assert np.ptp(by_class, axis=0).max() < 0.2
    assert tint.std(axis=0).min() > 0.2


def test_more_digits_than_scans_is_refused():
    with pytest.raises(ValueError, match="1298 images asked for, but there are 1297 scans"):
        stand_ins.make("digits", 28, 1298, 500)


def test_entry_scripts(tmp_path):
    import download as download_entry
    import prepare as prepare_entry

    files, spec, _ = mini_mnist()
    for file, content in files.items():
        save(tmp_path / "mirror/MNIST/raw" / file, content)
    manifest = tmp_path / "data/raw/mnist.json"
    download_entry.main("mnist", spec, manifest, str(tmp_path / "mirror"))
    assert json.loads(manifest.read_text()) == {f"MNIST/raw/{f}": spec["checksums"][f] for f in MNIST_FILES}
    prepare_entry.main("mnist", spec, manifest, tmp_path / "data/mnist.h5")
    assert images.size(tmp_path / "data/mnist.h5", "test") == 20
    digits = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 100, "test": 50}
    download_entry.main("digits", digits, tmp_path / "data/raw/digits.json")
    assert json.loads((tmp_path / "data/raw/digits.json").read_text()) == {}
    prepare_entry.main("digits", digits, tmp_path / "data/raw/digits.json", tmp_path / "data/digits.h5")
    assert images.size(tmp_path / "data/digits.h5", "train") == 100


REAL = {
    "MNIST": (
        {"classes": 10, "channels": 1, "side": 28, "train": 60000, "test": 10000},
        (0.1307,),
        (0.3081,),
    ),
    "CIFAR10": (
        {"classes": 10, "channels": 3, "side": 32, "train": 50000, "test": 10000},
        (0.4914, 0.4822, 0.4465),
        (0.247, 0.2435, 0.2616),
    ),
}


@pytest.mark.skipif("DATA_MIRROR" not in os.environ, reason="DATA_MIRROR names no folder with real data")
@pytest.mark.parametrize("source", REAL)
def test_real_data_against_torchvision(tmp_path, source):
    from torchvision import datasets

    spec, mean, std = REAL[source]
    fetch(source, spec | {"source": source}, tmp_path, mirror=os.environ["DATA_MIRROR"])
    prepare(source, spec | {"source": source}, tmp_path, tmp_path / "data.h5")
    for path in (tmp_path / "MNIST/raw").glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    for split in ("train", "test"):
        loaded = images.load(tmp_path / "data.h5", split)
        root = tmp_path if source == "MNIST" else os.environ["DATA_MIRROR"]
        theirs = getattr(datasets, source)(root, train=split == "train")
        pixels = np.asarray(theirs.data)
        pixels = pixels[:, None] if source == "MNIST" else pixels.transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(loaded.images.numpy(), pixels)
        np.testing.assert_array_equal(loaded.labels.numpy(), np.asarray(theirs.targets))
        assert loaded.mean == mean and loaded.std == std


def test_a_recipes_split_takes_its_own_seed_and_limit(tmp_path):
    pixels = np.arange(20, dtype=np.uint8).repeat(64).reshape(20, 1, 8, 8)
    sets = {"train": (pixels, np.arange(20)), "test": (pixels[:5], np.arange(5))}
    write(tmp_path / "s.h5", sets, name="s", classes=20, source="made", files={}, made_of={})
    for seed in (0, 4):
        split = {"validation": 6, "seed": seed, "limit": 9}
        found = splits(str(tmp_path / "s.h5"), split, torch.device("cpu"))
        train, validation = images.split_indices(20, 6, seed=seed)
        assert (
            found[0].labels.tolist() == train[:9].tolist() and found[1].labels.tolist() == validation.tolist()
        )
