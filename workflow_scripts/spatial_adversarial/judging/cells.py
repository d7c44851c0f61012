"""Claims on a table of results: cells, differences of rows, and the best of a column, on ours and as published."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from spatial_adversarial.judging.verdicts import NotRun, judge_drawn
from spatial_adversarial.pareto import hypervolume

Column = dict[str, np.ndarray]  # {row: its value [1 + B], the estimate first and then its replicates}


def _of(column: Column, row: str | int) -> np.ndarray:
    if str(row) not in column:
        raise NotRun(f"row {row} has no number")
    return column[str(row)]


def _best(column: Column, row: str | int, rows: list | None = None) -> np.ndarray:
    others = [str(name) for name in rows or column if str(name) != str(row)]
    found = [_of(column, name) for name in others]
    if not found:
        raise NotRun("no other row has a number")
    return _of(column, row) - np.max(found, axis=0)


def _gap(column: Column, to: Column, rows: list | None = None) -> np.ndarray:
    found = [_of(column, row) - _of(to, row) for row in rows or column.keys() & to.keys()]
    if not found:
        raise NotRun("no row has a number in both columns")
    return np.min(found, axis=0)


def _points(column: Column, to: Column, rows: list) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) [rows, 1 + B] of those of some rows that have numbers, as points of two columns; NotRun for none."""
    found = [(_of(column, row), _of(to, row)) for row in rows if str(row) in column.keys() & to.keys()]
    if not found:
        raise NotRun(f"none of the rows {', '.join(map(str, rows))} has a number")
    return np.stack([x for x, _ in found]), np.stack([y for _, y in found])


def _area(column: Column, to: Column, rows: list, over: list, each: bool = False) -> np.ndarray:
    x, y = _points(column, to, over)
    others = (x * y).max(axis=0) if each else hypervolume(x, y)
    return hypervolume(*_points(column, to, rows)) - others


def _ahead(column: Column, to: Column, rows: list, over: list) -> np.ndarray:
    (x, y), (others_x, others_y) = _points(column, to, rows), _points(column, to, over)
    return np.maximum(x[:, None] - others_x, y[:, None] - others_y).min(axis=(0, 1))


# name in a paper's file: (what it is, statistic [1 + B] of one column)
CELL_STATISTICS: dict[str, tuple[str, Callable[..., np.ndarray]]] = {
    "cell": ("value of a cell", _of),
    "gain": ("first row less second", lambda column, rows: _of(column, rows[0]) - _of(column, rows[1])),
    "best": ("row less the best of the other rows", _best),
    "area": ("area dominated with another column, less that of other rows", _area),
    "ahead": ("least lead over other rows in the better of this column and another", _ahead),
    "gap": ("least over the rows of this column less another", _gap),
}


def judge_cells(test: dict, rows: pd.DataFrame, replicates: np.ndarray, level: float) -> Iterator[dict]:
    """The rows of the claims table for a test on a table of results: each column on ours, then as published.

    rows: tidy rows of the table, replicates float32 [rows, B]. Ours: the interval of paired replicates. Published
    numbers have no interval: they are judged as they are printed, where all that the test needs is printed.
    """
    for name in test["columns"]:
        yield {"panel": name, "source": "ours"} | _judge(test, name, rows, replicates, level)
        published = rows.assign(value=rows.published, status="run")
        row = _judge(test, name, published, np.empty((len(rows), 0)), level)
        if row["verdict"] != "not run":
            yield {"panel": name, "source": "published"} | row


def _judge(test: dict, name: str, rows: pd.DataFrame, replicates: np.ndarray, level: float) -> dict:
    key = next(key for key in test if key in CELL_STATISTICS)
    what, statistic = CELL_STATISTICS[key]
    parameters = dict(test[key])
    try:
        if "to" in parameters:
            parameters["to"] = _column(rows, replicates, parameters["to"])
        column = _column(rows, replicates, name)
        drawn = statistic(column, **parameters)
    except NotRun as missing:
        return {"verdict": "not run", "status": "not run", "statistic": f"{what}: {missing}"}
    if "over" in parameters:
        asked = {str(row) for row in (*parameters["rows"], *parameters["over"])}
        what += f" ({len(asked & column.keys())} of {len(asked)} rows)" if asked - column.keys() else ""
    status = rows.status[(rows.column == name) & (rows.status != "not run")].iloc[0]
    return {"statistic": what, "status": status} | judge_drawn(drawn, what, test, level)


def _column(rows: pd.DataFrame, replicates: np.ndarray, name: str) -> Column:
    """The rows with a number in a column; candidates and differences are none of them."""
    chosen = rows[(rows.column == name) & rows.value.notna() & rows.kind.isin(["row", "best"])]
    return {row.panel: np.concatenate([[row.value], replicates[row.Index]]) for row in chosen.itertuples()}
