"""What a pass through a network costs, before any network is built: counted once at full width, scaled to the others.

`python -m spatial_adversarial.planning.network_sizes figures` in workflow_scripts counts again where a network changes.
"""

import sys
from functools import cache
from pathlib import Path

import yaml

from spatial_adversarial.catalog import Catalog

FILE = Path(__file__).with_suffix(".yaml")
COUNTED = ("multiply_adds", "activations", "parameters")


def sizes(catalog: Catalog, counted: dict[str, dict]) -> dict[str, dict]:
    """{<data>/<model>: multiply_adds and activations (per image) and parameters} of all networks that are trained.

    Of a network that is not as wide, or whose images are not as large, as the one that was counted: what it has by
    proportion, within a factor of two. `counted` is what networks.json holds; a user's own network is looked up
    there, and is taken for the largest of all until it has been counted, which `guessed` says.
    """
    found = {}
    for path, recipe in catalog.recipes.items():
        name, _, _ = path.rpartition("/")
        side, model = catalog.registry["data"][recipe["data"]]["side"], name.rpartition("/")[2]
        if model in full_size():
            found[name] = scaled(full_size()[model], recipe["model"].get("width", 1), side)
        else:
            found[name] = counted.get(name) or largest() | {"guessed": True}
    return found


@cache
def full_size() -> dict[str, dict]:
    """{model of the registry: what was counted, at `width` on images of `side` x `side`}."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def scaled(full: dict, width: float, side: int) -> dict:
    """Sizes by proportion: connections go with the square of the width, and all that has a place with the area."""
    area, width = (side / full["side"]) ** 2, width / full["width"]
    return {
        "multiply_adds": full["multiply_adds"] * width**2 * area,
        "activations": full["activations"] * width * area,
        "parameters": full["parameters"] * width**2,
    }


def largest() -> dict:
    """The largest of each number among the registry's networks."""
    return {key: max(one[key] for one in full_size().values()) for key in COUNTED}


def count(catalog: Catalog) -> dict[str, dict]:
    """Count the catalog's networks, each on the first data set that it is trained on."""
    import torch

    from spatial_adversarial import models
    from spatial_adversarial.models.counting import describe

    found: dict[str, dict] = {}
    for name, network in catalog.networks().items():
        key = name.rpartition("/")[2]
        entry = catalog.registry["data"][network["data"]]
        if name.startswith("listed/") or key in found:
            continue
        shape, plain = {"channels": entry["channels"], "side": entry["side"]}, [0.5] * entry["channels"]
        with torch.device("meta"):
            built = models.build(
                network["model"], classes=entry["classes"], mean=plain, std=plain, **shape
            ).eval()
        described = describe(built, **shape)
        found[key] = {"side": entry["side"], "width": network["model"].get("width", 1)}
        found[key] |= {part: described[part] for part in COUNTED}
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    config = yaml.safe_load((folder.parent / "config.yaml").read_text(encoding="utf-8"))
    text = yaml.safe_dump(count(Catalog(config, folder)), default_flow_style=None, width=110)
    FILE.write_text(text, encoding="utf-8")
