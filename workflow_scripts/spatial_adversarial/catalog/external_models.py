"""A user's own models: entries of the config, beside the papers' models in the figures that they name."""

import ast
from pathlib import Path

from spatial_adversarial.catalog.specs import Specs
from spatial_adversarial.records.reading import CatalogError, lookup
from spatial_adversarial.runner.files import digest

KEYS = ("label", "file", "builder", "weights", "normalise")
FAMILY, RECIPE = "given", "as_given"  # in figures/protocols.yaml


def models(specs: Specs) -> dict[str, dict]:
    """The registry's models of the config's `own`; CatalogError for an unknown data set or figure."""
    entries, registry = specs.config["own"], specs.registry
    for key, entry in entries.items():
        where = f"config: own.{key}"
        if key in registry["models"]:
            raise CatalogError(f"{where}: a model of the registry has this name")
        lookup("data set", entry["data"], registry["data"], f"{where}.data")
        for figure in entry["figures"]:
            lookup("figure", figure, specs.figures(), f"{where}.figures")
    return {
        key: {"network": "own", "recipe": RECIPE} | {k: entry[k] for k in KEYS if k in entry}
        for key, entry in entries.items()
    }


def panels(dealt: dict[str, dict], entries: dict, figure: str) -> dict[str, dict]:
    """A panel more for each own model, profile and space that a figure ("paper/name") draws on the model's data."""
    more: dict[tuple, tuple[str, dict]] = {}
    for key, entry in entries.items():
        for letter, panel in dealt.items():
            if figure in entry["figures"] and "profile" in panel and panel["data"] == entry["data"]:
                drawn = key, panel["profile"], panel.get("metric"), panel.get("space")
                more.setdefault(drawn, (f"{letter} {key}", panel | {"model": key, "family": FAMILY}))
    return dict(more.values())


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
            files = sorted(package.rglob("*.py")) if (package / "__init__.py").is_file() else []
            files = files or ([module] if module.is_file() else [])
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
