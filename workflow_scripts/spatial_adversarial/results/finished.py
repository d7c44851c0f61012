"""What of the results is there: files of targets, verdicts, networks not shown to have learnt. No pandas, no torch."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from spatial_adversarial.catalog import Catalog, Target
from spatial_adversarial.records.tidy import number
from spatial_adversarial.runner.paths import Paths

VERDICTS = ("holds", "fails", "undecided", "not informative", "not run")


def rows_of(path: str | Path) -> list[dict[str, str]]:
    """The rows of a CSV, all cells as text; none where there is no file."""
    if not Path(path).exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def natural(text: str) -> list:
    """The key that sorts fig2 before fig10."""
    return [(not part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", text)]


def file_of(paths: Paths, target: Target, kind: str) -> Path:
    """A file of a figure or table, by the ending of its name."""
    return Path((paths.table if target.is_table else paths.figure)(target.paper, target.name, kind))


def is_done(paths: Paths, target: Target) -> bool:
    """Whether a figure is drawn, or a table written."""
    kinds = "csv", "md" if target.is_table else "png"
    return all(file_of(paths, target, kind).exists() for kind in kinds)


def pages(catalog: Catalog, target: Target, folder: Path) -> list[Path]:
    """A figure's PNGs in a folder: <target>.png, <target>_2.png, ..., but for what another target is called."""
    more = re.compile(re.escape(target.name) + r"(_\d+)?")
    names = {one.name for one in catalog.targets.values() if one.paper == target.paper} - {target.name}
    found = [file for file in folder.glob(f"{target.name}*.png") if more.fullmatch(file.stem)]
    return sorted((file for file in found if file.stem not in names), key=lambda file: natural(file.stem))


def verdicts(claims: Iterable[dict]) -> dict[str, int]:
    """{verdict: tests with it} of rows of a table of claims, in the order of VERDICTS; those with none left out."""
    found = Counter(claim["verdict"] for claim in claims)
    return {name: found[name] for name in (*VERDICTS, *sorted(found.keys() - set(VERDICTS))) if found[name]}


def networks(paths: Paths, targets: Iterable[Target]) -> dict[str, bool]:
    """{run: whether it is shown to have learnt} of the networks in the CSVs that say so.

    A network may be in several figures, and in one several times: strength 0 of rotations is that of translations.
    """
    found: dict[str, bool] = {}
    for target in targets:
        members = {
            (panel.letter, _number(member.strength)): member.path
            for panel in target.panels
            for member in panel.members
        }
        for row in rows_of(file_of(paths, target, "csv")):
            path = members.get((row.get("panel"), _number(row.get("strength"))))
            if path and row.get("learnt") in ("yes", "no"):
                found[path] = found.get(path, True) and row["learnt"] == "yes"
    return found


def _number(strength: str | float | None) -> float | str:
    """A strength in one form, "30" and "30.0" alike; none is 0, a word stays."""
    try:
        return round(number(strength or 0), 6)
    except ValueError:
        return str(strength)
