"""From a family of the YAML to its members: a canonical recipe, and with it a run, for each training strength."""

from spatial_adversarial.catalog import budget
from spatial_adversarial.catalog.external_models import network_spec
from spatial_adversarial.catalog.specs import Scope
from spatial_adversarial.records.identity import canonical, read_out_path, run_path
from spatial_adversarial.records.panel import Member
from spatial_adversarial.records.reading import CatalogError, choose, lookup, merge

RELEASED_OF = "cifar10"  # the data set of the released robust images
RUNS: dict[str, tuple[dict, str]] = {}  # figures and papers share most of their runs
SNAPSHOT = "snapshot"  # what a family varies that is the weights of one run at several steps


def resolve_members(
    data: str,
    model: str,
    family: str,
    scope: Scope,
    after: tuple = (),
    values: list | None = None,
    recipe: dict | None = None,
) -> list[Member]:
    """A family's members on one data set and model, each a canonical recipe with its path.

    values: the members wanted; None for all that the budget leaves. recipe: laid over the family's own. after:
    the families that start from this one, to find a circle. Raises CatalogError.
    """
    where = scope.place("families", family)
    by = {"by_data": data, "by_model": model}
    spec = choose(scope.find("families", family, where), by, where)
    if family in after:
        raise CatalogError(f"{where}.start, or robust_images: the family needs itself first")
    robust = _robust_images(data, spec, scope, (*after, family), where)
    spec = spec | {"recipe": merge(spec["recipe"], choose(recipe or {}, by, where))}
    if values is None:
        values = _in_budget(spec.get("values", [None]), family, by, scope)
    starts = {}
    if "start" in spec:
        before = choose(scope.find("families", spec["start"], f"{where}.start"), by, where)
        shared = [value for value in values if value in before.get("values", [None])]
        found = resolve_members(data, model, spec["start"], scope, (*after, family), shared)
        starts = {m.strength: m for m in found}
    for value in values:
        lookup("strength", value, dict.fromkeys(spec.get("values", [None])), where)
    members = [
        _member(data, model, spec, value, starts, robust, scope, f"{where} ({value})") for value in values
    ]
    if len({member.path for member in members}) < len(members):
        raise CatalogError(f"{where}.values: two of {values} are the same run")
    return members


def _in_budget(values: list, family: str, by: dict, scope: Scope) -> list:
    """The members that the budget leaves; BudgetError for one that only other data have, else CatalogError."""
    where = "config: budget.members"
    wanted = choose(scope.config["budget"].get("members"), by, where)
    try:
        return budget.thin(values, wanted, family, where)
    except budget.BudgetError as refused:
        everywhere = scope.find("families", family, where).get("values", [None])
        try:
            budget.thin(_flat(everywhere), wanted, family, where)
        except budget.BudgetError:
            raise CatalogError(str(refused)) from None
        raise


def _flat(values: dict | list) -> list:
    """A family's strengths on all data sets and models."""
    return values if isinstance(values, list) else [one for each in values.values() for one in _flat(each)]


def _member(
    data: str,
    model: str,
    spec: dict,
    value,
    starts: dict[float, Member],
    robust: dict | None,
    scope: Scope,
    where: str,
) -> Member:
    entry = scope.registry["models"][model]
    base = spec.get("base", entry["recipe"])
    by = {"by_data": data, "by_model": model}
    named = where if "base" in spec else f"{scope.registry_file}: models.{model}.recipe"
    recipe = choose(scope.find("recipes", base, named), by, scope.place("recipes", base))
    recipe = merge(recipe, spec["recipe"])
    if spec.get("vary", SNAPSHOT) != SNAPSHOT:
        recipe = merge(recipe, _nested(spec["vary"].split("."), value))
    small = scope.config["stand_ins"].get(data, data)
    data_entry = lookup("data set", small, scope.registry["data"], "config: stand_ins")
    recipe["data"] = small
    recipe["split"] = {"validation": data_entry["validation"]} | recipe.get("split", {})
    recipe["model"] = network_spec(entry, f"models.{model}") | recipe.get("model", {})
    if "start" in spec:
        if value not in starts:
            raise CatalogError(f"{where}: start: family {spec['start']!r} has no member {value}")
        recipe["start"] = starts[value].path
    if not (recipe.get("mix") or {}).get("share"):  # natural images alone
        recipe["mix"] = None
    elif robust is None:
        raise CatalogError(f"{where}: recipe.mix needs the family's robust_images")
    else:
        recipe["mix"] = robust | recipe["mix"]
    if scope.config["precision"]:
        recipe["precision"] = scope.config["precision"]
    allowed = budget.of_runs(scope.config["budget"], base, by)
    recipe, path = _run(
        recipe, model, allowed, data_entry["train"], f"{where} on {scope.place('recipes', base)}"
    )
    scope.recipes[path] = recipe
    if spec.get("vary") == SNAPSHOT:
        value = budget.scaled_step(value, recipe, allowed, where)
        path = read_out_path(path, f"step{value}")
    return Member(value, path, recipe)


def _run(recipe: dict, model: str, allowed: dict, images: int | None, where: str) -> tuple[dict, str]:
    """The canonical recipe in what a budget allows, and its path; of an equal one that was met before, those of it."""
    key = repr((recipe, model, allowed, images))
    if key not in RUNS:
        made = budget.shrink_recipe(canonical(recipe, where), allowed, images)
        RUNS[key] = made, run_path(made, model)
    return RUNS[key]


def _robust_images(data: str, spec: dict, scope: Scope, after: tuple, where: str) -> dict | None:
    """What a family's recipe.mix is of: the run whose network's features images show, and how they are made."""
    if "robust_images" not in spec:
        return None
    if scope.robust_images == "released":
        small = scope.config["stand_ins"].get(data, data)
        if small != RELEASED_OF:
            raise CatalogError(
                f"config: robust_images: the released ones are of {RELEASED_OF}, not of {small}"
            )
        return {"of": "released"}
    where, images = f"{where}.robust_images", dict(spec["robust_images"])
    model, family = images.pop("model"), images.pop("family")
    lookup("model", model, scope.registry["models"], f"{where}.model")
    scope.find("families", family, f"{where}.family")
    made = resolve_members(data, model, family, scope, after)
    if len(made) != 1:
        raise CatalogError(f"{where}.family: {family!r} has {len(made)} members, not one")
    return images | {"of": made[0].path}


def _nested(keys: list[str], value) -> dict:
    return {keys[0]: _nested(keys[1:], value) if len(keys) > 1 else value}
