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


def number(path: Path, filters: dict, where: str) -> float | None:
    """The one published number, a share in [0, 1], that the filters select; None where there is none.

    filters: {column: value}; None selects empty fields. CatalogError for two numbers or more.
    """
    found = _rows(path, filters)
    if len(found) > 1:
        given = ", ".join(f"{column} {value}" for column, value in filters.items())
        raise CatalogError(f"{where}: {len(found)} published numbers, not one, with {given}")
    return _share(found[0]) if found else None


def points(path: Path, filters: dict, x: str) -> list[tuple[float, float]]:
    """The (x, share in [0, 1]) that the filters select, x rising: the points of a published curve."""
    return sorted((float(row[x]), _share(row)) for row in _rows(path, filters) if row[x])


def check_filters(path: Path, filters: dict, where: str) -> None:
    """Each value that a paper's file filters by occurs among the published ones; raises CatalogError."""
    for column, wanted in filters.items():
        known = {row[column] for row in _read(path)}
        if not any(_same(value, wanted) for value in known):
            raise CatalogError(
                f"{where}.{column}: no published number has {wanted!r}{nearest(wanted, known)}"
            )


def _rows(path: Path, filters: dict) -> list[dict[str, str]]:
    return [row for row in _read(path) if all(_same(row[key], value) for key, value in filters.items())]


def _same(field: str, wanted: str | float | None) -> bool:
    if wanted is None or isinstance(wanted, str):
        return field == (wanted or "")
    return field != "" and math.isclose(float(field), wanted, abs_tol=1e-9)


def _share(row: dict[str, str]) -> float:
    return round(float(row[VALUE]) / 100, 10)
