"""Runs by id between users: the finished ones are exported, and those of others that agree are fetched, not trained."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from spatial_adversarial.catalog import Catalog
from spatial_adversarial.records.identity import completed, identity
from spatial_adversarial.records.identity import digest as identity_digest
from spatial_adversarial.results import run_index
from spatial_adversarial.results.run_index import Damaged, SharedRun
from spatial_adversarial.runner.files import digest, lock, verify, write_atomic
from spatial_adversarial.runner.hdf5 import opened
from spatial_adversarial.runner.paths import Paths
from spatial_adversarial.runner.run_folder import FETCHED, checked, read_run

BASE = ("weights.pt", "history.csv", "run.yaml")  # of every run, beside the weights that some keep
PROVENANCE, REFUSED = "provenance.json", "refused.json"
FEW = 20  # runs, each of which has its line in the terminal


@dataclass(frozen=True)
class Wanted:
    """A run, <data>/<model>/<words>-<hash>/seed<k>, as a configuration wants it: in `folder`, with `files` there.

    `recipe` is its identity, `data` that of its data set, `prepared` the file that the data set is prepared as.
    """

    run: str
    recipe: dict
    data: dict
    files: tuple[str, ...]
    folder: Path
    prepared: Path

    @property
    def recipe_digest(self) -> str:
        return identity_digest(self.recipe, 64)

    @property
    def images(self) -> str | None:
        """The digest of the prepared images; None where the data set is not prepared here."""
        there = self.prepared.exists()
        return _images(str(self.prepared), self.prepared.stat().st_mtime_ns) if there else None


@cache
def _images(path: str, changed: int) -> str:
    with opened(path) as file:
        return file.attrs["digest"]


def wanted_runs(catalog: Catalog) -> Iterator[Wanted]:
    """Every run that a configuration's targets need, but those of a user's own network: its recipe names files here."""
    paths = Paths.of(catalog.config)
    asked = [path for target in catalog.targets.values() for path in target.paths()]
    for path, seed in dict.fromkeys(pair for one in asked for pair in catalog.trainings(one)):
        recipe = catalog.recipe(path)
        if "file" in recipe["model"]:
            continue
        files = (*BASE, *(f"{weights}.pt" for weights in catalog.kept.get(path, [])))
        made_of = identity(recipe, "recipe"), catalog.data_identity(recipe["data"]), files
        folder, prepared = Path(paths.run(path, seed)), Path(paths.prepared(recipe["data"]))
        yield Wanted(f"{path}/seed{seed}", *made_of, folder, prepared)


def export_runs(catalog: Catalog, folder: Path) -> dict[str, str]:
    """Copy the finished runs of a configuration to `folder`, with its index; {run: why it was left out, or ""}.

    What an earlier call exported there stays. A run that is damaged, or was trained on other images than the prepared
    ones, is left out, and so is a network of the user's own.
    """
    runs = run_index.read_index(str(folder)) if (folder / run_index.NAME).exists() else {}
    left_out = {}
    for wanted in wanted_runs(catalog):
        if (wanted.folder / "run.yaml").exists():
            try:
                runs[wanted.run] = _exported(wanted, folder / "runs" / wanted.run)
                left_out[wanted.run] = ""
            except ValueError as error:
                left_out[wanted.run] = str(error)
    run_index.write_index(folder, runs)
    return left_out


def _exported(wanted: Wanted, folder: Path) -> SharedRun:
    finished = read_run(wanted.folder, data=wanted.images)
    names = [checked(wanted.folder, name, finished).name for name in finished["files"]]
    files = {}
    for name in (*names, "run.yaml", PROVENANCE):
        path = wanted.folder / name
        if not path.exists():
            raise ValueError(f"{path}: no such file")
        files[name] = {"sha256": digest(path), "bytes": path.stat().st_size}
        if not (folder / name).exists() or digest(folder / name) != files[name]["sha256"]:
            run_index.copy(str(wanted.folder), name, folder / name, files[name])
    seconds = json.loads((wanted.folder / PROVENANCE).read_text(encoding="utf-8"))["seconds"]
    return SharedRun(wanted.recipe_digest, wanted.data, finished["made_of"]["data"], seconds, files)


@dataclass
class Fetching:
    """Which runs are fetched, not trained: `there` are those fetched before, `offered` by which folder or URL.

    `reasons` has of each run whether it is fetched, and why: {run: a text without the run's name}.
    """

    there: set[str] = field(default_factory=set)
    offered: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> set[str]:
        return self.there | set(self.offered)

    def lines(self) -> list[str]:
        """A line for each run, in the order in which they are wanted."""
        return [f"runs_from: {run}: {reason}" for run, reason in self.reasons.items()]

    def summary(self, log: str) -> list[str]:
        """What the terminal shows before the first job: `lines`, or how many runs share a reason where they are many.

        log: the file that has the line of each run where they are many.
        """
        if len(self.reasons) <= FEW:
            return self.lines()
        counts = Counter(self.reasons.values())
        found = [f"runs_from: {number} runs: {reason}" for reason, number in counts.items()]
        return [*found, f"runs_from: each of the {len(self.reasons)} runs has a line in {log}"]


def choose(wanted: Iterable[Wanted], sources: list[str]) -> Fetching:
    """Which runs are fetched: known by the indexes of folders or URLs, before any other file of theirs is read.

    The first that has a run offers it, where recipe, data set and files agree. Where all runs are there, no index is
    read. ValueError, one line, for an index that cannot be read.
    """
    found, missing = Fetching(), []
    for one in wanted:
        if not all((one.folder / name).exists() for name in one.files):
            missing.append(one)
            reason = "not fetched"  # until a source offers it
        elif (one.folder / FETCHED).exists():
            found.there.add(one.run)
            reason = "fetched by an earlier call"
        else:
            reason = "not fetched: it is finished here"
        found.reasons[one.run] = reason
    indexes = {source: run_index.read_index(source) for source in sources} if missing else {}
    for one in missing:
        having = {source: index[one.run] for source, index in indexes.items() if one.run in index}
        faults = {source: disagreement(one, shared) for source, shared in having.items()}
        agreeing = [source for source, fault in faults.items() if not fault]
        if agreeing:
            found.offered[one.run] = agreeing[0]
            reason = f"fetched from {agreeing[0]} if a target needs it: recipe, data set and files agree"
        elif faults:
            reason = "not fetched: " + "; ".join(f"{source}: {fault}" for source, fault in faults.items())
        else:
            reason = f"not fetched: it is not in {' or '.join(sources)}"
        found.reasons[one.run] = reason
    return found


def disagreement(wanted: Wanted, shared: SharedRun) -> str:
    """Why a shared run is not the one that is wanted; empty where it is."""
    if shared.recipe != wanted.recipe_digest:
        return "its recipe is another"
    if shared.data != wanted.data:
        return "its data set is another (source, size or checksums)"
    if wanted.images not in (None, shared.images):
        return f"it was trained on other images than {wanted.prepared}"
    if lacks := [name for name in wanted.files if name not in shared.files]:
        return f"it lacks {', '.join(lacks)}"
    refused = wanted.folder / REFUSED
    before = json.loads(refused.read_text(encoding="utf-8")) if refused.exists() else {}
    if before.get("files") == shared.files:
        return f"{before['reason']} (delete {refused} to try again)"
    return ""


def fetch_run(wanted: Wanted, sources: list[str]) -> str:
    """Bring a run here from the first folder or URL that offers it; returns that one.

    Checksums are verified before a file is opened; run.yaml, which is data alone, comes last. ValueError, one line,
    where nothing offers the run, or a file is not what its index says: the next call then trains the run.
    """
    source = choose([wanted], sources).offered.get(wanted.run)
    if source is None:
        raise ValueError(f"{wanted.run}: nothing in runs_from offers it any more")
    shared, folder = run_index.read_index(source)[wanted.run], wanted.folder
    with lock(folder / "lock", wait=False, doing=f"making {folder}"):
        try:
            for name, expected in shared.files.items():
                if name in (*wanted.files, PROVENANCE) and name != "run.yaml":
                    run_index.copy(source, f"runs/{wanted.run}/{name}", folder / name, expected)
            arriving = folder / ".tmp-run.yaml"
            run_index.copy(source, f"runs/{wanted.run}/run.yaml", arriving, shared.files["run.yaml"])
            _check_run(arriving, wanted.run, shared)
            arriving.replace(folder / "run.yaml")
        except Damaged as error:
            _write(folder / REFUSED, {"reason": str(error), "files": shared.files})
            raise ValueError(f"{error}: run again, and it is trained here") from None
        for name in ("resume.pt", "failed.txt", REFUSED):
            (folder / name).unlink(missing_ok=True)
        _write(folder / FETCHED, {"from": source, "seconds": shared.seconds})
    return source


def _check_run(path: Path, run: str, shared: SharedRun) -> None:
    """Damaged where a run.yaml is of another run, recipe, data set or files than the index says."""
    try:
        verify(path)
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        recipe = identity_digest(identity(completed(told["recipe"], "recipe"), "recipe"), 64)
        found = told["run"], recipe, told["made_of"]["data"]
        same_files = all(shared.files[name]["sha256"] == known for name, known in told["files"].items())
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise Damaged(f"{run}: its run.yaml cannot be used ({str(error).splitlines()[0]})") from None
    if found != (run, shared.recipe, shared.images) or not same_files:
        raise Damaged(f"{run}: its run.yaml is of another run, recipe, data set or files than its index says")


def _write(path: Path, content: dict) -> None:
    with write_atomic(path) as temporary:
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
