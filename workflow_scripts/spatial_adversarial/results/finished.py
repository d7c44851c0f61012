"""What of the results is there: files of targets, verdicts, networks not shown to have learnt. No pandas, no torch."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from spatial_adversarial.catalog import Target

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


def folder_of(results: str | Path, target: Target) -> Path:
    """The folder that holds a target's files, <target>.csv among them."""
    return Path(results, "tables" if target.is_table else "figures", target.paper)


def is_done(results: str | Path, target: Target) -> bool:
    """Whether a figure is drawn, or a table written."""
    shown = f"{target.name}.{'md' if target.is_table else 'png'}"
    return all((folder_of(results, target) / name).exists() for name in (f"{target.name}.csv", shown))


def verdicts(claims: Iterable[dict]) -> dict[str, int]:
    """{verdict: tests with it} of rows of a table of claims, in the order of VERDICTS; those with none left out."""
    found = Counter(claim["verdict"] for claim in claims)
    return {name: found[name] for name in (*VERDICTS, *sorted(found.keys() - set(VERDICTS))) if found[name]}


def networks(results: str | Path, targets: Iterable[Target]) -> dict[tuple[str, ...], bool]:
    """{(data, model, family, strength): whether it is shown to have learnt} of the networks in the CSVs that say so."""
    found: dict[tuple[str, ...], bool] = {}
    for target in targets:
        for row in rows_of(folder_of(results, target) / f"{target.name}.csv"):
            if row.get("learnt") in ("yes", "no") and row["model"] and row["family"]:
                key = (row["data"], row["model"], row["family"], row["strength"])
                found[key] = found.get(key, True) and row["learnt"] == "yes"
    return found
