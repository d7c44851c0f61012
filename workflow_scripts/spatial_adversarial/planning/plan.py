"""The plan: the jobs that each figure and table needs, which are done, and what the others will cost (no torch)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import fsum, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import INPUT_GRADIENT
from spatial_adversarial.catalog import Catalog, Target
from spatial_adversarial.planning import products
from spatial_adversarial.planning.costs import (
    Rates,
    profile_bytes,
    profile_passes,
    training_passes,
)
from spatial_adversarial.records.identity import robust_images
from spatial_adversarial.records.recipe import Recipe
from spatial_adversarial.records.survivors import smaller_file
from spatial_adversarial.runner.paths import Paths

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Job:
    """A job, known by its outputs: `kind` is train, evaluate or other, `hours` its cost, `bytes` what it leaves."""

    kind: str
    outputs: tuple[Path, ...]
    hours: float = field(default=0, compare=False)
    bytes: float = field(default=0, compare=False)

    @property
    def state(self) -> str:
        """done; failed (a run that left failed.txt); begun (one that left a checkpoint); or waiting."""
        if all(output.exists() for output in self.outputs):
            return "done"
        traces = {"failed": "failed.txt", "begun": "resume.pt"} if self.kind == "train" else {}
        folder = self.outputs[0].parent
        return next((state for state, name in traces.items() if (folder / name).exists()), "waiting")


class Plan:
    """What the targets of a catalog need. `networks` is what networks.json holds: multiply-adds and parameters."""

    def __init__(self, catalog: Catalog, networks: dict[str, dict], rates: Rates):
        self.catalog, self.networks, self.rates = catalog, networks, rates
        self.paths = Paths.of(catalog.config)
        self.by_run = catalog.config.get("evaluate") == "by_run"

    def table(self) -> "DataFrame":
        """A row for each target, then the totals, where a job that targets share counts once.

        Columns: paper, target; runs (that the target needs), and of these runs_shared (with other targets),
        runs_done, runs_begun and runs_failed; train_jobs, evaluate_jobs, other_jobs (those not done);
        train_hours, evaluate_hours (of the rates' device, all), hours_left; disk_bytes (when all is done).
        """
        from pandas import DataFrame  # half a second, which the requests of jobs do without

        jobs = {key: self.jobs(target) for key, target in self.catalog.targets.items()}
        uses = Counter(job for needed in jobs.values() for job in needed)
        shared = {job for job, times in uses.items() if times > 1}
        rows = [_row(*key, needed, shared) for key, needed in jobs.items()]
        return DataFrame([*rows, _row("all", "", {*uses, *self._closing_jobs()}, shared)])

    def failures(self) -> dict[str, str]:
        """{folder of a failed run: the line that its last attempt ended with}."""
        jobs = {job for target in self.catalog.targets.values() for job in self.jobs(target)}
        folders = sorted(job.outputs[0].parent for job in jobs if job.state == "failed")
        return {
            str(folder): (folder / "failed.txt").read_text(encoding="utf-8").strip() for folder in folders
        }

    def uncounted(self) -> list[str]:
        """The data sets whose number of images the registry does not tell: hours and disk leave them out."""
        runs = {path for target in self.catalog.targets.values() for path in target.paths()}
        used = {self.catalog.recipe(path)["data"] for path in runs}
        return sorted(name for name in used if isnan(sum(self._images(name))))

    def unknown_survivors(self) -> int:
        """How many evaluations attack survivors that are not known yet: their hours count all images."""
        keys = {
            key for target in self.catalog.targets.values() for key in self.catalog.evaluation_keys(target)
        }
        files = ((run, self.catalog.profiles[run][file], seed) for run, file, seed in keys)
        named = [file for key in files if (file := self._smaller(*key))]
        return sum(not file.exists() for file in named)

    def _smaller(self, path: str, profile: dict, seed: int) -> Path | None:
        """The evaluation whose survivors alone a profile attacks; None where it attacks all images."""
        name = smaller_file(profile)
        return Path(self.paths.evaluation(path, name, seed)) if name else None

    def _survivors(self, path: str, profile: dict, seed: int, images: float) -> float:
        """How many of so many images a profile attacks, at most: all, until the smaller eps has been evaluated."""
        file = self._smaller(path, profile, seed)
        if file is None or not file.exists():
            return images
        from spatial_adversarial.results.store import read_evaluation  # h5py, for those that need it

        found = read_evaluation(file)
        standing = (found.prediction == found.label)[..., : int(images)]
        return float(standing.mean(axis=(0, 1)).sum())

    def jobs(self, target: Target) -> set[Job]:
        """Every job that it takes to make the target from nothing."""
        trainings = {pair for path in target.paths() for pair in self.catalog.trainings(path)}
        seeds, runs = self.catalog.seeds, {path for path, _ in trainings}
        jobs = {self.training(*pair) for pair in trainings}
        jobs |= {self.evaluation(*b, seed) for b in self._bundles(target) for seed in seeds(b[0])}
        for name in {self.catalog.recipe(path)["data"] for path in runs}:
            jobs |= {self.download(name), self.preparation(name)}
        jobs |= {
            self.robust_images(recipe["mix"]) for recipe in map(self.catalog.recipe, runs) if recipe["mix"]
        }
        files = [self.paths.slice(*key) for key in self.catalog.slice_keys(target)]
        place = target.paper, target.name
        files += [self.paths.aggregate(*place) if target.has_aggregate else self.paths.networks]
        files += [self.paths.table(*place, "csv") if target.is_table else self.paths.figure(*place)]
        return jobs | _others(files)

    def _closing_jobs(self) -> set[Job]:
        """What belongs to no single target: the claims, and where the config wants them the report and the site."""
        judged = [self.paths.claims(paper) for paper, claims in self.catalog.claims.items() if claims]
        closing = (products.closing, products.site)
        return _others([*judged, *(file for of in closing for file in of(self.catalog, self.paths))])

    def _bundles(self, target: Target) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(run without seed, profile files) of each evaluation job that the target needs."""
        if self.by_run:
            for path in dict.fromkeys(path for path, _ in target.evaluations()):
                yield path, tuple(sorted(self.catalog.profiles[path]))
        else:
            yield from ((path, (file,)) for path, file in target.evaluations())

    def download(self, data: str) -> Job:
        return Job("other", (Path(self.paths.raw(data)),), 0, self._size(data))

    def preparation(self, data: str) -> Job:
        return Job("other", (Path(self.paths.prepared(data)),), 0, self._size(data))

    def training(self, path: str, seed: int) -> Job:
        recipe, network = Recipe.of(self.catalog.recipe(path)), _network(path)
        described = self.networks[network]
        images = self._images(recipe.data)[0] - recipe.split.validation
        passes = training_passes(recipe, min(images, recipe.split.limit or images))
        hours = self.rates.hours(network, "train", passes * described["multiply_adds"])
        names = "weights", *self.catalog.kept.get(path, [])
        files = tuple(Path(self.paths.weights(path, seed, name)) for name in names)
        return Job("train", files, hours, 4 * len(files) * described["parameters"])

    def robust_images(self, mix: dict) -> Job:
        """The images that a recipe mixes in; released ones cost nothing."""
        run, name = robust_images(mix)
        file = Path(self.paths.robust_images(run, name))
        if run == "released":
            return Job("other", (file,))
        recipe, network = self.catalog.recipe(run), _network(run)
        images = mix["images"] or self._images(recipe["data"])[0] - recipe["split"]["validation"]
        passes = images * mix["steps"] * INPUT_GRADIENT
        hours = self.rates.hours(network, "evaluate", passes * self.networks[network]["multiply_adds"])
        return Job("other", (file,), hours, 4 * images * self._pixels(recipe["data"]))

    def evaluation(self, path: str, files: tuple[str, ...], seed: int) -> Job:
        data, network = self.catalog.recipe(path)["data"], _network(path)
        classes, images = self.catalog.registry["data"][data]["classes"], self._images(data)[1]
        passes = size = 0.0
        for profile in (self.catalog.profiles[path][file] for file in files):
            number = min(images, profile["sample"] or images)
            attacked = self._survivors(path, profile, seed, number)
            passes += profile_passes(profile, number, classes, attacked)
            size += profile_bytes(profile, number)
        hours = self.rates.hours(network, "evaluate", passes * self.networks[network]["multiply_adds"])
        outputs = tuple(Path(self.paths.evaluation(path, file, seed)) for file in files)
        return Job("evaluate", outputs, hours, size)

    def _images(self, data: str) -> tuple[float, float]:
        """The official numbers of train and test images of a data set, nan where they are not known."""
        entry = self.catalog.registry["data"][data]
        return entry["train"] or nan, entry["test"] or nan

    def _size(self, data: str) -> float:
        """Bytes of a data set's images, of which a byte is a value."""
        return self._pixels(data) * sum(self._images(data))

    def _pixels(self, data: str) -> int:
        entry = self.catalog.registry["data"][data]
        return entry["channels"] * entry["side"] ** 2


def sample_recipes(catalog: Catalog) -> dict[str, dict]:
    """{network, <data>/<model>: the recipe of one run that trains it}."""
    paths = [path for target in catalog.targets.values() for path in target.paths()]
    return {_network(path): catalog.recipe(path) for path in paths}


def _others(files: Iterable[str]) -> set[Job]:
    return {Job("other", (Path(file),)) for file in files}


def _network(path: str) -> str:
    return path.rpartition("/")[0]


def _row(paper: str, target: str, jobs: set[Job], shared: set[Job]) -> dict:
    state = {job: job.state for job in jobs}
    runs = [job for job in jobs if job.kind == "train"]
    runs_by_state = Counter(state[job] for job in runs)
    left = Counter(job.kind for job in jobs if state[job] != "done")
    return {
        "paper": paper,
        "target": target,
        "runs": len(runs),
        "runs_shared": sum(job in shared for job in runs),
        **{f"runs_{name}": runs_by_state[name] for name in ("done", "begun", "failed")},
        **{f"{kind}_jobs": left[kind] for kind in ("train", "evaluate", "other")},
        **{
            f"{kind}_hours": _sum(job.hours for job in jobs if job.kind == kind)
            for kind in ("train", "evaluate")
        },
        "hours_left": _sum(job.hours for job in jobs if state[job] != "done"),
        "disk_bytes": _sum(job.bytes for job in jobs),
    }


def _sum(values: Iterable[float]) -> float:
    return fsum(value for value in values if not isnan(value))
