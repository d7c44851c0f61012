"""Claims on a table of results: cells, differences of rows, and the best of a column, on ours and as published."""

from collections.abc import Callable, Iterator

import numpy as np

from spatial_adversarial.catalog.budget import worst
from spatial_adversarial.intervals import Sample, difference, interval
from spatial_adversarial.judging.numbers import Numbers, not_learnt
from spatial_adversarial.judging.verdicts import NotInformative, NotRun, judge_interval
from spatial_adversarial.pareto import hypervolume

Column = dict[
    str, np.ndarray
]  # {row: its value [1 + B + S]: the estimate, its replicates, its value by seed}


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


# name in a paper's file: (what it is, statistic [1 + B + S] of one column)
CELL_STATISTICS: dict[str, tuple[str, Callable[..., np.ndarray]]] = {
    "cell": ("value of a cell", _of),
    "gain": ("first row less second", lambda column, rows: _of(column, rows[0]) - _of(column, rows[1])),
    "best": ("row less the best of the other rows", _best),
    "area": ("area dominated with another column, less that of other rows", _area),
    "ahead": ("least lead over other rows in the better of this column and another", _ahead),
    "gap": ("least over the rows of this column less another", _gap),
}


def judge_cells(test: dict, numbers: Numbers, level: float) -> Iterator[dict]:
    """The rows of the claims table for a test on a table of results: each column on ours, then as published.

    Published numbers have no interval: they are judged as they are printed, where all that the test needs is.
    """
    for name in test["columns"]:
        yield {"panel": name, "source": "ours"} | _judge(test, name, numbers, "value", level)
        row = _judge(test, name, numbers, "published", level)
        if row["verdict"] != "not run":
            yield {"panel": name, "source": "published"} | row


def _judge(test: dict, name: str, numbers: Numbers, source: str, level: float) -> dict:
    key = next(key for key in test if key in CELL_STATISTICS)
    what, statistic = CELL_STATISTICS[key]
    parameters, asked = dict(test[key]), _asked(test[key])
    try:
        samples = _column(numbers, name, source, asked)
        compared: list[Sample] = [samples[row] for row in asked if row in samples]
        column = {row: _array(sample) for row, sample in samples.items()}
        if "to" in parameters:
            beside = _column(numbers, parameters["to"], source, asked)
            parameters["to"] = {row: _array(sample) for row, sample in beside.items()}
        drawn = statistic(column, **parameters)
        if key == "cell":
            found, compared = interval(samples[str(parameters["row"])], level), []
        elif key == "gain":
            found = difference(*compared, level)
        else:
            found = interval(_sample(drawn, next(iter(samples.values()))), level)
        if "over" in parameters:
            what += (
                f" ({len(set(asked) & samples.keys())} of {len(asked)} rows)"
                if set(asked) - samples.keys()
                else ""
            )
        rows = numbers.rows
        status = rows.status[(rows.column == name) & (rows.panel.isin(asked) if asked else True)]
        status = "run" if source == "published" else worst(status)
        return {"status": status} | judge_interval(found, what, test, compared)
    except NotRun as missing:
        return {"verdict": "not run", "status": "not run", "statistic": f"{what}: {missing}"}
    except NotInformative as reason:
        return {"verdict": "not informative", "status": "run", "statistic": f"{what}: {reason}"}


def _asked(parameters: dict) -> list[str]:
    """The rows that a test names."""
    named = [*parameters.get("rows", []), *parameters.get("over", [])]
    named += [parameters["row"]] if "row" in parameters else []
    return list(dict.fromkeys(map(str, named)))


def _column(numbers: Numbers, name: str, source: str, asked: list[str]) -> dict[str, Sample]:
    """The rows with a number in a column; candidates and differences are none of them.

    Networks that have not learnt leave; NotInformative where the test names one.
    """
    rows = numbers.rows
    chosen = rows[(rows.column == name) & rows[source].notna() & rows.kind.isin(["row", "best"])]
    lost = not_learnt(chosen) & (source == "value")
    named = [row for row in chosen.panel[lost] if row in asked]
    if named:
        raise NotInformative(f"row {', '.join(named)} is not shown to have learnt")
    return {row.panel: numbers.sample(row.Index, column=source) for row in chosen[~lost].itertuples()}


def _array(sample: Sample) -> np.ndarray:
    return np.concatenate([[sample.value], sample.drawn, sample.seeds])


def _sample(drawn: np.ndarray, like: Sample) -> Sample:
    """A statistic [1 + B + S] as a sample, its seeds in pairs."""
    replicates = len(like.drawn)
    return Sample(float(drawn[0]), drawn[1 : 1 + replicates], drawn[1 + replicates :])
