"""A run's recipe: brought into its one canonical form, named in words, and hashed."""

import hashlib
import json
import re

from spatial_adversarial.methods import METHODS
from spatial_adversarial.records.reading import CatalogError, merge, numbers, schema, validate
from spatial_adversarial.records.recipe import Phase, Recipe
from spatial_adversarial.settings.numbers import number_text

READ_OUT = re.compile(r"(.+)\.(step\d+|averaged|best_robust)")
# Keys of a recipe, and what released results call them: hashes, the rules' parameters and run.yaml keep those names.
RELEASED_NAMES = {"schedule": "ramp", "method": "examples"}
BETWEEN = {"steps": "-", "random": "-or-"}  # the values of a schedule in words
# The version in which averaged weights lie beside the last ones.
AVERAGED_BESIDE = 2
PHASE_KEYS = ("epochs", "steps", "augment", "method", "awp")


def canonical(recipe: dict, where: str) -> dict:
    """The recipe as phases with every default filled in; raises CatalogError naming `where` for a bad value.

    A recipe written without `phases` is one phase; with them, what stands outside holds for each.
    An adversarial method at eps 0 is natural training, so both are one run.
    """
    _check_names(recipe, where)
    shared = {key: recipe[key] for key in PHASE_KEYS if key in recipe}
    full = {key: value for key, value in recipe.items() if key not in PHASE_KEYS}
    full["phases"] = recipe.get("phases", [{}])
    if isinstance(full["phases"], list):
        full["phases"] = [merge(shared, p) if isinstance(p, dict) else p for p in full["phases"]]
    full = filled(full, schema("recipe"))
    validate("recipe", full, where)
    _check_steps(full, where)
    if len({"steps" in phase for phase in full["phases"]}) > 1:
        raise CatalogError(f"{where}: phases: lengths are all in epochs or all in steps")
    phases = [_natural_at_zero(phase) for phase in full["phases"]]
    used = {name for phase in phases for name in phase["method"]}
    versions = [METHODS[name].version for name in used] + ([AVERAGED_BESIDE] if full["averaging"] else [])
    version = max([full["version"], *versions])
    return full | {"version": version, "phases": phases}


def _check_names(tree, where: str) -> None:
    """CatalogError for a key that was renamed."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        new = next((new for new, old in RELEASED_NAMES.items() if old == key), None)
        if new:
            raise CatalogError(f"{where}: {key!r} is now called {new!r}")
        _check_names(value, f"{where}.{key}")


def _check_steps(tree, where: str) -> None:
    """A schedule of steps has one value more than it has times, a random one a weight a value; raises CatalogError."""
    if isinstance(tree, list):
        tree = dict(enumerate(tree))
    if isinstance(tree, dict):
        if tree.get("schedule") == "steps" and len(tree["values"]) != len(tree["at"]) + 1:
            raise CatalogError(f"{where}.values: {len(tree['values'])} values for {len(tree['at'])} steps")
        if tree.get("schedule") == "random" and len(tree["values"]) != len(tree["weights"]):
            raise CatalogError(
                f"{where}.values: {len(tree['values'])} values for {len(tree['weights'])} weights"
            )
        for key, value in tree.items():
            _check_steps(value, f"{where}.{key}")


def _natural_at_zero(phase: dict) -> dict:
    clean = any(method.get("eps") == 0 for method in phase["method"].values())
    return phase | {"method": {}} if clean else phase


def filled(value: dict, rule: dict) -> dict:
    """`value` with the schema's defaults put in, at every depth."""
    return _walk(value, rule, fill=True)


def stripped(value: dict, rule: dict) -> dict:
    """`value` without what equals a default of the schema, at every depth."""
    return _walk(value, rule, fill=False)


def identity(settings: dict, kind: str) -> dict:
    """What of a canonical "recipe" or "profile" makes it what it is: all but the schema's defaults.

    Rules take this as their parameter, so that a new key with a default makes no old result again. Its keys are
    those of released results.
    """
    return released(stripped(settings, schema(kind)))


def completed(settings: dict, kind: str) -> dict:
    """The canonical "recipe" or "profile" of an identity."""
    return filled(_renamed(settings, {old: new for new, old in RELEASED_NAMES.items()}), schema(kind))


def released(tree):
    """A canonical recipe, or part of one, with its keys as released results name them."""
    return _renamed(tree, RELEASED_NAMES)


def _renamed(tree, names: dict[str, str]):
    if isinstance(tree, list):
        return [_renamed(item, names) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {names.get(key, key): _renamed(value, names) for key, value in tree.items()}


def _walk(value, rule: dict, fill: bool):
    if isinstance(value, list):
        return [_walk(item, rule.get("items", {}), fill) for item in value]
    if not isinstance(value, dict):
        return value
    rules = rule.get("properties", {})
    items = dict(value)
    if fill:
        items |= {key: sub["default"] for key, sub in rules.items() if "default" in sub and key not in value}
    walked = {
        key: _walk(item, rules.get(key, {}), fill) if isinstance(item, (dict, list)) else item
        for key, item in items.items()
    }
    if fill:
        return walked
    return {
        key: item
        for key, item in walked.items()
        if not ("default" in (sub := rules.get(key, {})) and item == sub["default"])
    }


def digest(value, length: int = 8) -> str:
    """The first hex digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(numbers(value), sort_keys=True).encode()).hexdigest()[:length]


def run_path(recipe: dict, model: str) -> str:
    """<data>/<model>/<words>-<hash>: where a canonical recipe's runs live, one folder a seed below it."""
    return f"{recipe['data']}/{model}/{words(Recipe.of(recipe))}-{digest(identity(recipe, 'recipe'))}"


def read_out_path(run: str, weights: str) -> str:
    """The name of weights kept beside a run's own: <run>.step<k>, <run>.averaged or <run>.best_robust.

    The run's own are "weights". All are read-outs of one training run, evaluated under names of their own.
    """
    return run if weights == "weights" else f"{run}.{weights}"


def run_and_weights(path: str) -> tuple[str, str]:
    """(the run, which of its weights, as `read_out_path` has them) of a name that evaluations go by."""
    found = READ_OUT.fullmatch(path)
    return (found[1], found[2]) if found else (path, "weights")


def robust_images(mix: dict) -> tuple[str, str]:
    """(the run, the name of the set) of the images that a recipe mixes in; all but their share in a batch is in it."""
    settings = stripped(mix, schema("recipe")["properties"]["mix"])
    settings = {key: value for key, value in settings.items() if key not in ("share", "of")}
    return mix["of"], f"{mix['steps']}x{mix['step']:g}-{digest(settings, 6)}" if "steps" in mix else mix["of"]


def words(recipe: Recipe) -> str:
    """What a recipe does, in words fit for a folder: rotate60, pgd8-255, rotate120_pgd2-255-then-...."""
    each = [_phase_words(phase) for phase in recipe.phases]
    parts = ["-then-".join(word for k, word in enumerate(each) if k == 0 or word != each[k - 1])]
    if recipe.mix:
        parts.append(f"mix{number_text(recipe.mix.share)}")
    if recipe.start:
        parts.append("after-" + recipe.start.split("/")[-1].rsplit("-", 1)[0])
    return "-".join(parts).replace("/", "-")[:60]


def _phase_words(phase: Phase) -> str:
    if phase.epochs == 0:
        return "given"
    strengths = {key: getattr(phase.augment, key) for key in ("rotate", "translate", "rotate_translate")}
    strengths |= {name: method["eps"] for name, method in phase.method.items() if "eps" in method}
    parts = [key + _strength_words(value) for key, value in strengths.items() if value]
    parts += ["autoaugment"] if phase.augment.autoaugment else []
    parts += ["awp"] if phase.awp.gamma else []
    return "_".join(parts) or "natural"


def _strength_words(value: float | dict) -> str:
    """60, 8/255; 120-150-180 or 2-4-8/255 where it goes by steps, 2-or-4-or-8/255 at random; -ramp for another ramp."""
    if not isinstance(value, dict):
        return number_text(value)
    if value["schedule"] not in BETWEEN:
        return "-ramp"
    texts = [number_text(one) for one in value["values"]]
    last = texts[-1].rpartition("/")[2]
    return BETWEEN[value["schedule"]].join(
        [*(text.removesuffix(f"/{last}") for text in texts[:-1]), texts[-1]]
    )
