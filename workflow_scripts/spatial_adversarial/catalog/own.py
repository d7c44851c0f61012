"""A user's own models: entries of the config, beside the papers' models in the figures that they name."""

from pathlib import Path

from ..files import digest
from .reading import CatalogError, lookup
from .specs import Specs

KEYS = ("label", "file", "builder", "weights", "normalise")
FAMILY, RECIPE = "given", "as_given"  # in figures/protocols.yaml


def models(specs: Specs) -> dict[str, dict]:
    """The registry's models of the config's `own`; CatalogError for an unknown data set or figure."""
    own, registry = specs.config["own"], specs.registry
    for key, entry in own.items():
        where = f"config: own.{key}"
        if key in registry["models"]:
            raise CatalogError(f"{where}: a model of the registry has this name")
        lookup("data set", entry["data"], registry["data"], f"{where}.data")
        for figure in entry["figures"]:
            lookup("figure", figure, specs.figures(), f"{where}.figures")
    return {
        key: {"network": "own", "recipe": RECIPE} | {k: entry[k] for k in KEYS if k in entry}
        for key, entry in own.items()
    }


def panels(dealt: dict[str, dict], own: dict, figure: str) -> dict[str, dict]:
    """A panel more for each own model, profile and space that a figure ("paper/name") draws on the model's data."""
    more: dict[tuple, tuple[str, dict]] = {}
    for key, entry in own.items():
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
    return spec | ({"checksums": [digest(file) for file in files]} if files else {})
