"""Optional rows of tables: they are in a paper's file, and there only where the config's `optional_rows` names them."""

from spatial_adversarial.records.reading import CatalogError, lookup

Left = set[tuple[str, str]]  # (table, row) of the optional rows of a paper that the config does not ask for


def left_out(paper: str, tables: dict[str, dict], asked: list[str]) -> Left:
    """The optional rows among a paper's tables that are not asked for as "<paper>/<table>/<row>"."""
    rows = [
        (table, str(key), row) for table, spec in tables.items() for key, row in spec.get("rows", {}).items()
    ]
    return {(t, key) for t, key, row in rows if row.get("optional") and f"{paper}/{t}/{key}" not in asked}


def table(name: str, spec: dict, left: Left) -> dict:
    """A table without the rows that are left out, wherever it names them."""
    if "rows" not in spec:
        return spec
    rows = {key: row for key, row in spec["rows"].items() if (name, str(key)) not in left}
    for key, row in rows.items():
        if "best_of" in row:
            kept = [one for one in row["best_of"] if _place(name, one) not in left]
            rows[key] = row | {"best_of": kept}
    columns = {key: _kept(name, column, "rows", left) for key, column in spec.get("columns", {}).items()}
    return _kept(name, spec, "only", left) | {"rows": rows, "columns": columns}


def figure(spec: dict, left: Left) -> dict:
    """A Pareto figure without the rows that are left out, and without a method that has no others."""
    methods = {
        name: [row for row in rows if (spec["table"], str(row)) not in left]
        for name, rows in spec["methods"].items()
    }
    zoom = {"zoom": [name for name in spec["zoom"] if methods.get(name, True)]} if "zoom" in spec else {}
    return spec | {"methods": {name: rows for name, rows in methods.items() if rows}} | zoom


def judged(claim: dict, left: Left) -> dict:
    """A claim without the tests that name a row that is left out."""
    return claim | {
        "tests": {name: test for name, test in claim["tests"].items() if not _names(claim, test, left)}
    }


def check(paper: str, tables: dict[str, dict], asked: list[str]) -> None:
    """The rows that the config asks for are optional rows of the paper's tables; raises CatalogError."""
    optional = {f"{paper}/{table}/{row}": row for table, row in left_out(paper, tables, [])}
    for name in asked:
        if name.partition("/")[0] == paper:
            lookup("optional row", name, optional, "config: optional_rows")
        elif name.count("/") != 2:
            raise CatalogError(f"config: optional_rows: {name!r} is no <paper>/<table>/<row>")


def _place(table: str, row) -> tuple[str, str]:
    """(table, row) of a row as best_of names it: one of its own table, or <table>.<row>."""
    other, _, key = str(row).rpartition(".")
    return other or table, key


def _kept(name: str, spec: dict, key: str, left: Left) -> dict:
    return spec | ({key: [row for row in spec[key] if (name, str(row)) not in left]} if key in spec else {})


def _names(claim: dict, test: dict, left: Left) -> bool:
    target = test.get("in", claim["in"])
    named = [value for value in test.values() if isinstance(value, dict)]
    rows = [row for one in named for row in (*one.get("rows", []), *one.get("over", []), one.get("row"))]
    return any((target, str(row)) in left for row in rows)
