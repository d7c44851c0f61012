"""Pareto figures: the rows of a table of results as points of two of its columns."""

from dataclasses import replace

from . import tables
from .papers import Panel, Scope
from .reading import CatalogError, lookup


def resolve(
    paper: str, spec: dict, known: tables.Tables, scope: Scope, where: str
) -> tuple[dict, tuple[Panel, ...]]:
    """(what is drawn, the rows as panels with two cells each) of a Pareto figure; raises CatalogError."""
    for key in ("table", "x", "y", "methods"):
        if key not in spec:
            raise CatalogError(f"{where}: a Pareto figure needs {key!r}")
    table = lookup("table", spec["table"], known, f"{where}.table")
    if table["kind"] != "results":
        raise CatalogError(f"{where}.table: {spec['table']} is no table of results")
    printed, panels = tables.resolve(paper, spec["table"], known, scope)
    rows = {panel.letter: panel for panel in panels if panel.kind == "row"}
    for axis in ("x", "y"):
        lookup("column", spec[axis], printed["columns"], f"{where}.{axis}")
    methods = {name: [str(row) for row in own] for name, own in spec["methods"].items()}
    for row in {row for own in methods.values() for row in own}:
        lookup("row", row, rows, f"{where}.methods")
    for name in spec.get("zoom", []):
        lookup("method", name, methods, f"{where}.zoom")
    wanted = {row for own in methods.values() for row in own}
    cells = (spec["x"], spec["y"])
    kept = [
        replace(panel, lines=tuple(line for line in panel.lines if line.name in cells))
        for key, panel in rows.items()
        if key in wanted
    ]
    for panel in kept:
        if len(panel.lines) < len(cells):
            raise CatalogError(
                f"{where}: row {panel.letter!r} of {spec['table']} has no {' or no '.join(cells)}"
            )
    drawn = {key: spec[key] for key in ("x", "y")} | {
        "methods": methods,
        "zoom": spec.get("zoom", list(methods)),
    }
    return drawn | {"note": spec.get("note", "")}, tuple(kept)
