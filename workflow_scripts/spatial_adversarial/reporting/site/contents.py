"""What the site shows, collected from a folder of results: nothing is computed, nothing that is missing is made."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from spatial_adversarial.catalog import Catalog, Target, external_models
from spatial_adversarial.records.identity import run_and_weights
from spatial_adversarial.reporting.captions import caption
from spatial_adversarial.results.finished import file_of, is_done, natural, networks, pages, rows_of, verdicts
from spatial_adversarial.runner.paths import Paths

MADE_WITH = ("device", "torch", "numpy", "python", "platform", "commit")


@dataclass(frozen=True)
class Shown:
    """A target as a page shows it. pages: its PNGs; text: a table's Markdown; files: {kind: file} to be linked."""

    target: Target
    name: str
    caption: str
    pages: tuple[Path, ...]
    text: str
    files: dict[str, Path]
    not_learnt: int


@dataclass(frozen=True)
class Paper:
    """A paper's results: what is shown, the names of what is not there, claims by key, and what making it took."""

    key: str
    title: str
    authors: str
    shown: list[Shown]
    missing: list[str]
    claims: dict[str, list[dict]]
    published: dict[str, list[dict]]
    made: dict
    provenance: list[dict]

    @property
    def counted(self) -> dict[str, int]:
        return verdicts(row for rows in self.claims.values() for row in rows)


def title_of(name: str) -> str:
    """ "Figure 12" of fig12, "Table 3" of table3, "Theory" of theory."""
    match = re.fullmatch(r"(fig|table)(\d+)(\w*)", name)
    kind = {"fig": "Figure", "table": "Table"}
    return (
        f"{kind[match[1]]} {match[2]}{match[3].replace('_', ' ')}"
        if match
        else name.replace("_", " ").capitalize()
    )


def paper(catalog: Catalog, key: str, folder: Path) -> Paper:
    """All that a folder of results has of one paper. folder: of the papers' YAML files."""
    paths = Paths.of(catalog.config)
    file = folder / f"{key}.yaml"
    spec = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else external_models.ABOUT
    targets = [target for target in catalog.targets.values() if target.paper == key]
    targets.sort(key=lambda target: (target.is_table, natural(target.name)))
    there = [target for target in targets if is_done(paths, target)]
    side = provenance(catalog, targets)
    return Paper(
        key=key,
        title=spec["title"],
        authors=spec["authors"],
        shown=[shown(catalog, target, paths) for target in there],
        missing=[title_of(target.name) for target in targets if target not in there],
        claims=_by_key(rows_of(paths.claims(key))),
        published=_by_key(rows_of(paths.claims_published(key))),
        made=cost(side),
        provenance=side,
    )


def shown(catalog: Catalog, target: Target, paths: Paths) -> Shown:
    """One target that is done: a figure's pages are <target>.png, <target>_2.png, ..."""
    kinds = ("csv", "md", "tex") if target.is_table else ("csv", "pdf")
    files = {kind: file_of(paths, target, kind) for kind in kinds}
    return Shown(
        target=target,
        name=title_of(target.name),
        caption=caption(catalog, target),
        pages=() if target.is_table else tuple(pages(catalog, target, file_of(paths, target, "png").parent)),
        text=files["md"].read_text(encoding="utf-8") if target.is_table else "",
        files={kind: file for kind, file in files.items() if file.exists()},
        not_learnt=sum(not learnt for learnt in networks(paths, [target]).values()),
    )


def _by_key(rows: list[dict]) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append(row)
    return dict(sorted(found.items(), key=lambda one: natural(one[0])))


def overall(rows: list[dict]) -> str:
    """The word for a claim of several tests: their verdict where all that were run agree, else "mixed"."""
    found = verdicts(rows)
    run = [verdict for verdict in found if verdict != "not run"]
    return run[0] if len(run) == 1 else "mixed" if run else "not run"


def provenance(catalog: Catalog, targets: list[Target]) -> list[dict]:
    """The side files of the runs and evaluations that some targets take, `result` naming what each stands beside.

    Those that are not there are taken from provenance.csv where that has them.
    """
    paths = Paths.of(catalog.config)
    collected = {row["result"]: row for row in rows_of(paths.provenance)}
    found = []
    for result, file in sorted(_side_files(catalog, paths, targets).items()):
        if file.exists():
            found.append({"result": result} | json.loads(file.read_text(encoding="utf-8")))
        elif result in collected:
            found.append(collected[result])
    return found


def _side_files(catalog: Catalog, paths: Paths, targets: list[Target]) -> dict[str, Path]:
    """{a run's folder or an evaluation, below `results`: its side file}."""
    files, below = {}, f"{paths.results}/"
    for target in targets:
        for path in {run for one in target.paths() for run in catalog.needed(one)}:
            for seed in catalog.seeds(path):
                files[paths.run(path, seed).removeprefix(below)] = Path(paths.run_provenance(path, seed))
        for path, profile in target.evaluations():
            for seed in catalog.seeds(run_and_weights(path)[0]):
                file = paths.evaluation(path, profile, seed)
                files[file.removeprefix(below)] = Path(f"{file}.json")
    return files


def _seconds(one: dict) -> float:
    on_cpu = one.get("device") == "cpu" and one.get("cpu_seconds")
    return float(one["cpu_seconds"] if on_cpu else one.get("seconds") or 0)


def cost(side: list[dict]) -> dict:
    """Of side files: how many trainings and evaluations, the seconds of each, when, and with what.

    Seconds are of the CPU; of jobs on a GPU, which several may share, of the clock.
    """
    made: dict = {}
    for kind in ("runs", "evaluations"):
        own = [one for one in side if one["result"].startswith(kind)]
        made |= {kind: len(own), f"{kind}_seconds": sum(map(_seconds, own))}
    times = sorted(str(one[key]) for one in side for key in ("started", "finished") if one.get(key))
    made["when"] = (times[0][:16], times[-1][:16]) if times else None
    made["with"] = {
        key: sorted({str(one[key]) for one in side if one.get(key)}) for key in MADE_WITH
    }  # a result may have been made by more than one version
    return made
