"""Tables of results, and the rows that are computed from others: differences, and the best of several."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from types import MappingProxyType

import numpy as np

from spatial_adversarial.panels.base import Made, TargetKind
from spatial_adversarial.records.tidy import BestRow, CellRow, least_status
from spatial_adversarial.statistics.sample import Sample


class ResultsTable(TargetKind):
    name = "results"
    label = "table"
    is_table = True
    made_of = "rows"

    def chosen_by_validation(self, spec):
        return {one for row in spec["rows"].values() if "nearest" in row for one in row["of"]}

    def computed(self, spec, made, level, validation):
        return derive(spec, made, level, validation)

    def caption(self, spec, panels, about):
        rows = spec["rows"].values()
        kinds = {row["kind"] for row in rows if "nearest" not in row}
        parts = [f"Brackets: {about.intervals}."]
        seeds = "; over seeds paired where one run continues the other, else Welch's interval"
        parts += [f"Differences of rows: paired bootstrap{seeds if about.several_seeds else ''}."] * (
            "gain" in kinds
        )
        parts += ["Best of several: chosen cell by cell, with the chosen one's interval."] * ("best" in kinds)
        parts += [
            f"Nearest to {100 * one:g}%: by accuracy on the validation images, of several settings."
            for one in sorted({row["nearest"] for row in rows if "nearest" in row})
        ]
        if spec["bold"] > 1:
            parts.append(
                f"Bold: among the best {spec['bold']} of each column on a data set, where intervals show it."
            )
        elif spec["bold"]:
            parts.append(
                "Bold: the best of each column on a data set, where its interval lies above all others."
            )
        return parts


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
    cells = {(row.panel, row.column): (row, sample) for row, sample in made}
    for key, shown in spec["rows"].items():
        of = _of(shown, validation)
        for column in shown.get("columns", []):
            found = [cells[name, column] for name in of if (name, column) in cells]
            if len(found) == len(of) or (found and shown["kind"] == "best"):
                row, sample = _gain(found, level) if shown["kind"] == "gain" else _best(found)
                published = shown["published"].get(column, row.published)
                row = replace(row, panel=key, row=shown["label"], kind=shown["kind"], published=published)
                if row.status == "run" and not all(
                    is_of_paper(cells, name, column) for name in shown.get("of", [])
                ):
                    row = replace(row, status="reduced")  # the best of fewer or lesser rows is another number
                cells[key, column] = row, sample
                yield row, sample


def _of(shown: dict, validation: Mapping[str, float]) -> list[str]:
    """The rows that a derived row is of: all that it names, or the one of nearest validation accuracy."""
    run = [name for name in shown.get("of", []) if name in validation]
    if "nearest" not in shown or not run:
        return shown.get("of", [])
    return [min(run, key=lambda name: abs(validation[name] - shown["nearest"]))]


def _gain(found: list[Made], level: float) -> Made:
    from spatial_adversarial.statistics.intervals import difference

    rows, (first, second) = zip(*found, strict=True)
    numbers = [row.published for row in rows]
    published = None if None in numbers else round(numbers[0] - numbers[1], 10)
    if any(row.status == "not run" for row in rows):
        row, sample = blank(found)
        return replace(row, published=published), sample
    gain = difference(with_several_seeds(first), with_several_seeds(second), level)
    one, other = rows
    same = {
        key: getattr(one, key)
        for key in ("data", "model", "group")
        if getattr(one, key) == getattr(other, key)
    }
    changed = {
        "data": None,
        "model": None,
        "group": None,
        "family": None,
        "strength": None,
        "clean_accuracy": None,
    }
    changed |= same | {"published": published, "status": least_status(row.status for row in rows)}
    if one.learnt is not None:
        changed["learnt"] = "yes" if {row.learnt for row in rows} == {"yes"} else "no"
    changed |= {name: getattr(gain, name) for name in ("value", "low", "high")}
    seeds = first.seeds - second.seeds if paired([first, second]) else np.empty(0)
    return replace(one, **changed), Sample(gain.value, first.drawn - second.drawn, seeds)


def paired(samples: list[Sample]) -> bool:
    """Whether the samples have as many seeds each."""
    return len({len(sample.seeds) for sample in samples}) == 1


def with_several_seeds(sample: Sample) -> Sample:
    """A cell's sample as intervals take it: one seed has no values by seed."""
    return sample if len(sample.seeds) > 1 else replace(sample, seeds=np.empty(0))


def is_of_paper(cells: Mapping[tuple[str, str], Made], name: str, column: str) -> bool:
    """Whether a row's cell has a number made as in the paper."""
    return (name, column) in cells and cells[name, column][0].status == "run"


def _best(found: list[Made]) -> Made:
    numbers = [row.published for row, _ in found]
    published = None if None in numbers else max(numbers)
    run = [(row, sample) for row, sample in found if row.status != "not run"]
    if not run:
        row, sample = blank(found)
        return replace(row, published=published), sample
    learnt = [(row, sample) for row, sample in run if row.learnt != "no"]  # others are best by chance
    row, sample = max(learnt or run, key=lambda pair: pair[0].value)
    cells = {one.name: getattr(row, one.name) for one in fields(CellRow)}
    return BestRow(**cells | {"chosen": row.panel, "published": published}), sample


def blank(found: list[Made]) -> Made:
    """A derived row whose rows were not run."""
    row, sample = found[0]
    kept = {key: getattr(row, key) for key in KEPT}
    return CellRow(**kept, status="not run"), Sample(np.nan, np.full_like(sample.drawn, np.nan))


KEPT = ("paper", "target", "panel", "row", "kind", "column", "metric", "profile")  # by a derived row not run
TARGET = ResultsTable()
