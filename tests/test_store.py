"""Files of evaluations and aggregates: what is read is what was written, byte by byte, and errors are one line."""

import h5py
import numpy as np
import pandas as pd
import pytest

from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.results.store import (
    Aggregate,
    copy_aggregate,
    read_aggregate,
    read_evaluation,
    write_aggregate,
    write_evaluation,
)

PROFILE = {"transform": "rotate", "grid": [0, 1 / 3], "draws": 3, "seed": 0}
MADE_OF = {"run": "digits/net/natural-0/seed0", "weights": "12ab", "data": "34cd"}
ROWS = pd.DataFrame(
    {
        "x": ["0", "8/255", "0.3"],
        "value": [1.0, 0.5, np.nan],
        "n": [500, 500, 500],
        "label": ["±30°", None, "a, b"],
        "empty": [np.nan] * 3,
    }
)
REPLICATES = np.random.default_rng(0).random((3, 50), dtype=np.float32)


def evaluation(distance: bool = False) -> Evaluation:
    rng = np.random.default_rng(0)
    label, clean, prediction = (rng.integers(-1, 200, shape) for shape in (3000, 3000, (2, 3, 3000)))
    measured = rng.random((2, 3, 3000), dtype=np.float32) if distance else None
    return Evaluation(label, clean, np.array([0, 1 / 3]), prediction, measured)


def write(path, kind: str, distance: bool = False) -> None:
    if kind == "aggregate":
        write_aggregate(path, Aggregate(ROWS, REPLICATES), fingerprint="abc")
    else:
        write_evaluation(path, evaluation(distance), x_unit="degrees", profile=PROFILE, made_of=MADE_OF)


def read(path, kind: str):
    return read_aggregate(path, "abc") if kind == "aggregate" else read_evaluation(path)


KINDS = pytest.mark.parametrize("kind", ["evaluation", "aggregate"])


@pytest.mark.parametrize("distance", [False, True])
def test_an_evaluation_comes_back_as_it_was(tmp_path, distance):
    write(tmp_path / "e.h5", "evaluation", distance)
    found, made = read_evaluation(tmp_path / "e.h5"), evaluation(distance)
    for name in ("label", "clean", "x", "prediction", "distance"):
        assert np.array_equal(getattr(found, name), getattr(made, name)), name
    with h5py.File(tmp_path / "e.h5") as file:
        assert file["x"].attrs["unit"] == "degrees" and ("distance" in file) == distance
        assert set(file) - {"distance"} == {"label", "clean", "x", "prediction"}


def test_an_aggregate_comes_back_as_it_was(tmp_path):
    write(tmp_path / "a.h5", "aggregate")
    rows, replicates, *_ = read_aggregate(tmp_path / "a.h5", "abc")
    assert list(rows.columns) == list(ROWS.columns)
    assert rows.x.tolist() == ["0", "8/255", "0.3"] and rows.label.fillna("").tolist() == ["±30°", "", "a, b"]
    assert np.array_equal(rows.value, ROWS.value, equal_nan=True) and rows["empty"].isna().all()
    assert np.array_equal(replicates, REPLICATES)


def test_an_aggregate_without_replicates(tmp_path):
    write_aggregate(tmp_path / "a.h5", Aggregate(ROWS), fingerprint="abc")
    assert read_aggregate(tmp_path / "a.h5", "abc")[1] is None


@KINDS
def test_writing_twice_gives_equal_bytes(tmp_path, kind):
    for folder in ("first", "second"):
        write(tmp_path / folder / "result.h5", kind)
    assert (tmp_path / "first/result.h5").read_bytes() == (tmp_path / "second/result.h5").read_bytes()


@KINDS
def test_a_failed_write_leaves_the_old_file_alone(tmp_path, kind):
    path = tmp_path / "result.h5"
    write(path, kind)
    before = path.read_bytes()
    with pytest.raises((AttributeError, TypeError, ValueError)):
        if kind == "aggregate":
            write_aggregate(path, Aggregate(ROWS, "no array"), fingerprint="abc")
        else:
            write_evaluation(path, evaluation(), x_unit="degrees", profile={"not JSON": object()}, made_of={})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@KINDS
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "text", "another file", "flipped"])
def test_a_file_that_cannot_be_read_is_one_line_that_names_it(tmp_path, kind, damage):
    path = tmp_path / "result.h5"
    write(path, kind)
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "another file":
        with h5py.File(path, "w") as file:
            file["images"] = np.zeros(3)
    elif damage == "flipped":
        with h5py.File(path) as file:
            place = file["replicates" if kind == "aggregate" else "prediction"].id.get_chunk_info(0)
        middle = place.byte_offset + place.size // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    else:
        path.write_bytes(
            {"empty": b"", "truncated": whole[: len(whole) // 2], "text": b"x,y\n" * 500}[damage]
        )
    with pytest.raises(ValueError) as caught:
        read(path, kind)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text
    assert ("no such file" if damage == "missing" else "damaged") in text


def test_an_aggregate_of_another_configuration_is_one_line(tmp_path):
    write(tmp_path / "a.h5", "aggregate")
    with pytest.raises(ValueError, match=r"a\.h5: made from another configuration: delete it") as caught:
        read_aggregate(tmp_path / "a.h5", "abd")
    assert "\n" not in str(caught.value)


def test_numbers_are_copied_to_a_figure_of_the_same_panels_digit_by_digit(tmp_path):
    rows = ROWS.assign(paper="tradeoff", target="fig2", value=[1 / 3, 0.1 + 0.2, np.nan])
    side = pd.DataFrame({"origin": ["a", "b", "c"], "images": [5, 6, 7], "reach": [1 / 3, np.nan, np.nan]})
    write_aggregate(tmp_path / "a.h5", Aggregate(rows, REPLICATES, None, side), fingerprint="abc")
    names = {"paper": "cusp", "target": "fig1"}
    with pytest.raises(ValueError, match="made from another configuration"):
        copy_aggregate(tmp_path / "a.h5", tmp_path / "b.h5", **names, made_as="xyz", fingerprint="def")
    copy_aggregate(tmp_path / "a.h5", tmp_path / "b.h5", **names, made_as="abc", fingerprint="def")
    write_aggregate(
        tmp_path / "c.h5", Aggregate(rows.assign(**names), REPLICATES, None, side), fingerprint="def"
    )
    assert (tmp_path / "b.h5").read_bytes() == (tmp_path / "c.h5").read_bytes()
