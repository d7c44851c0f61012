"""A smaller budget for any target: a share of the epochs, fewer images, members and points.

What a budget makes has identities of its own, because it changes the recipes and profiles themselves.
"""

import math
from typing import Any

import numpy as np

from spatial_adversarial.records.reading import CatalogError, choose

FEW = 6  # settings that a caption spells out; of more it names the kinds


class BudgetError(CatalogError):
    """What the budget leaves does not fit one panel or row: a mistake for those alone who ask for its target."""


def mistake(budget: dict, key: str, missing: str) -> CatalogError:
    """The error for what is missing: the budget's where `key` of it is set, else the papers' own."""
    return BudgetError(f"config: budget.{key}: {missing}") if budget.get(key) else CatalogError(missing)


def of_runs(budget: dict, recipe: str, by: dict[str, str]) -> dict:
    """The budget of one recipe's runs `by` data set and model (see choose), `epochs` and `train_images` as numbers.

    Each is one number, or a mapping by the recipe's name (`default` for the others) and by_data or by_model.
    """
    chosen = dict(budget)
    for key in ("epochs", "train_images"):
        number = by_name(recipe, choose(chosen.pop(key, None), by, f"config: budget.{key}"))
        chosen |= {} if number is None else {key: number}
    return chosen


def shrink_recipe(recipe: dict, budget: dict, images: int | None) -> dict:
    """A canonical recipe with its phase lengths and the times of its schedules scaled, its training images limited.

    images: how many the data set has for training and validation, if known; a budget of more changes nothing.
    """
    share = budget.get("epochs", 1)
    phases = [_scaled_phase(phase, share) for phase in recipe["phases"]]
    split = dict(recipe["split"])
    split["validation"] = budget.get("validation_images", split["validation"])
    if not images or budget.get("train_images", 0) <= images - split["validation"]:
        split["limit"] = budget.get("train_images", split["limit"])
    return _scaled_schedules(recipe | {"split": split}, share) | {"phases": phases}


def scaled_step(step: int, recipe: dict, budget: dict, where: str) -> int:
    """The step of a snapshot, scaled as the phases are.

    Raises CatalogError for one past the end of a run that counts steps.
    """
    step = max(1, math.ceil(step * budget.get("epochs", 1)))
    length = sum(phase.get("steps", math.inf) for phase in recipe["phases"])
    if step > length:
        raise CatalogError(f"{where}: a snapshot at step {step}, but the run ends at {length}")
    return step


def _scaled_phase(phase: dict, share: float) -> dict:
    unit = "steps" if "steps" in phase else "epochs"
    return _scaled_schedules(phase, share) | {unit: max(min(1, phase[unit]), math.ceil(phase[unit] * share))}


def _scaled_schedules(tree, share: float):
    if isinstance(tree, list):
        return [_scaled_schedules(item, share) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "schedule" not in tree:
        return {key: _scaled_schedules(value, share) for key, value in tree.items()}
    if "unit" in tree:
        return tree
    times = {key: tree[key] * share for key in ("begin", "end") if key in tree}
    return tree | times | ({"at": [time * share for time in tree["at"]]} if "at" in tree else {})


def thin(values: list, wanted, name: str, where: str, shown: float | None = None) -> list:
    """The members or points kept: all, a number of them spread evenly with both ends, or some; by_name in a mapping.

    The one that is `shown` by itself is kept beside a number of them. Raises BudgetError, naming `where`, for one to
    keep that `values` has not.
    """
    if isinstance(wanted, dict):
        return thin(values, by_name(name, wanted), name, f"{where}.{name}", shown)
    if isinstance(wanted, list):
        unknown = [value for value in wanted if value not in values]
        if unknown:
            raise BudgetError(f"{where}: {unknown[0]} is none of {values}")
        return wanted
    if wanted is None or wanted >= len(values):
        return values
    spread = np.linspace(0, len(values) - 1, wanted).round().astype(int)
    return [value for k, value in enumerate(values) if k in spread or value == shown]


def by_name(name: str, wanted):
    """What is wanted of a recipe or profile: one number for all, or by name; None where nothing is."""
    return wanted.get(name, wanted.get("default")) if isinstance(wanted, dict) else wanted


def _size(name: str, size: float) -> str:
    """ "0.1 of the epochs", "3 times the epochs"; other sizes are numbers of their own: "test images 1000"."""
    if name != "epochs":
        return f"{name} {size}"
    return f"{size:g} of the epochs" if size < 1 else f"{size:g} times the epochs"


def _settings(name: str, own: Any) -> str:
    """ "vgg16 (width 0.25)": the keys set anew, with their values where those are short."""
    if not isinstance(own, dict):
        return name if isinstance(own, list) else f"{name} {own}"
    told = [key if isinstance(value, (dict, list)) else f"{key} {value}" for key, value in own.items()]
    return f"{name} ({', '.join(told)})"


def words(config: dict) -> str:
    """What makes these results less than the paper's full size, in words; empty when nothing does."""
    sizes = {key.replace("_", " "): size for key, size in config.get("budget", {}).items()}
    fewer = [name for name, size in sizes.items() if isinstance(size, (dict, list))]
    parts = [_size(name, size) for name, size in sizes.items() if name not in fewer]
    parts += [f"fewer {', '.join(fewer)}"] if fewer else []
    parts += [f"{small} stands in for {full}" for full, small in config.get("stand_ins", {}).items()]
    overrides = {
        kind: own for kind, own in config.get("overrides", {}).items() if kind not in ("figures", "tables")
    }
    changed = [_settings(name, own) for entries in overrides.values() for name, own in entries.items()]
    told = changed if len(changed) <= FEW else overrides
    parts += [f"own settings of {', '.join(told)}"] if changed else []
    parts += [f"trained in {config['precision']}"] if config.get("precision") == "bfloat16" else []
    return "Reduced: " + "; ".join(parts) + "." if parts else ""
