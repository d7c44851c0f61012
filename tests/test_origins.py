"""Kept files: none is taken with a bit flipped, in another's place, or of an older version without a word."""

import errno
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

import train as train_script
from evaluate import evaluate
from slice_boundaries import slice_boundaries
from spatial_adversarial.data import images as images_module
from spatial_adversarial.data.prepare import digest as images_digest
from spatial_adversarial.data.prepare import prepare, write
from spatial_adversarial.evaluation.resume import Blocks
from spatial_adversarial.models import weights
from spatial_adversarial.plots import style
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.identity import canonical, filled
from spatial_adversarial.records.panel import Profile
from spatial_adversarial.records.reading import schema
from spatial_adversarial.results import figure_csv
from spatial_adversarial.results.inputs import Inputs
from spatial_adversarial.results.store import (
    Aggregate,
    read_aggregate,
    read_evaluation,
    write_aggregate,
    write_evaluation,
)
from spatial_adversarial.runner import hdf5, job
from spatial_adversarial.runner.files import unwritable, write_atomic
from spatial_adversarial.runner.run_folder import checked, read_run, write_run
from spatial_adversarial.training import checkpoint

FLIPS = 400
BEFORE = {
    "aggregate": "92 of 400",
    "prepared set": "5 of 60",
    "history.csv": "344 of 400",
    "redraw CSV": "353 of 400",
}
SPLIT = {"validation": 50}
ROTATION = filled({"transform": "rotate", "grid": [0, 90]}, schema("profile"))
FILE = "rotation-0"
ROWS = pd.DataFrame(
    {
        "paper": "invariance",
        "target": "fig1",
        "metric": "robust_accuracy",
        "x": ["0", "0.1"],
        "value": [0.9, 0.5],
        "low": [0.88, 0.46],
        "high": [0.92, 0.54],
        "panel": "a",
        "seed": "0",
    }
)


def recipe(**changes) -> dict:
    made = {"data": "digits", "model": {"name": "madry_lenet", "width": 0.125, "normalise": "none"}}
    made |= {"optimiser": {"name": "adam", "lr": 0.002}, "batch": 50, "epochs": 1, "split": SPLIT}
    return canonical(made | changes, "a test")


def one_line(caught) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Single bits


def run_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    weights.save_weights({"weight": torch.rand(20, 20), "bias": torch.rand(20)}, folder / "weights.pt")
    pd.DataFrame({"epoch": range(9), "loss": np.random.rand(9)}).to_csv(folder / "history.csv", index=False)
    write_run(folder, recipe(), 0, ["weights.pt", "history.csv"], {"data": "0" * 64})
    return folder


def some_images(path: Path, made_of: dict) -> Path:
    rng = np.random.default_rng(0)
    splits = {
        s: (rng.integers(0, 256, (30, 1, 8, 8), np.uint8), rng.integers(0, 10, 30)) for s in ("train", "test")
    }
    write(path, splits, name="n", classes=10, source="s", files={}, made_of=made_of)
    return path


def some_evaluation(path: Path) -> Path:
    label, prediction = np.arange(50) % 10, np.random.default_rng(0).integers(0, 10, (2, 1, 50))
    made = Evaluation(label, label, np.array([0, 90]), prediction)
    write_evaluation(path, made, x_unit="degrees", profile=ROTATION, made_of={"run": "a", "data": "b"})
    return path


def some_slice(path: Path) -> Path:
    made_of = {"runs": ["d/m/a/seed0", "d/m/b/seed0"], "weights": [], "data": "c"}
    with hdf5.written(path) as file:
        file["x"] = file["y"] = np.linspace(-1, 1, 9)
        file["margin"] = np.random.default_rng(0).random((2, 9, 9))
        file.attrs["made_of"] = json.dumps(made_of)
    return path


def some_state(path: Path) -> Path:
    checkpoint.save(checkpoint.Checkpoint({"seed": "0"}, network={"w": torch.rand(30)}), path)
    return path


def some_block(path: Path) -> Path:
    blocks = Blocks(path.with_name("e.h5"), "m")
    blocks("0", lambda: np.arange(40))
    return Path(shutil.copy(blocks.folder / "0.npy", path))


def read_state(path: Path) -> None:
    if checkpoint.load(path, {"seed": "0"}) is None:
        raise ValueError("begun anew")


def read_block(path: Path) -> None:
    blocks = Blocks(path.with_name("f.h5"), "m")
    blocks.folder.mkdir(exist_ok=True)
    shutil.copy(path, blocks.folder / "0.npy")
    if (blocks("0", lambda: np.arange(40)[::-1])[0]) != 0:
        raise ValueError("made again")


def aggregate(path: Path) -> Path:
    write_aggregate(path, Aggregate(ROWS, np.ones((2, 30), np.float32)), fingerprint="abc")
    return path


def tidy_csv(path: Path) -> Path:
    figure_csv.write_tidy(path, ROWS)
    return path


def read_all(path: Path) -> None:
    for split in ("train", "test"):
        images_module.load(path, split)


def boundary(path: Path) -> None:
    Inputs(lambda *_: path).boundary(path, ["d/m/a", "d/m/b"], 0)


def in_run(name: str):
    return lambda folder: run_folder(folder.with_name(f"{folder.name}.run")) / name


KINDS = {
    "weights.pt": (in_run("weights.pt"), lambda path: checked(path.parent, path.name)),
    "history.csv": (in_run("history.csv"), lambda path: checked(path.parent, path.name)),
    "run.yaml": (in_run("run.yaml"), lambda path: read_run(path.parent)),
    "evaluation": (some_evaluation, lambda path: read_evaluation(path, profile=ROTATION, run="a")),
    "aggregate": (aggregate, lambda path: read_aggregate(path, "abc")),
    "prepared set": (lambda path: some_images(path, {}), read_all),
    "robust images": (lambda path: some_images(path, {"run": "released"}), read_all),
    "slice": (some_slice, boundary),
    "redraw CSV": (tidy_csv, lambda path: figure_csv.read_tidy(path, "invariance", "fig1")),
    "resume.pt": (some_state, read_state),
    "block": (some_block, read_block),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_bit_is_taken_silently(kind, tmp_path):
    make, read = KINDS[kind]
    path = make(tmp_path / "kept")
    whole, taken = path.read_bytes(), 0
    places = np.random.default_rng(0).integers(0, 8 * len(whole), FLIPS)
    for place in map(int, places):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            read(path)
            taken += 1
        except ValueError as error:
            assert "\n" not in str(error)
    print(f"flips taken silently - before - after: {kind} - {BEFORE.get(kind, '?')} - {taken} of {FLIPS}")
    assert taken == 0
    path.write_bytes(whole)
    read(path)


def test_a_flipped_checksum_beside_a_csv_is_noticed_too(tmp_path):
    path = tidy_csv(tmp_path / "fig1.csv")
    beside = figure_csv.beside(path)
    whole = beside.read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        beside.write_bytes(flipped)
        with pytest.raises(ValueError, match="fig1.csv: damaged"):
            figure_csv.read_tidy(path, "invariance", "fig1")


# Files of an older version, and empty ones


@pytest.mark.parametrize("kind", ["evaluation", "aggregate", "prepared set", "slice", "run.yaml"])
@pytest.mark.parametrize("content", ["no checksum", "empty"])
def test_a_file_without_a_checksum_is_one_line_that_says_what_to_do(kind, content, tmp_path):
    make, read = KINDS[kind]
    path = make(tmp_path / "kept")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"# sha256")] if content == "no checksum" else b"")
    with pytest.raises(
        ValueError, match="of an older version of this workflow.*: delete it and run again"
    ) as caught:
        read(path)
    assert one_line(caught).startswith(f"{path}: ")


def test_a_file_changed_by_hdf5_itself_is_noticed(tmp_path):
    path = some_evaluation(tmp_path / "e.h5")
    with h5py.File(path, "r+") as file:
        file["prediction"][0, 0, 0] = 5 - file["prediction"][0, 0, 0]
    with pytest.raises(ValueError, match="e.h5: damaged"):
        read_evaluation(path)


# Exchanged


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Two seeds of a run, trained and evaluated, and a slice through them: data.h5, runs/, evaluations/, slice.h5."""
    folder = tmp_path_factory.mktemp("results")
    entry = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 200, "test": 60}
    prepare("digits", entry, folder, folder / "data.h5")
    other = entry | {"train": 201}
    prepare("digits", other, folder, folder / "other.h5")
    for seed in (0, 1):
        train_script.train(recipe(), seed, folder / "data.h5", run_of(folder, seed), device="cpu", threads=1)
        outputs = {str(evaluation_of(folder, seed)): ROTATION}
        evaluate(run_of(folder, seed), folder / "data.h5", outputs, device="cpu", threads=1)
    runs = [run_of(folder, 0), run_of(folder, 1)]
    slice_boundaries(runs, folder / "data.h5", folder / "slice.h5", sample=1000, device="cpu", threads=1)
    return folder


@pytest.fixture
def copy(results, tmp_path) -> Path:
    return Path(shutil.copytree(results, tmp_path / "copy"))


def run_of(folder: Path, seed: int) -> Path:
    return folder / f"runs/digits/net/natural-0/seed{seed}"


def evaluation_of(folder: Path, seed: int) -> Path:
    return folder / f"evaluations/digits/net/natural-0/seed{seed}/{FILE}.h5"


def used(folder: Path, seed: int, settings: dict = ROTATION) -> Evaluation:
    """What an aggregate reads."""
    inputs = Inputs(
        lambda path, file, seed: evaluation_of(folder, seed), lambda path, seed: run_of(folder, seed)
    )
    return inputs.evaluation("digits/net/natural-0", Profile("rotation", "", "", "degrees", settings), seed)


def again(folder: Path, seed: int, data: str = "data.h5") -> None:
    """Another evaluation of a finished run."""
    output = {str(folder / "again.h5"): ROTATION}
    evaluate(run_of(folder, seed), folder / data, output, device="cpu", threads=1)


def test_what_is_whole_and_in_its_place_is_used(copy):
    assert used(copy, 0).prediction.shape == (2, 1, 60)
    again(copy, 0)
    assert (copy / "again.h5").read_bytes() == evaluation_of(copy, 0).read_bytes()


def test_another_runs_weights_of_the_same_architecture_are_refused(copy):
    shutil.copy(run_of(copy, 1) / "weights.pt", run_of(copy, 0))
    with pytest.raises(
        ValueError, match="seed0/weights.pt: damaged, or not what this run wrote.*: delete it"
    ):
        again(copy, 0)


def test_another_runs_folder_is_refused(copy):
    shutil.rmtree(run_of(copy, 0))
    shutil.copytree(run_of(copy, 1), run_of(copy, 0))
    with pytest.raises(
        ValueError, match="seed0/run.yaml: of another run, digits/net/natural-0/seed1: delete it"
    ):
        again(copy, 0)
    with pytest.raises(ValueError, match="seed0/run.yaml: of another run"):
        used(copy, 0)


def test_another_runs_evaluation_is_refused(copy):
    shutil.copy(evaluation_of(copy, 1), evaluation_of(copy, 0))
    with pytest.raises(ValueError, match="made from another run .*seed1, not .*seed0.: delete it") as caught:
        used(copy, 0)
    assert one_line(caught).startswith(str(evaluation_of(copy, 0)))


@pytest.mark.parametrize("change", [{"grid": [0, 60]}, {"seed": 1}, {"sample": 30}, {"draws": 2}])
def test_another_profiles_evaluation_is_refused(copy, change):
    with pytest.raises(ValueError, match="made from another profile .*: delete it"):
        used(copy, 0, ROTATION | change)


def test_an_evaluation_of_all_images_stays_and_one_of_the_first_images_does_not(copy):
    """Files that were made when a profile's `images` took the first ones."""
    path = evaluation_of(copy, 0)
    found = read_evaluation(path)
    for images in (None, 60):
        write_evaluation(
            path, found, x_unit="degrees", profile=ROTATION | {"images": images}, made_of=found.made_of
        )
        if images is None:
            used(copy, 0)
    with pytest.raises(ValueError, match="made from another profile .*: delete it"):
        used(copy, 0)


@pytest.mark.parametrize("lost", ["a point", "an image", "a grid's place"])
def test_points_images_or_a_grid_that_are_not_the_profiles_are_refused(copy, lost):
    path = evaluation_of(copy, 0)
    found = read_evaluation(path)
    points, images = (1, 60) if lost == "a point" else (2, 59 if lost == "an image" else 60)
    x = np.array([0, 60.0]) if lost == "a grid's place" else found.x[:points]
    clean = found.clean[:60] if lost == "an image" else found.clean
    made = Evaluation(found.label[:images], clean, x, found.prediction[:points])
    write_evaluation(path, made, x_unit="degrees", profile=ROTATION, made_of=found.made_of)
    with pytest.raises(ValueError, match="points or images of its profile are missing"):
        used(copy, 0)


def test_an_evaluation_of_weights_since_trained_again_is_refused(copy):
    train_script.train(recipe(epochs=2), 0, copy / "data.h5", run_of(copy, 0), device="cpu", threads=1)
    with pytest.raises(ValueError, match="made from another weights .*: delete it"):
        used(copy, 0)


def test_another_runs_slice_and_history_are_refused(copy):
    inputs = Inputs(lambda *_: None, lambda path, seed: run_of(copy, int(path[-1])))
    with pytest.raises(ValueError, match="slice.h5: made from another runs"):
        inputs.boundary(copy / "slice.h5", ["digits/net/natural-0", "digits/net/rotate60-1"], 0)
    assert len(inputs.history("digits/net/natural-0", 0)) == 1
    shutil.copy(run_of(copy, 1) / "history.csv", run_of(copy, 0))
    with pytest.raises(ValueError, match="history.csv: damaged, or not what this run wrote"):
        inputs.history("digits/net/natural-0", 0)


def test_a_run_trained_on_other_data_is_refused_and_the_same_bytes_are_not(copy):
    with pytest.raises(
        ValueError, match="seed0/run.yaml: trained on another data set than the prepared one: delete"
    ):
        again(copy, 0, "other.h5")
    entry = json.loads(h5py.File(copy / "data.h5").attrs["made_of"])
    prepare("another name", entry | {"label": "other words", "urls": {}}, copy, copy / "data.h5")
    again(copy, 0)


def test_a_prepared_set_that_is_not_the_registrys_trains_nothing(copy):
    entry = json.loads(h5py.File(copy / "data.h5").attrs["made_of"])
    for place in ("data.h5", "other.h5"):
        call = (recipe(), 0, copy / place, copy / "new/digits/net/natural-0/seed0")
        if place == "data.h5":
            train_script.train(*call, device="cpu", threads=1, entry=entry)
        else:
            with pytest.raises(
                ValueError, match=r"other.h5: made from another train \(201, not 200\): delete it"
            ):
                train_script.train(*call, device="cpu", threads=1, entry=entry)


def test_evaluations_of_one_target_are_on_the_same_images(copy):
    path, found = evaluation_of(copy, 1), read_evaluation(evaluation_of(copy, 1))
    made_of = found.made_of | {"data": "another"}
    write_evaluation(path, found, x_unit="degrees", profile=ROTATION, made_of=made_of)
    inputs = Inputs(lambda run, file, seed: evaluation_of(copy, seed))
    profile = Profile("rotation", "", "", "degrees", ROTATION)
    inputs.evaluation("digits/net/natural-0", profile, 0)
    with pytest.raises(ValueError, match="on other images of digits than .*: delete the older and run again"):
        inputs.evaluation("digits/net/natural-0", profile, 1)


def test_the_digest_of_images_is_that_of_their_values():
    images, labels = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8), np.array([3])
    first = images_digest({"train": (images, labels)}, 10)
    assert first == images_digest({"train": (images.copy(order="F"), labels.astype(np.int32))}, 10)
    others = [({"test": (images, labels)}, 10), ({"train": (images, labels)}, 11)]
    others += [({"train": (images.astype(np.float32), labels)}, 10), ({"train": (images, labels + 1)}, 10)]
    others += [({"train": (images.reshape(1, 1, 4, 16), labels)}, 10)]
    assert len({first, *(images_digest(*other) for other in others)}) == 6


# States to resume from


@pytest.mark.parametrize("exchanged", ["data", "start weights", "seed", "recipe", "nothing"])
def test_a_state_of_another_run_is_not_resumed(results, tmp_path, caplog, exchanged):
    long = recipe(epochs=2)

    def begun(data: str = "data.h5", seed: int = 0, made: dict = long, start: str | None = None):
        from spatial_adversarial.models.loading import load_network
        from spatial_adversarial.training.data import splits
        from spatial_adversarial.training.loop import Trainer

        sets = splits(results / data, made["split"], torch.device("cpu"))
        network = load_network(made["model"], sets[0], seed=0, weights=start)
        return Trainer(made, seed=seed, network=network, train=sets[0], validation=sets[1])

    changes = {
        "data": {"data": "other.h5"},
        "start weights": {"start": run_of(results, 1) / "weights.pt"},
        "seed": {"seed": 1},
        "recipe": {"made": recipe(epochs=2, label_smoothing=0.1)},
        "nothing": {},
    }[exchanged]
    next(begun().run(tmp_path / "resume.pt"))
    other = begun(**changes)
    epochs = [row["epoch"] for row in other.run(tmp_path / "resume.pt")]
    assert epochs == ([2] if exchanged == "nothing" else [1, 2])
    said = [record.message for record in caplog.records if "training starts anew" in record.message]
    assert said == [] if exchanged == "nothing" else f"begun with another {exchanged}: " in said[0]
    fresh = begun(**changes)
    list(fresh.run(tmp_path / "fresh.pt"))
    assert weights.weights_bytes(other.weights()) == weights.weights_bytes(fresh.weights())


# CSVs to draw again


def test_a_csv_is_what_pandas_reads_and_sha256sum_checks(tmp_path):
    path = tidy_csv(tmp_path / "fig1.csv")
    assert pd.read_csv(path).value.tolist() == [0.9, 0.5]
    checksum, name = figure_csv.beside(path).read_text().split()
    assert (len(checksum), name) == (64, "fig1.csv")
    assert figure_csv.read_tidy(path, "invariance", "fig1").value.tolist() == [0.9, 0.5]


def test_a_csv_by_hand_is_taken_only_where_the_config_says_so(tmp_path):
    path = tidy_csv(tmp_path / "fig1.csv")
    path.write_text(path.read_text().replace("0.5", "0.51"))
    with pytest.raises(
        ValueError, match=r"fig1.csv: damaged, or changed by hand.*set redraw: \{unchecked: true\}"
    ):
        figure_csv.read_tidy(path, "invariance", "fig1")
    figure_csv.beside(path).unlink()
    with pytest.raises(
        ValueError, match=r"fig1.csv.sha256 is not beside it: set redraw: \{unchecked: true\}"
    ):
        figure_csv.read_tidy(path, "invariance", "fig1")
    assert figure_csv.read_tidy(path, "invariance", "fig1", unchecked=True).value.tolist() == [0.9, 0.51]


def test_an_interval_that_misses_its_end_by_rounding_is_read(tmp_path):
    """Wilson's interval of no successes begins at -8e-20 rather than at 0."""
    figure_csv.write_tidy(tmp_path / "fig1.csv", ROWS.assign(low=[-8e-20, 0.4], high=[1 + 1e-12, 0.6]))
    assert len(figure_csv.read_tidy(tmp_path / "fig1.csv", "invariance", "fig1")) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"paper": "cusp"}, "rows of cusp fig1, not of invariance fig1"),
        ({"target": "fig3"}, "rows of invariance fig3, not of invariance fig1"),
        ({"value": [0.9, 1.5]}, "line 3: value 1.5 of robust_accuracy, expected 0 to 1"),
        ({"low": [-0.1, 0.4]}, "line 2: low -0.1 of robust_accuracy, expected 0 to 1"),
        ({"high": [0.92, 0.2]}, "line 3: low 0.46 is above high 0.2"),
        ({"value": ["0.9", "many"]}, "no tidy rows"),
    ],
)
def test_rows_that_cannot_be_a_figures_are_one_line(tmp_path, change, said):
    figure_csv.write_tidy(tmp_path / "fig1.csv", ROWS.assign(**change))
    with pytest.raises(ValueError, match=said) as caught:
        figure_csv.read_tidy(tmp_path / "fig1.csv", "invariance", "fig1", unchecked=True)
    assert one_line(caught).startswith(f"{tmp_path}/fig1.csv: ")


# Full disks and folders that cannot be written to


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "no space left to write {path}"),
        (errno.EDQUOT, r"no space left \(quota\) to write {path}"),
        (errno.EROFS, "cannot write {path}: Read-only file system"),
        (errno.EACCES, "cannot write {path}: Permission denied"),
    ],
)
def test_what_a_disk_refuses_is_one_line_whatever_is_raised_meanwhile(tmp_path, number, line):
    path = tmp_path / "fig1.pdf"
    with pytest.raises(RuntimeError, match=line.format(path=path)) as caught, write_atomic(path):
        try:
            raise OSError(number, "the disk's word")
        finally:
            raise AttributeError("'Stream' object has no attribute 'pos'")
    one_line(caught)
    assert not path.exists()


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(KeyError), write_atomic(tmp_path / "a"):
        raise KeyError("a")
    assert unwritable(FileNotFoundError(errno.ENOENT, "no"), "a") is None


@pytest.mark.parametrize("kind", ["evaluation", "aggregate", "slice", "resume.pt", "redraw CSV", "block"])
def test_writers_meet_a_full_disk_in_one_line(kind, tmp_path, full_disk):
    with pytest.raises(RuntimeError, match="^no space left to write .*") as caught:
        KINDS[kind][0](full_disk / "kept")
    assert str(full_disk) in one_line(caught)
    assert not list(full_disk.glob(".tmp-*"))


def test_a_figure_on_a_full_disk_is_one_line(full_disk):
    figure = Figure()
    figure.add_subplot().plot(range(100))
    with pytest.raises(RuntimeError, match="^no space left to write .*fig1.pdf$") as caught:
        style.save(figure, full_disk / "fig1.pdf", full_disk / "fig1.png")
    one_line(caught)


def test_a_log_on_a_full_disk_is_one_line_and_the_job_goes_on(full_disk, capsys):
    rule = SimpleNamespace(rule="draw", wildcards={}, log=[str(full_disk / "draw.log")])
    done = []
    with job.job(rule):
        done.append(1)
    said = capsys.readouterr().err.splitlines()
    assert done and said == [f"no space left to write {full_disk}/draw.log"]


def test_a_log_in_a_folder_that_is_read_only_is_one_line(full_disk, capsys):
    subprocess.run(["mount", "-o", "remount,ro", str(full_disk)], check=True)
    rule = SimpleNamespace(rule="draw", wildcards={}, log=[str(full_disk / "logs/draw.log")])
    with pytest.raises(SystemExit), job.job(rule):
        pass
    said = capsys.readouterr().err.splitlines()
    assert said == [f"draw: cannot write {full_disk}/logs/draw.log: Read-only file system"]


@pytest.fixture
def full_disk(tmp_path):
    """A file system of its own without a byte left."""
    (tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path / "disk")]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    with pytest.raises(OSError, match="No space left"), open(tmp_path / "disk/filler", "wb") as file:
        while True:
            file.write(bytes(1024))
            file.flush()
    yield tmp_path / "disk"
    subprocess.run(["umount", "--lazy", str(tmp_path / "disk")], check=True)
