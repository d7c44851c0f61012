"""HDF5 files of evaluations and aggregates: written whole, read with one-line errors; no torch."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import h5py
import numpy as np

from spatial_adversarial.records.evaluation import Evaluation, Pictures
from spatial_adversarial.records.identity import identity
from spatial_adversarial.runner.hdf5 import opened, written
from spatial_adversarial.runner.run_folder import AGAIN, same

if TYPE_CHECKING:
    import pandas as pd  # a third of a second, which the writer of an evaluation does not spend

# the datasets of whole numbers in an evaluation's file, and their types there
INTEGERS = {"label": np.int16, "clean": np.int16, "prediction": np.int16}
INTEGERS |= {"prediction_predicted": np.int16, "zero_gradient": bool}


def write_evaluation(
    path: str | Path, evaluation: Evaluation, *, x_unit: str, profile: dict, made_of: dict[str, str]
) -> None:
    """Write an evaluation; equal results give equal bytes (dates and seconds stay in the side file).

    made_of: the run (<data>/<model>/<words>-<hash>/seed<k>), the checksum of its weights, the digest of the data set.
    """
    with written(path) as file:
        for name, kind in INTEGERS.items():
            if getattr(evaluation, name) is not None:
                values = np.asarray(getattr(evaluation, name), dtype=kind)
                file.create_dataset(name, data=values, compression="gzip", shuffle=True)
        file["x"] = np.asarray(evaluation.x, dtype=np.float64)
        file["x"].attrs["unit"] = x_unit
        if evaluation.distance is not None:
            file.create_dataset("distance", data=evaluation.distance.astype(np.float32), compression="gzip")
        if evaluation.pictures is not None:
            for name, values in vars(evaluation.pictures).items():
                file[f"pictures/{name}"] = values
        file.attrs["profile"] = json.dumps(profile, sort_keys=True)
        file.attrs["made_of"] = json.dumps(made_of, sort_keys=True)


def read_evaluation(path: str | Path, *, profile: dict | None = None, **made_of: str) -> Evaluation:
    """Read an evaluation back.

    ValueError, one line, for a missing or damaged file, one of another `profile` than this, or one that was not
    `made_of` what is named here: run, weights, data.
    """
    with opened(path) as file:
        origin = json.loads(file.attrs["made_of"])
        same(path, origin, made_of)
        if profile is not None:
            recorded = json.loads(file.attrs["profile"])
            # a file of all test images may be older than the key `sample`
            if recorded.get("images", "") is None:
                del recorded["images"]
            same(path, *({"profile": identity(one, "profile")} for one in (recorded, profile)))
            _check_shapes(path, file, profile)
        arrays = {name: file[name][()] for name in ("label", "clean", "x", "prediction")}
        optional = ("distance", "prediction_predicted", "zero_gradient")
        arrays |= {name: file[name][()] for name in optional if name in file}
        pictures = None
        if "pictures" in file:
            pictures = Pictures(**{name: values[()] for name, values in file["pictures"].items()})
        return Evaluation(**arrays, pictures=pictures, made_of=origin)


def _check_shapes(path: str | Path, file: h5py.File, profile: dict) -> None:
    """ValueError, one line, where points, draws or images are not all there."""
    images, grid = len(file["label"]), list(profile["grid"])
    expected = (len(grid), profile["draws"], images)
    complete = file["x"][()].tolist() == grid and file["clean"].shape == (images,)
    if not complete or file["prediction"].shape != expected:
        raise ValueError(f"{path}: points or images of its profile are missing, or others are there: {AGAIN}")


class Aggregate(NamedTuple):
    """A target's tidy rows, and of each what its CSV does not print.

    replicates: float32 [rows, B] of the bootstrap; seeds: float64 [rows, S], the value of each seed; side: columns
    that judging takes, see judging/target_numbers.py. None for a target of simulations.
    """

    rows: "pd.DataFrame"
    replicates: np.ndarray | None = None
    seeds: np.ndarray | None = None
    side: "pd.DataFrame | None" = None


def write_aggregate(path: str | Path, aggregate: Aggregate, *, fingerprint: str) -> None:
    """Write a target's numbers and the hash of what made them.

    The rows are kept as the text of the CSV that the figure publishes, so that both read back alike.
    """
    with written(path) as file:
        file.attrs["fingerprint"] = fingerprint
        file["rows"] = aggregate.rows.to_csv(index=False)
        if aggregate.side is not None:
            file["side"] = aggregate.side.to_csv(index=False)
        for name, kind in (("replicates", np.float32), ("seeds", np.float64)):
            values = getattr(aggregate, name)
            if values is not None:
                file.create_dataset(name, data=values.astype(kind), compression="gzip", shuffle=True)


def copy_aggregate(
    source: str | Path, path: str | Path, *, paper: str, target: str, made_as: str, fingerprint: str
) -> None:
    """Write a target's numbers as those of another one of the same panels: all but its names stays, digit by digit.

    ValueError where `source` was not made as the fingerprint `made_as` says.
    """
    import pandas as pd

    found = read_aggregate(source, made_as)
    with opened(source) as file:
        text = pd.read_csv(io.StringIO(file["rows"].asstr()[()]), dtype=str, keep_default_na=False)
        side = pd.read_csv(io.StringIO(file["side"].asstr()[()]), dtype=str, keep_default_na=False)
    rows = text.assign(paper=paper, target=target)
    write_aggregate(path, found._replace(rows=rows, side=side), fingerprint=fingerprint)


def read_aggregate(path: str | Path, fingerprint: str) -> Aggregate:
    """A target's numbers; ValueError where another configuration made the file."""
    import pandas as pd

    with opened(path) as file:
        if file.attrs["fingerprint"] != fingerprint:
            raise ValueError(f"{path}: made from another configuration: delete it and run again")
        rows = read_rows(io.StringIO(file["rows"].asstr()[()]))
        side = pd.read_csv(io.StringIO(file["side"].asstr()[()])) if "side" in file else None
        return Aggregate(rows, *(file[n][()] if n in file else None for n in ("replicates", "seeds")), side)


def read_rows(csv: str | Path | io.StringIO) -> "pd.DataFrame":
    """Tidy rows from a CSV; what does not apply is missing (nan); some columns are text, whatever they hold."""
    import pandas as pd

    return pd.read_csv(csv, dtype=dict.fromkeys(("panel", "seed", "attacked_label", "by_seed"), str))
