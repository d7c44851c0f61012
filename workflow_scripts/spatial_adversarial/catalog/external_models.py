"""A user's own models: entries of the config, over the papers' curves, in their tables, and in figures of their own."""

import ast
from pathlib import Path

from spatial_adversarial.catalog.specs import Specs
from spatial_adversarial.panels import kind_of
from spatial_adversarial.records.reading import CatalogError, choose, lookup
from spatial_adversarial.runner.files import digest

KEYS = ("label", "file", "builder", "weights", "normalise")
FAMILY, RECIPE = "given", "as_given"  # in figures/protocols.yaml
PAPER = "own"  # which the models that name `profiles` make
ABOUT = {"title": "Your own models", "authors": "evaluated without training"}
HEADING = "own"  # the key of the row above a user's own in a table


def models(specs: Specs) -> dict[str, dict]:
    """The registry's models of the config's `own`; CatalogError for an unknown data set, figure or table."""
    entries, registry = specs.config["own"], specs.registry
    for key, entry in entries.items():
        where = f"config: own.{key}"
        if key in registry["models"]:
            raise CatalogError(f"{where}: a model of the registry has this name")
        lookup("data set", entry["data"], registry["data"], f"{where}.data")
        if not {"figures", "tables", "profiles"} & entry.keys():
            raise CatalogError(f"{where}: say what shows it: figures, tables or profiles")
        for figure in entry.get("figures", []):
            lookup("figure", figure, specs.figures(), f"{where}.figures")
        for table in entry.get("tables", []):
            lookup("table", table, specs.figures("tables"), f"{where}.tables")
    return {
        key: {"network": "own", "recipe": RECIPE} | {k: entry[k] for k in KEYS if k in entry}
        for key, entry in entries.items()
    }


def panels(dealt: dict[str, dict], entries: dict, figure: str) -> dict[str, dict]:
    """The panels of own models in a figure ("paper/name"), on their data: "a mine" is drawn over panel a.

    Over each panel of a profile; of other kinds, such as pictures, once for each profile, beside the paper's. Not over
    those of attacks in normalised inputs where the network normalises none.
    """
    more: dict[tuple, tuple[str, dict]] = {}
    for key, entry in entries.items():
        spaces = ("pixel",) if entry.get("normalise", "none") == "none" else ("pixel", "normalized")
        for letter, panel in dealt.items():
            fits = (
                "profile" in panel
                and panel["data"] == entry["data"]
                and panel.get("space", "pixel") in spaces
            )
            if figure in entry.get("figures", []) and fits:
                kind = panel.get("kind") or kind_of(panel)
                place = letter if kind == "profile" else (panel["profile"], panel.get("space"))
                drawn = panel | {"model": key, "family": FAMILY}
                drawn = {
                    name: value for name, value in drawn.items() if name not in ("published", "strengths")
                }
                more.setdefault((key, place), (f"{letter} {key}", drawn))
    return dict(more.values())


def with_rows(table: dict, entries: dict, name: str, profiles: dict[str, dict]) -> dict:
    """A table of results ("paper/name") with a row for each own model that names it, below a heading.

    A row has the columns that its network fits: not those measured at the strength of a training. CatalogError where
    the table has nothing on the model's data, or a row of its name.
    """
    named = {key: entry for key, entry in entries.items() if name in entry.get("tables", [])}
    columns = [key for key, column in table.get("columns", {}).items() if not _by_strength(column, profiles)]
    more: dict[str, dict] = {HEADING: {"heading": "Your own"}} if named else {}
    for key, entry in named.items():
        where = f"config: own.{key}.tables: {name}"
        rows = table.get("rows", {})
        if entry["data"] not in {row.get("data", table.get("data")) for row in rows.values()}:
            raise CatalogError(f"{where} has no results on {entry['data']}")
        if key in rows or HEADING in rows:
            raise CatalogError(f"{where} has a row of this name")
        more[key] = {"label": entry["label"], "data": entry["data"], "model": key, "family": FAMILY}
        more[key] |= {"columns": columns}
    return table | {"rows": table["rows"] | more} if named else table


def _by_strength(column: dict, profiles: dict[str, dict]) -> bool:
    moved = profiles.get(column["profile"], {}).get("input", {})
    return column.get("at") == "strength" or "strength" in moved.values()


def of_files(config: dict) -> dict:
    """A configuration with the papers that files say alone: as it was before PAPER was added to it."""
    papers = (
        [name for name in config["papers"] if name != PAPER] if _makes_paper(config) else config["papers"]
    )
    return config | {"papers": papers}


def _makes_paper(config: dict) -> bool:
    entries = config.get("own") or {}
    return any(isinstance(entry, dict) and "profiles" in entry for entry in entries.values())


def add_paper(specs: Specs) -> None:
    """Give a configuration the paper of its own models where some name profiles; CatalogError where a file has it."""
    if _makes_paper(specs.config):
        if PAPER in specs.files:
            raise CatalogError(
                f"config: own: profiles make a paper {PAPER!r}, but {specs.files[PAPER]} is there"
            )
        specs.add_paper(PAPER, paper(specs))


def paper(specs: Specs) -> dict:
    """The paper of own models that name `profiles`: a figure of each's profiles, a table of those at a single point.

    A profile is one that papers share, or <paper>/<profile>. CatalogError for an unknown one.
    """
    spec: dict = ABOUT | {"profiles": {}, "figures": {}, "tables": {}}
    for key, entry in specs.config["own"].items():
        curves, points = [], []
        for name in entry.get("profiles", []):
            profile, found = _profile(specs, name, f"config: own.{key}.profiles")
            if "/" in name and spec["profiles"].setdefault(profile, found) != found:
                raise CatalogError(f"config: own.{key}.profiles: two papers have a profile {profile!r}")
            grid = choose(found["grid"], {"by_data": entry["data"], "by_model": key}, f"config: own.{key}")
            (curves if len(grid) > 1 else points).append(profile)
        about = {"data": entry["data"], "model": key, "family": FAMILY}
        if curves:
            panels = {chr(ord("a") + k): about | {"profile": profile} for k, profile in enumerate(curves)}
            spec["figures"][key] = {"title": entry["label"], "panels": panels}
        if points:
            columns = {"clean": {"label": "Clean", "profile": points[0], "metric": "natural_accuracy"}}
            labels = specs.shared["profiles"] | spec["profiles"]
            columns |= {one: {"label": labels[one]["label"], "profile": one} for one in points}
            table = {"kind": "results", "title": entry["label"], "columns": columns}
            spec["tables"][f"{key}_table"] = table | {"rows": {key: about | {"label": entry["label"]}}}
    return {name: value for name, value in spec.items() if value}


def _profile(specs: Specs, name: str, where: str) -> tuple[str, dict]:
    """(its name, its YAML) of a profile that papers share, or of "<paper>/<profile>"."""
    file, _, profile = name.rpartition("/")
    if file:
        lookup("paper", file, specs.files, where)
    known = specs.paper(file)["profiles"] if file else specs.shared["profiles"]
    return profile, lookup("profile", profile, known, where)


def network_spec(entry: dict, where: str) -> dict:
    """The model spec of a registry entry: for a user's own, with its files' checksums, so that an edit is a new run."""
    keys = ("version", "group", "width", "channels", "normalise", "file", "builder", "weights")
    spec = {"name": entry["network"]} | {key: entry[key] for key in keys if key in entry}
    files = [entry[key] for key in ("file", "weights") if key in entry]
    for file in files:
        if not Path(file).is_file():
            raise CatalogError(f"{where}: no such file {file}")
    files += neighbours(Path(entry["file"]), where) if "file" in entry else []
    return spec | ({"checksums": [digest(file) for file in files]} if files else {})


def neighbours(file: Path, where: str) -> list[Path]:
    """The Python files beside `file` that it imports, and those that these import; of a package all its files.

    Found without running anything: an import by a computed name is not seen. CatalogError for no Python.
    """
    found: dict[Path, None] = {}
    left = [file]
    while left:
        for name in _imports(left.pop(), where):
            module, package = file.parent / f"{name}.py", file.parent / name
            of_package = sorted(package.rglob("*.py")) if package.is_dir() else []
            # a package without __init__.py comes after a module of its name
            alone = module.is_file() and package / "__init__.py" not in of_package
            files = [module] if alone else of_package
            new = [one for one in files if one not in found and one != file]
            found |= dict.fromkeys(new)
            left += new
    return sorted(found)


def _imports(file: Path, where: str) -> set[str]:
    """The top-level names of the modules that a file imports, wherever in it."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise CatalogError(f"{where}: {file}{line}: no Python ({error.args[0]})") from None
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level
    ]
    return {name.partition(".")[0] for name in names}
