"""From a profile of the YAML to its canonical form."""

from spatial_adversarial.attacks import PERTURBATIONS, perturbation
from spatial_adversarial.attacks.base import Perturbation
from spatial_adversarial.records.identity import filled
from spatial_adversarial.records.reading import CatalogError, lookup, schema, validate


def named(settings: dict, where: str) -> type[Perturbation]:
    """The attack or transform that a profile names; raises CatalogError for none, two or an unknown one."""
    keys = [key for key in PERTURBATIONS if key in settings]
    if len(keys) != 1:
        raise CatalogError(f"{where}: give exactly one of {', '.join(PERTURBATIONS)}")
    (key,) = keys
    name = settings[key]
    return lookup(key, name if isinstance(name, str) else repr(name), PERTURBATIONS[key], f"{where}: {key}")


def complete(settings: dict, where: str) -> dict:
    """A profile's settings with every default filled in; raises CatalogError naming `where` for a bad value."""
    kind = named(settings, where)
    rule = f"{kind.key}/{kind.name}"
    known = schema(rule)["properties"]
    others = sorted(settings.keys() & schema("profile")["properties"].keys() - known.keys())
    if others:
        raise CatalogError(f"{where}: {others[0]}: the {kind.key} {kind.name!r} has no such key")
    full = filled(settings, schema(rule))
    validate(rule, full, where)
    full["version"] = max(full["version"], perturbation(full).version)
    return filled(full, schema("profile"))


def fitted(settings: dict, data: dict, where: str) -> dict:
    """What of a canonical profile's settings fits a data set of the registry; raises CatalogError where none does."""
    try:
        return settings | perturbation(settings).fitted(data["classes"], data["label"])
    except ValueError as error:
        raise CatalogError(f"{where}.{error}") from None
