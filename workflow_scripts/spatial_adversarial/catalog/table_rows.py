"""Tables of results: rows that name runs, columns that name what is measured on them."""

from dataclasses import replace

from spatial_adversarial.catalog import published
from spatial_adversarial.catalog.budget import BudgetError, by_name
from spatial_adversarial.catalog.families import resolve_members
from spatial_adversarial.catalog.panel_specs import resolve_line
from spatial_adversarial.catalog.specs import Scope
from spatial_adversarial.methods import name_of
from spatial_adversarial.metrics import METRICS
from spatial_adversarial.panels import PANELS
from spatial_adversarial.records.identity import read_out_path
from spatial_adversarial.records.panel import Line, Panel
from spatial_adversarial.records.reading import CatalogError, lookup
from spatial_adversarial.records.recipe import Recipe

COMPUTED = ("gain", "best_of")  # rows computed from other rows
Tables = dict[str, dict]  # the paper's tables by name, `like` resolved


def resolve(paper: str, name: str, tables: Tables, scope: Scope) -> tuple[dict, tuple[Panel, ...]]:
    """(what is shown and computed, a panel for each row that names a run) of a table of results.

    A panel's lines are the row's cells. Rows that only a `best_of` names, "<table>.<row>" of another table, are
    panels of kind "candidate". Raises CatalogError.
    """
    spec, where = tables[name], f"{scope.file}: tables.{name}"
    for key in ("rows", "columns"):
        if key not in spec:
            raise CatalogError(f"{where}: a table of results needs {key!r}")
    table = Table(paper, name, spec, scope, where)
    panels = [table.row(key, row) for key, row in table.rows.items() if "family" in row]
    panels += [table.candidate(key, tables) for key in _candidates(table.rows)]
    described = {
        "columns": {key: column["label"] for key, column in spec["columns"].items()},
        "rows": {key: table.shown(key, row) for key, row in table.rows.items()},
        "bold": spec.get("bold", 0),
        "numbered": spec.get("numbered", False),
        "note": spec.get("note", ""),
    }
    return described, tuple(panels)


def _candidates(rows: dict[str, dict]) -> list[str]:
    return list(
        dict.fromkeys(key for row in rows.values() for key in row.get("best_of", []) if "." in str(key))
    )


class Table:
    """One table of a paper's file, while it is resolved."""

    def __init__(self, paper: str, name: str, spec: dict, scope: Scope, where: str):
        self.paper, self.name, self.spec, self.scope, self.where = paper, name, spec, scope, where
        rows = {str(key): row for key, row in spec["rows"].items()}
        only = [str(key) for key in spec.get("only", rows)]
        self.rows = {key: lookup("row", key, rows, f"{where}.only") for key in only}
        for key in scope.config["budget"].get("rows", {}).get(f"{paper}/{name}", []):
            lookup("row", str(key), rows, f"config: budget.rows.{paper}/{name}")
        for column, entry in spec["columns"].items():
            for key in entry.get("rows", []):
                lookup("row", str(key), rows, f"{where}.columns.{column}.rows")

    def _left_out(self, key: str) -> bool:
        """Whether the budget leaves out a row, or "<table>.<row>" of another table."""
        table, _, row = key.rpartition(".")
        if f"{self.paper}/{table or self.name}/{row}" in self.scope.config["optional_rows"]:
            return False
        if self.rows.get(key, {}).get("model") in self.scope.config["own"]:
            return False
        kept = by_name(f"{self.paper}/{table or self.name}", self.scope.config["budget"].get("rows", {}))
        return kept is not None and row not in map(str, kept)

    def row(self, key: str, row: dict, kind: str = "row") -> Panel:
        """A row as a panel with one member and a line for each of its cells."""
        scope, where = self.scope, f"{self.where}.rows.{key}"
        row = {name: self.spec[name] for name in ("data", "model") if name in self.spec} | row
        for name in ("data", "model"):
            if name not in row:
                raise CatalogError(f"{where}: a row needs {name!r}, its own or its table's")
        data = lookup("data set", row["data"], scope.registry["data"], f"{where}.data")
        model = lookup("model", row["model"], scope.registry["models"], f"{where}.model")
        family = scope.find("families", row["family"], f"{where}.family")
        only = scope.config.get("only_data")
        reason = "" if only is None or row["data"] in only else f"{data['label']} is not in only_data"
        panel = Panel(
            letter=key,
            kind=kind,
            data=scope.config["stand_ins"].get(row["data"], row["data"]),
            model=row["model"],
            group=model.get("group", "z2"),
            family=row["family"],
            title=row.get("label", family["label"]),
            strength=family.get("strength", ""),
            space="pixel",
            members=(self._member(row, where),),
            reason=reason or ("left out by budget.rows" if self._left_out(key) else ""),
        )
        try:
            cells = [self._cell(panel, row, name, where) for name in self._columns(key, row, where)]
        except BudgetError as refused:
            return replace(panel, reason=panel.reason or str(refused))
        return replace(panel, lines=tuple(cells))

    def candidate(self, key: str, tables: Tables) -> Panel:
        """A row of another table, "<table>.<row>", with its own settings and this table's columns."""
        where = f"{self.where}: best_of {key}"
        table, _, name = key.partition(".")
        other = lookup("table", table, tables, where)
        rows = {str(k): row for k, row in other.get("rows", {}).items()}
        row = {k: other[k] for k in ("data", "model") if k in other} | lookup("row", name, rows, where)
        return self.row(key, {k: v for k, v in row.items() if k not in ("columns", "published")}, "candidate")

    def shown(self, key: str, row: dict) -> dict:
        """How a row stands in the table: its kind and label, and for a computed one what it is made of."""
        where = f"{self.where}.rows.{key}"
        kind = next(name for name in ("heading", "family", *COMPUTED) if name in row)
        about = {"kind": {"family": "row", "best_of": "best"}.get(kind, kind), "label": row.get("label", key)}
        if kind == "heading":
            return about | {"label": row["heading"]}
        if kind in COMPUTED:
            for name in row[kind]:
                if "." not in str(name):
                    lookup("row", str(name), self.rows, f"{where}.{kind}")
            columns = self._columns(key, row, where)
            about |= {"of": [str(name) for name in row[kind]], "columns": columns, "published": {}}
            about |= {"nearest": row["nearest"]} if "nearest" in row else {}
            if "published" in row:
                cells = self.spec["columns"]
                about["published"] = {c: self._published(row, cells[c], {}, where) for c in columns}
        return about

    def _member(self, row: dict, where: str):
        """The run of a row, or its read-out: the member of its strength, with the row's own changes of the recipe."""
        values = [row["strength"]] if "strength" in row else None
        members = resolve_members(
            row["data"], row["model"], row["family"], self.scope, values=values, recipe=row.get("recipe", {})
        )
        if len(members) != 1:
            raise CatalogError(
                f"{where}.strength: which of {[m.strength for m in members]} of {row['family']!r}?"
            )
        (member,) = members
        made = Recipe.of(member.recipe)
        if row.get("weights") == "averaged" and not made.averaging:
            raise CatalogError(
                f"{where}.weights: averaged, but the recipe of {row['family']!r} has no averaging"
            )
        if row.get("weights") == "best_robust" and not made.split.validation:
            raise CatalogError(f"{where}.weights: best_robust needs validation images")
        return replace(member, path=read_out_path(member.path, row.get("weights", "weights")))

    def _columns(self, key: str, row: dict, where: str) -> list[str]:
        """The columns that a row has cells in: those that it names, among those that have it among their rows."""
        columns = self.spec["columns"]
        for name in row.get("columns", []):
            lookup("column", name, columns, f"{where}.columns")
        wanted = {name: {str(one) for one in column.get("rows", [key])} for name, column in columns.items()}
        return [name for name in row.get("columns", columns) if key in wanted[name]]

    def _cell(self, panel: Panel, row: dict, name: str, where: str) -> Line:
        column = self.spec["columns"][name]
        line = resolve_line(panel, column, row["data"], self.scope, f"{self.where}.columns.{name}")
        (member,) = panel.members
        if line.at is None:
            grid = line.profiles[member.path].settings["grid"]
            if len(grid) > 1:
                raise CatalogError(f"{self.where}.columns.{name}: at which of {grid}?")
            line = replace(line, at={member.path: grid[0]})
        if not METRICS[line.metric].is_share:
            raise CatalogError(f"{self.where}.columns.{name}: a table of results shows shares, no distances")
        if not PANELS[panel.kind].is_shown:
            return replace(line, name=name)
        method = name_of(Recipe.of(member.recipe).phases[-1].method)
        named = {"model": row["model"], "method": method}
        return replace(line, name=name, published=self._published(row, column, named, where))

    def _published(self, row: dict, column: dict, named: dict, where: str) -> float | None:
        """The published number of a cell, in [0, 1]; None where the table has none or a name is not published."""
        if "published" not in self.spec:
            return None
        changes = self.spec["published"] | column.get("published", {}) | row.get("published", {})
        metric = column.get("metric") or self.scope.find("profiles", column["profile"], where)["metric"]
        data = row.get("data", self.spec.get("data"))
        filters = published.named(self.scope.registry, self.scope.file, data=data, **named)
        filters |= {"target": self.name, "metric": metric}
        return published.number(self.scope.file, filters, changes, f"{where}: published")
