"""Pareto figures: the rows of a table of results as points of two columns, and the area that each method dominates."""

from collections.abc import Iterator

import numpy as np

from spatial_adversarial.metrics.hypervolume import hypervolume
from spatial_adversarial.panels.base import Made, TargetKind
from spatial_adversarial.panels.table import blank, paired, with_several_seeds
from spatial_adversarial.records.drawing import ParetoPanel
from spatial_adversarial.records.tidy import CellRow, least_status
from spatial_adversarial.statistics.sample import Sample


class ParetoFigure(TargetKind):
    name = "pareto"

    def computed(self, spec, made, level, validation):
        return dominated(spec, made, level)

    def description(self, spec, panels, words):
        lines = {line.name: line for panel in panels for line in panel.lines}
        axes = {key: lines[spec[key]] for key in ("x", "y")}
        about = ParetoPanel(
            methods=spec["methods"],
            zoom=spec["zoom"],
            columns={key: line.name for key, line in axes.items()},
            labels={key: f"{line.label} accuracy (%)\n{words(line)}" for key, line in axes.items()},
            rows={panel.letter: panel.title for panel in panels},
        )
        return (about,)

    def caption(self, spec, panels, about):
        return [
            "Numbers: rows of the table. Step line: the front; shaded: what some model dominates. Right: each list "
            "against the one other model that dominates most. Legend: hypervolume, the area that a "
            f"method's models dominate, with its {about.intervals}. Models not shown to have learnt count for no front "
            "and no area."
        ]

    def draw(self, rows, figure):
        from spatial_adversarial.plots import pareto_front

        return pareto_front.draw(rows, figure)


def dominated(spec: dict, made: list[Made], level: float) -> Iterator[Made]:
    """The hypervolume of each method of a Pareto figure, with its interval.

    spec: the figure's columns `x` and `y`, and the rows of its `methods`. Those not run are left out, and those not
    shown to have learnt, which dominate by chance; a method with no others has `learnt` "no" and no area.
    """
    from spatial_adversarial.statistics.intervals import interval

    cells = {(row.panel, row.column): (row, one) for row, one in made if row.status != "not run"}
    for method, rows in spec["methods"].items():
        about = {"panel": method, "row": method, "kind": "method", "metric": "hypervolume"}
        run = [row for row in rows if (row, spec["x"]) in cells and (row, spec["y"]) in cells]
        if not run:
            first = made[0][0]
            where = {key: getattr(first, key) for key in ("paper", "target", "data", "model")}
            yield CellRow(**where, **about, status="not run"), blank(made[:1])[1]
            continue
        whole = len(run) == len(rows)  # the area of fewer rows is another number
        found = [cells[row, spec["x"]][0] for row in run]
        run = [row for row, cell in zip(run, found, strict=True) if cell.learnt != "no"]
        if not run:
            first = {key: getattr(found[0], key) for key in KEPT}
            status = least_status(row.status for row in found)
            yield CellRow(**first, **about, learnt="no", status=status), blank(made[:1])[1]
            continue
        points = [[cells[row, spec[axis]][1] for row in run] for axis in ("x", "y")]
        names = ["value", "drawn", *(["seeds"] if paired([*points[0], *points[1]]) else [])]
        stacked = [[np.stack([getattr(one, name) for one in axis]) for axis in points] for name in names]
        area = Sample(*(hypervolume(*axes) for axes in stacked))
        found = interval(with_several_seeds(area), level)
        used = [cells[row, spec[axis]][0] for row in run for axis in ("x", "y")]
        first = {key: getattr(used[0], key) for key in KEPT}
        numbers = {name: float(getattr(found, name)) for name in ("value", "low", "high")}
        status = least_status(row.status for row in used) if whole else "reduced"
        yield CellRow(**first, **about, **numbers, status=status), area


KEPT = ("paper", "target", "data", "model", "interval", "n", "seed")
TARGET = ParetoFigure()
