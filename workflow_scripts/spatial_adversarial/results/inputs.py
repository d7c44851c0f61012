"""What a target's rows are computed from: each file is asked what it was made from before its numbers are used."""

import io
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.identity import run_and_weights
from spatial_adversarial.records.panel import Profile
from spatial_adversarial.records.plane import Plane, Slices
from spatial_adversarial.results.store import read_evaluation
from spatial_adversarial.runner.hdf5 import opened
from spatial_adversarial.runner.run_folder import checked, read_run, same

Finder = Callable[[str, str, int], Path]  # (run without seed, profile file, seed) -> its evaluation
Folder = Callable[[str, int], Path]  # (run without seed, seed) -> its folder


class Inputs:
    """Reads evaluations, slices and histories of runs; ValueError, one line, for one that is not what it should be.

    Where a run's folder is there, its weights and data are compared too; evaluations alone may have been brought here.
    In one target, all that is on a data set has to be on the same images.
    """

    def __init__(self, evaluation: Finder, run: Folder | None = None):
        self._path, self._folder = evaluation, run
        self._data: dict[
            str, tuple[str, Path]
        ] = {}  # of each data set: its digest, and the file that had it first
        # one profile is often drawn in several panels and metrics
        self._read = lru_cache(maxsize=64)(self._read)
        self._run_record = lru_cache(maxsize=None)(self._run_record)

    def evaluation(self, path: str, profile: Profile, seed: int) -> Evaluation:
        """The evaluation of a profile of the run `path`, which may be a read-out of one."""
        return self._read(path, profile.file, seed, json.dumps(profile.settings, sort_keys=True))

    def history(self, path: str, seed: int) -> pd.DataFrame:
        """A run's history, a row an epoch."""
        file = checked(self._folder(path, seed), "history.csv", self._run_record(path, seed))
        return pd.read_csv(io.BytesIO(file.read_bytes()))

    def boundary(self, file: Path, paths: list[str], seed: int) -> Slices:
        """The planes through two runs' boundaries."""
        runs = [f"{path}/seed{seed}" for path in paths]
        wanted = {"runs": runs}
        if all(self._run_record(path, seed) for path in paths):
            wanted["weights"] = [self._run_record(path, seed)["files"]["weights.pt"] for path in paths]
        with opened(file) as found:
            record = json.loads(found.attrs["made_of"])
            same(file, record, wanted)
            self._one_data_set(paths[0], record["data"], file)
            groups = [found, *(found["more"].values() if "more" in found else [])]
            planes = [Plane(*(group[name][()] for name in Plane._fields)) for group in groups]
            return Slices(planes, found["distance"][()] if "distance" in found else np.empty((2, 0)))

    def _read(self, path: str, name: str, seed: int, settings: str) -> Evaluation:
        file, (run, weights) = self._path(path, name, seed), run_and_weights(path)
        wanted = {"run": f"{path}/seed{seed}"}
        if record := self._run_record(run, seed):
            wanted |= {"weights": record["files"].get(f"{weights}.pt"), "data": record["made_of"]["data"]}
        found = read_evaluation(file, profile=json.loads(settings), **wanted)
        self._one_data_set(path, found.made_of["data"], file)
        return found

    def _run_record(self, path: str, seed: int) -> dict | None:
        folder = self._folder and self._folder(path, seed)
        return read_run(folder) if folder and (folder / "run.yaml").exists() else None

    def _one_data_set(self, path: str, digest: str, file: Path) -> None:
        name = path.split("/")[0]
        known, first = self._data.setdefault(name, (digest, file))
        if digest != known:
            raise ValueError(
                f"{file}: on other images of {name} than {first}: delete the older and run again"
            )
