"""The papers' published numbers, found by filters on the columns of figures/published/published.csv."""

import csv
import functools
import io
import math
from pathlib import Path

from spatial_adversarial.methods import METHODS
from spatial_adversarial.records.reading import CatalogError, nearest, text

VALUE = "percent"
NUMBERS = (VALUE, "lr", "eps_255", "alpha", "step")  # the others may be empty


@functools.cache
def _read(path: Path) -> tuple[dict[str, str], ...]:
    rows, done, reader = [], 1, csv.DictReader(io.StringIO(text(path), newline=""), strict=True)
    try:
        for row in reader:
            _check_row(row, f"{path}: line {reader.line_num}")
            rows.append(row)
            done = reader.line_num
    except csv.Error as error:
        raise CatalogError(f"{path}: line {done + 1}: {error}") from None
    return tuple(rows)


def _check_row(row: dict, where: str) -> None:
    fields = [key for key, value in row.items() if key is not None and value is not None]
    if None in row or len(fields) < len(row):
        count = len(fields) + len(row.get(None, ()))
        raise CatalogError(f"{where}: {count} fields, but the heading has {len(row) - (None in row)}")
    for key in NUMBERS:
        if row.get(key) or key == VALUE:
            try:
                sound = math.isfinite(float(row[key]))
            except (KeyError, ValueError):
                sound = False
            if not sound:
                raise CatalogError(f"{where}: {key}: {row.get(key)!r} is no number")


def named(
    registry: dict, file: str, *, data: str | None, model: str | None = None, method: str | None = None
) -> dict:
    """The filters that a paper's file and the published names give; None where a thing has no such name.

    A key that is None itself gives no filter.
    """
    asked = {"data": ("dataset", data), "models": ("model", model)}
    filters = {
        column: registry[kind].get(key, {}).get("published") for kind, (column, key) in asked.items() if key
    }
    filters |= {"method": METHODS[method].published} if method else {}
    return {"paper": Path(file).stem} | filters


def number(file: str, filters: dict, changes: dict, where: str) -> float | None:
    """The one published number, a share in [0, 1], of a cell; None where there is none.

    file: a paper's; beside it lies published/published.csv. changes: {column: value} that are laid over `filters`, None
    for empty fields, each of which must occur. CatalogError for two numbers or more.
    """
    found = _select(file, filters, changes, where)
    if len(found) > 1:
        asked = ", ".join(f"{column} {value}" for column, value in (filters | changes).items())
        raise CatalogError(f"{where}: {len(found)} published numbers, not one, with {asked}")
    return _share(found[0]) if found else None


def curve(
    file: str, filters: dict, metric: str, panel: dict, line: dict, where: str
) -> tuple[tuple[float, float], ...]:
    """The published (x, share in [0, 1]) of a figure's line, x rising; the panel's filters name the column of x."""
    changes = panel["published"] | line.get("published", {})
    x = changes.pop("x")
    found = _select(file, filters | {"metric": metric}, changes, where)
    return tuple(sorted((float(row[x]), _share(row)) for row in found if row[x]))


def _select(file: str, filters: dict, changes: dict, where: str) -> list[dict[str, str]]:
    path = Path(file).parent / "published" / "published.csv"
    for column, wanted in changes.items():
        known = _known(path, column)
        if not any(_same(field, wanted) for field in known):
            raise CatalogError(
                f"{where}.{column}: no published number has {wanted!r}{nearest(wanted, known)}"
            )
    if any(filters[key] is None for key in filters.keys() - changes.keys()):
        return []  # of a model, say, that has no published name
    rows = list(_read(path))
    for column, wanted in (filters | changes).items():
        rows = [row for row in rows if _same(row[column], wanted)]
    return rows


@functools.cache
def _known(path: Path, column: str) -> set[str]:
    return {row[column] for row in _read(path)}


def _same(field: str, wanted: str | float | None) -> bool:
    if wanted is None or isinstance(wanted, str):
        return field == (wanted or "")
    return field != "" and math.isclose(float(field), wanted, abs_tol=1e-9)


def _share(row: dict[str, str]) -> float:
    return round(float(row[VALUE]) / 100, 10)
