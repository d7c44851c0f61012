"""The papers' published numbers, found by filters on the columns of figures/published/published.csv."""

import csv
import functools
import math
from pathlib import Path

from .reading import CatalogError, nearest

VALUE = "percent"


@functools.cache
def _read(path: Path) -> tuple[dict[str, str], ...]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except OSError as error:
        raise CatalogError(f"{path}: {error.strerror}") from None


def named(
    registry: dict, file: str, *, data: str | None, model: str | None = None, method: str | None = None
) -> dict:
    """The filters that a paper's file and the registry's published names give; None where a thing has no such name.

    A key that is None itself gives no filter.
    """
    asked = {"data": ("dataset", data), "models": ("model", model), "methods": ("method", method)}
    given = {
        column: registry[kind].get(key, {}).get("published") for kind, (column, key) in asked.items() if key
    }
    return {"paper": Path(file).stem} | given


def number(file: str, filters: dict, own: dict, where: str) -> float | None:
    """The one published number, a share in [0, 1], of a cell; None where there is none.

    file: a paper's; beside it lies published/published.csv. own: {column: value} that are laid over `filters`, None
    for empty fields, each of which must occur. CatalogError for two numbers or more.
    """
    found = _select(file, filters, own, where)
    if len(found) > 1:
        given = ", ".join(f"{column} {value}" for column, value in (filters | own).items())
        raise CatalogError(f"{where}: {len(found)} published numbers, not one, with {given}")
    return _share(found[0]) if found else None


def curve(
    file: str, filters: dict, metric: str, panel: dict, line: dict, where: str
) -> tuple[tuple[float, float], ...]:
    """The published (x, share in [0, 1]) of a figure's line, x rising; the panel's filters name the column of x."""
    own = panel["published"] | line.get("published", {})
    x = own.pop("x")
    found = _select(file, filters | {"metric": metric}, own, where)
    return tuple(sorted((float(row[x]), _share(row)) for row in found if row[x]))


def _select(file: str, filters: dict, own: dict, where: str) -> list[dict[str, str]]:
    rows = _read(Path(file).parent / "published" / "published.csv")
    for column, wanted in own.items():
        known = {row[column] for row in rows}
        if not any(_same(field, wanted) for field in known):
            raise CatalogError(
                f"{where}.{column}: no published number has {wanted!r}{nearest(wanted, known)}"
            )
    if any(filters[key] is None for key in filters.keys() - own.keys()):
        return []  # of a model, say, that has no published name
    return [row for row in rows if all(_same(row[key], value) for key, value in (filters | own).items())]


def _same(field: str, wanted: str | float | None) -> bool:
    if wanted is None or isinstance(wanted, str):
        return field == (wanted or "")
    return field != "" and math.isclose(float(field), wanted, abs_tol=1e-9)


def _share(row: dict[str, str]) -> float:
    return round(float(row[VALUE]) / 100, 10)
