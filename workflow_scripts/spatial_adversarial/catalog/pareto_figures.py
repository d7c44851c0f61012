"""Pareto figures: the rows of a table of results as points of two of its columns."""

from dataclasses import replace

from spatial_adversarial.catalog import table_rows
from spatial_adversarial.catalog.specs import Scope
from spatial_adversarial.panels import PANELS, TARGETS
from spatial_adversarial.records.panel import Panel
from spatial_adversarial.records.reading import CatalogError, lookup


def resolve(
    paper: str, spec: dict, known: table_rows.Tables, scope: Scope, where: str
) -> tuple[dict, tuple[Panel, ...]]:
    """(what is drawn, the rows as panels with two cells each) of a Pareto figure; raises CatalogError."""
    for key in ("table", "x", "y", "methods"):
        if key not in spec:
            raise CatalogError(f"{where}: a Pareto figure needs {key!r}")
    table = lookup("table", spec["table"], known, f"{where}.table")
    if TARGETS[table["kind"]].made_of != "rows":
        raise CatalogError(f"{where}.table: {spec['table']} is no table of results")
    _, panels = table_rows.resolve(paper, spec["table"], known, scope)
    rows = {panel.letter: panel for panel in panels if PANELS[panel.kind].is_shown}
    methods = {name: [str(row) for row in keys] for name, keys in spec["methods"].items()}
    zoom = spec.get("zoom", list(methods))
    points = {}
    for key in (row for keys in methods.values() for row in keys):
        panel = lookup("row", key, rows, f"{where}.methods")
        cells = {line.name: line for line in panel.lines}
        for axis in ("x", "y"):
            lookup("column", spec[axis], cells, f"{where}.{axis}: row {key}")
        points[key] = replace(panel, lines=(cells[spec["x"]], cells[spec["y"]]))
    for name in zoom:
        lookup("method", name, methods, f"{where}.zoom")
    drawn = {"x": spec["x"], "y": spec["y"], "methods": methods, "zoom": zoom, "note": spec.get("note", "")}
    return drawn, tuple(points.values())
