"""Checks of what the config and the claims name, before any job starts."""

from .reading import CatalogError, lookup

NAMED_IN_BUDGET = {"members": "families", "points": "profiles", "test_images": "profiles"}
CELL_TESTS = ("cell", "gain", "best", "gap", "area", "ahead")  # of claims on tables of results


def check_names(catalog) -> None:
    """Every data set, paper, family, ... that the config names is there; raises CatalogError."""
    config, known = catalog.config, catalog.registry["data"]
    for full, small in config["stand_ins"].items():
        lookup("data set", full, known, "config: stand_ins")
        lookup("data set", small, known, f"config: stand_ins.{full}")
        if any(known[full][key] != known[small][key] for key in ("classes", "channels")):
            raise CatalogError(
                f"config: stand_ins.{full}: {small!r} has other classes or channels than {full!r}"
            )
    for name in config["only_data"] or []:
        lookup("data set", name, known, "config: only_data")
    for name in config["papers"]:
        lookup("paper", name, catalog.files, "config: papers")
    for kind, where, names in _named(config):
        entries = catalog.registry.get(kind) or catalog.shared.get(kind, {})
        for name in names:
            if name not in entries:  # else the papers' own files need not be read
                lookup(kind, name, entries | _of_papers(catalog, kind), f"config: {where}")


def new_recipes(overrides: dict) -> dict:
    """The recipes of the config that its own models or families take: they need not be in a paper's file."""
    taken = {entry.get("recipe") for entry in overrides.get("models", {}).values()}
    taken |= {entry.get("base") for entry in overrides.get("families", {}).values()}
    return {name: recipe for name, recipe in overrides.get("recipes", {}).items() if name in taken}


def _named(config: dict):
    """What the config names of the registry and of the papers' files: (kind, key of the config, names)."""
    for kind, named in config["overrides"].items():
        if kind != "theory":
            yield kind, f"overrides.{kind}", named
    for key, kind in NAMED_IN_BUDGET.items():
        wanted = config["budget"].get(key)
        if isinstance(wanted, dict):
            yield kind, f"budget.{key}", wanted.keys() - {"default", "by_data", "by_model"}


def _of_papers(catalog, kind: str) -> dict:
    return {
        name: entry for paper in catalog.files for name, entry in catalog.paper(paper).get(kind, {}).items()
    }


def check_tests(catalog) -> None:
    """The profiles and statements that claims are judged on are in their targets; raises CatalogError."""
    for paper, claims in catalog.claims.items():
        for key, claim in claims.items():
            for name, test in claim["tests"].items():
                where = f"{catalog.folder / paper}.yaml: claims.{key}.{name}"
                _check_test(catalog.targets[paper, test.get("in", claim["in"])], test, where)


def _check_test(target, test: dict, where: str) -> None:
    if "slack" in test:
        theory = target.spec.get("settings", {}).get("panels", {}).values()
        lookup("statement", test["slack"], {panel["statement"]: panel for panel in theory}, f"{where}.slack")
    for panel in target.panels if "profile" in test else ():
        profiles = {profile.key: profile for line in panel.lines for profile in line.profiles.values()}
        if panel.letter in test.get("panels", []):
            lookup("profile", test["profile"], profiles, f"{where}.profile")


def check_rows(budget: dict, targets: dict) -> None:
    """The tables whose rows the budget chooses are there; raises CatalogError."""
    tables = {"/".join(key): target for key, target in targets.items() if target.kind == "results"}
    papers = {paper for paper, _ in targets}
    for name in budget.get("rows", {}):
        if name.partition("/")[0] in papers:
            lookup("table", name, tables, "config: budget.rows")


def check_cells(target, test: dict, where: str) -> None:
    """The rows and columns that a test on a table names are in it; raises CatalogError."""
    if target.kind != "results":
        raise CatalogError(f"{where}.columns: {target.name} is no table of results")
    name = next((key for key in CELL_TESTS if key in test), None)
    if name is None:
        raise CatalogError(f"{where}: a test on columns needs one of {', '.join(CELL_TESTS)}")
    rows = {key: row for key, row in target.spec["rows"].items() if row["kind"] != "heading"}
    named = test[name]
    for row in (*named.get("rows", []), *named.get("over", []), *([named["row"]] if "row" in named else [])):
        lookup("row", str(row), rows, f"{where}.{name}")
    for column in (*test["columns"], *([named["to"]] if "to" in named else [])):
        lookup("column", column, target.spec["columns"], f"{where}.columns")
