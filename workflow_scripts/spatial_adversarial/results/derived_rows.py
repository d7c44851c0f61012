"""Rows that are computed from a table's other rows: differences, the best of several, dominated areas."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from spatial_adversarial.catalog.budget import worst
from spatial_adversarial.metrics.hypervolume import hypervolume
from spatial_adversarial.statistics.intervals import Sample, difference, interval

Made = tuple[dict, Sample]  # a tidy row, and its replicates and values by seed


def derive(
    spec: dict, made: list[Made], level: float, validation: Mapping[str, float] = MappingProxyType({})
) -> Iterator[Made]:
    """The cells of the derived rows of a table, in the order of its rows.

    spec: the table's resolved spec, whose derived rows say what they are `of`. A `gain` is the first row less the
    second, with the interval of their difference; a `best` is, cell by cell, the row with the largest value
    (`chosen`), with that row's own interval, and the largest published number where all rows have one; one with
    `nearest` is the one row whose accuracy on validation images (`validation`, by row) is nearest to that number.
    "not run" where what it needs was not run.
    """
    cells = {(row["panel"], row["column"]): (row, sample) for row, sample in made}
    for key, told in spec["rows"].items():
        of = _asked(told, validation)
        for column in told.get("columns", []):
            found = [cells[name, column] for name in of if (name, column) in cells]
            if len(found) == len(of) or (found and told["kind"] == "best"):
                row, sample = _gain(found, level) if told["kind"] == "gain" else _best(found)
                row |= {"panel": key, "row": told["label"], "kind": told["kind"]}
                row["published"] = told["published"].get(column, row["published"])
                cells[key, column] = row, sample
                yield row, sample


def _asked(told: dict, validation: Mapping[str, float]) -> list[str]:
    """The rows that a derived row is of: all that it names, or the one of nearest validation accuracy."""
    run = [name for name in told.get("of", []) if name in validation]
    if "nearest" not in told or not run:
        return told.get("of", [])
    return [min(run, key=lambda name: abs(validation[name] - told["nearest"]))]


def _gain(found: list[Made], level: float) -> Made:
    rows, (first, second) = zip(*found, strict=True)
    prints = [row["published"] for row in rows]
    published = None if None in prints else round(prints[0] - prints[1], 10)
    if any(row["status"] == "not run" for row in rows):
        row, sample = _blank(found)
        return row | {"published": published}, sample
    gain = difference(_several(first), _several(second), level)
    shared = {key: rows[0][key] if rows[0][key] == rows[1][key] else "" for key in ("data", "model", "group")}
    frame = rows[0] | shared | {"family": "", "strength": "", "published": published, "clean_accuracy": None}
    frame["status"] = worst(row["status"] for row in rows)
    if "learnt" in rows[0]:
        frame["learnt"] = "yes" if {row["learnt"] for row in rows} == {"yes"} else "no"
    numbers = {name: getattr(gain, name) for name in ("value", "low", "high")}
    seeds = first.seeds - second.seeds if _paired([first, second]) else np.empty(0)
    return frame | numbers, Sample(gain.value, first.drawn - second.drawn, seeds)


def _paired(samples: list[Sample]) -> bool:
    """Whether the samples have as many seeds each."""
    return len({len(sample.seeds) for sample in samples}) == 1


def _several(sample: Sample) -> Sample:
    """A cell's sample as intervals take it: one seed has no values by seed."""
    return sample if len(sample.seeds) > 1 else replace(sample, seeds=np.empty(0))


def _best(found: list[Made]) -> Made:
    prints = [row["published"] for row, _ in found]
    published = None if None in prints else max(prints)
    run = [(row, sample) for row, sample in found if row["status"] != "not run"]
    if not run:
        row, sample = _blank(found)
        return row | {"published": published}, sample
    row, sample = max(run, key=lambda pair: pair[0]["value"])
    return row | {"chosen": row["panel"], "published": published}, sample


def _blank(found: list[Made]) -> Made:
    row, sample = found[0]
    kept = ("paper", "target", "column", "metric", "profile")
    blank = Sample(np.nan, np.full_like(sample.drawn, np.nan), np.full_like(sample.seeds, np.nan))
    return {key: row[key] for key in kept if key in row} | {"status": "not run", "published": None}, blank


def dominated(spec: dict, made: list[Made], level: float) -> Iterator[Made]:
    """The hypervolume of each method of a Pareto figure, with its interval.

    spec: the figure's columns `x` and `y`, and the rows of its `methods`; those not run are left out.
    """
    cells = {(row["panel"], row["column"]): (row, one) for row, one in made if row["status"] != "not run"}
    for method, rows in spec["methods"].items():
        kept = ("paper", "target", "data", "model", "interval", "n", "seed", "status")
        blank = {key: made[0][0].get(key, "") for key in ("paper", "target", "data", "model")}
        run = [row for row in rows if (row, spec["x"]) in cells and (row, spec["y"]) in cells]
        frame = {"panel": method, "row": method, "kind": "method", "metric": "hypervolume"}
        if not run:
            yield blank | frame | {"status": "not run"}, _blank(made[:1])[1]
            continue
        points = [[cells[row, spec[axis]][1] for row in run] for axis in ("x", "y")]
        names = ["value", "drawn", *(["seeds"] if _paired([*points[0], *points[1]]) else [])]
        area = Sample(
            *(
                hypervolume(*(np.stack([getattr(one, name) for one in axis]) for axis in points))
                for name in names
            )
        )
        found = interval(_several(area), level)
        used = [cells[row, spec[axis]][0] for row in run for axis in ("x", "y")]
        told = used[0] | {"status": worst(row["status"] for row in used)}
        numbers = {name: float(getattr(found, name)) for name in ("value", "low", "high")}
        yield {key: told[key] for key in kept} | frame | numbers, area
