"""Checks of what the config names, before any job starts."""

from spatial_adversarial.panels import TARGETS
from spatial_adversarial.records.reading import CatalogError, lookup, nearest

NAMED_IN_BUDGET = {"members": "families", "points": "profiles", "test_images": "profiles"}
BY = ("by_data", "by_model")
NAMED_IN_BUDGET |= {"epochs": "recipes", "train_images": "recipes"}


def check_names(specs) -> None:
    """Every data set, paper, family, ... that the config names is there; raises CatalogError."""
    config, known = specs.config, specs.registry["data"]
    for full, small in config["stand_ins"].items():
        lookup("data set", full, known, "config: stand_ins")
        lookup("data set", small, known, f"config: stand_ins.{full}")
        if known[small]["channels"] != known[full]["channels"]:
            raise CatalogError(f"config: stand_ins.{full}: {small!r} has other channels than {full!r}")
        if known[small]["classes"] > known[full]["classes"]:
            raise CatalogError(f"config: stand_ins.{full}: {small!r} has more classes than {full!r}")
    for name in config["only_data"] or []:
        lookup("data set", name, known, "config: only_data")
    for name in config["papers"]:
        lookup("paper", name, specs.files, "config: papers")
    for name in config["attack_check"]:
        lookup("figure", name, specs.figures(), "config: attack_check")
    _check_points(specs)
    for kind, where, names in _named(config):
        entries = specs.registry.get(kind) or specs.shared.get(kind, {})
        for name in names:
            if name not in entries:  # else the papers' own files need not be read
                lookup(kind, name, entries | _of_papers(specs, kind), f"config: {where}")


def _check_points(specs) -> None:
    """Each point that the budget lists of a profile is on one of its grids; CatalogError for one on none."""
    profiles = None
    for name, point in _listed(specs.config["budget"].get("points")):
        profiles = profiles or specs.shared.get("profiles", {}) | _of_papers(specs, "profiles")
        grid = sorted({value for _, value in _listed(profiles.get(name, {}).get("grid"))})
        if grid and point not in grid:
            raise CatalogError(f"config: budget.points.{name}: {point} is none of {grid}")


def _listed(tree, name: str = "default"):
    """(profile, number) of all lists in a mapping by profile, by_data and by_model."""
    if isinstance(tree, list):
        yield from ((name, value) for value in tree)
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key in BY:
            for chosen in value.values():
                yield from _listed(chosen, name)
        else:
            yield from _listed(value, key)


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
        yield kind, f"budget.{key}", _names(config["budget"].get(key), f"config: budget.{key}") - {"default"}


def _names(wanted, where: str, named: bool = False) -> set[str]:
    """The names in what the budget wants: by name once, and anywhere by_data or by_model; else CatalogError."""
    if not isinstance(wanted, dict):
        return set()
    by = next((key for key in BY if key in wanted), None)
    if by and len(wanted) > 1:
        other = next(key for key in wanted if key != by)
        raise CatalogError(f"{where}: {by} stands alone, but {other!r} is beside it")
    if named and wanted and not by:
        key = next(iter(wanted))
        raise CatalogError(f"{where}: unknown key {key!r}{nearest(key, BY)}, expected one of {', '.join(BY)}")
    found = set() if by else set(wanted)
    for key, value in (wanted[by] if by else wanted).items():
        found |= _names(value, f"{where}.{f'{by}.' if by else ''}{key}", named or not by)
    return found


def _of_papers(specs, kind: str) -> dict:
    found = {paper: specs.paper(paper).get(kind, {}) for paper in specs.files}
    if kind in ("figures", "tables"):
        return {f"{paper}/{name}": entry for paper, named in found.items() for name, entry in named.items()}
    return {name: entry for named in found.values() for name, entry in named.items()}


def check_chosen(budget: dict, targets: dict) -> None:
    """The tables whose rows, and the figures whose panels, the budget chooses are there; raises CatalogError."""
    papers = {paper for paper, _ in targets}
    for key, thing in (("rows", "table"), ("panels", "figure")):
        made_of = {name: target for name, target in targets.items() if TARGETS[target.kind].made_of == key}
        known = {"/".join(name): target for name, target in made_of.items()}
        for name in budget.get(key, {}).keys() - {"default"}:
            if name.partition("/")[0] in papers:
                lookup(thing, name, known, f"config: budget.{key}")
