"""Rows that are computed from a table's other rows: differences, the best of several, dominated areas."""

from collections.abc import Iterator

import numpy as np

from spatial_adversarial.pareto import hypervolume

Made = tuple[dict, np.ndarray]  # a tidy row, and its replicates float32 [B]


def derive(spec: dict, made: list[Made], level: float) -> Iterator[Made]:
    """The cells of the derived rows of a table, in the order of its rows.

    spec: the table's resolved spec, whose derived rows say what they are `of`. A `gain` is the first row less the
    second, with the percentile interval of their paired replicates; a `best` is, cell by cell, the row with the
    largest value (`chosen`), with that row's own interval. "not run" where what it needs was not run.
    """
    cells = {(row["panel"], row["column"]): (row, drawn) for row, drawn in made}
    for key, told in spec["rows"].items():
        for column in told.get("columns", []):
            found = [cells[name, column] for name in told["of"] if (name, column) in cells]
            if len(found) == len(told["of"]) or (found and told["kind"] == "best"):
                row, drawn = _gain(found, level) if told["kind"] == "gain" else _best(found)
                row |= {"panel": key, "row": told["label"], "kind": told["kind"]}
                row["published"] = told["published"].get(column, row["published"])
                cells[key, column] = row, drawn
                yield row, drawn


def _gain(found: list[Made], level: float) -> Made:
    rows = [row for row, _ in found]
    prints = [row["published"] for row in rows]
    published = None if None in prints else round(prints[0] - prints[1], 10)
    if any(row["status"] == "not run" for row in rows):
        row, drawn = _blank(found)
        return row | {"published": published}, drawn
    drawn = found[0][1] - found[1][1]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]).tolist()
    value = rows[0]["value"] - rows[1]["value"]
    shared = {key: rows[0][key] if rows[0][key] == rows[1][key] else "" for key in ("data", "model", "group")}
    frame = rows[0] | shared | {"family": "", "strength": "", "published": published}
    return frame | {"value": value, "low": low, "high": high}, drawn


def _best(found: list[Made]) -> Made:
    run = [(row, drawn) for row, drawn in found if row["status"] != "not run"]
    if not run:
        return _blank(found)
    row, drawn = max(run, key=lambda pair: pair[0]["value"])
    return row | {"chosen": row["panel"], "published": None}, drawn


def _blank(found: list[Made]) -> Made:
    row, drawn = found[0]
    kept = ("paper", "target", "column", "metric", "profile")
    return {key: row[key] for key in kept if key in row} | {
        "status": "not run",
        "published": None,
    }, np.full_like(drawn, np.nan)


def dominated(spec: dict, made: list[Made], level: float) -> Iterator[Made]:
    """The hypervolume of each method of a Pareto figure, with the percentile interval of its replicates.

    spec: the figure's columns `x` and `y`, and the rows of its `methods`; those not run are left out.
    """
    cells = {(row["panel"], row["column"]): (row, drawn) for row, drawn in made if row["status"] != "not run"}
    for method, rows in spec["methods"].items():
        kept = ("paper", "target", "data", "model", "interval", "n", "seed", "status")
        blank = {key: made[0][0].get(key, "") for key in ("paper", "target", "data", "model")}
        run = [row for row in rows if (row, spec["x"]) in cells and (row, spec["y"]) in cells]
        frame = {"panel": method, "row": method, "kind": "method", "metric": "hypervolume"}
        if not run:
            yield blank | frame | {"status": "not run"}, np.full_like(made[0][1], np.nan)
            continue
        x, y = (np.stack([_stacked(cells[row, spec[axis]]) for row in run]) for axis in ("x", "y"))
        area = hypervolume(x, y)
        low, high = np.quantile(area[1:], [(1 - level) / 2, (1 + level) / 2]).tolist()
        first = cells[run[0], spec["x"]][0]
        yield (
            {key: first[key] for key in kept} | frame | {"value": float(area[0]), "low": low, "high": high},
            area[1:].astype(np.float32),
        )


def _stacked(cell: Made) -> np.ndarray:
    """A cell's value and then its replicates, [1 + B]."""
    return np.concatenate([[cell[0]["value"]], cell[1]])
