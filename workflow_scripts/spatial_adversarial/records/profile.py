"""A profile: what is done to the test images at each point of a grid, and the JSON schema of its YAML."""

from dataclasses import dataclass

from spatial_adversarial.attacks import PERTURBATIONS, perturbation
from spatial_adversarial.attacks.base import Perturbation
from spatial_adversarial.settings.fields import properties, required, setting

STRENGTH = {"type": "number", "minimum": 0}


def _input_rules() -> dict[str, dict]:
    transforms = PERTURBATIONS["transform"].items()
    return {
        name: STRENGTH
        | {
            "maximum": kind.limit,
            "default": 0,
            "description": f"The range of the {kind.label.lower()} of each test image.",
        }
        for name, kind in transforms
    }


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """A resolved profile: the settings that every profile has, and what it does at the points of its grid."""

    perturbation: Perturbation
    version: int = setting(
        "The version of what it computes, which the workflow sets.", default=1, type="integer"
    )
    grid: tuple[float, ...] = setting(
        "The points: the strengths of the transform or attack.",
        type="array",
        minItems=1,
        uniqueItems=True,
        items=STRENGTH,
    )
    draws: int = setting("How often each point is drawn.", default=1, type="integer", minimum=1)
    seed: int = setting("The seed of its random streams.", default=0, type="integer", minimum=0)
    sample: int | None = setting(
        "How many test images are evaluated, drawn at random, the same for every run and profile; null takes all.",
        default=None,
        type=["integer", "null"],
        minimum=1,
    )
    space: str = setting(
        "The inputs that an attack moves in: pixels, or the normalised inputs of the papers' code.",
        default="pixel",
        enum=["pixel", "normalized"],
    )
    input: dict = setting(
        "Random transforms of the test images before anything else, and their strengths.",
        default={},
        type="object",
        additionalProperties=False,
        properties=_input_rules(),
    )

    @classmethod
    def of(cls, settings: dict) -> "ProfileSettings":
        """The record of a canonical profile."""
        common = {key: settings[key] for key in properties(cls) if key in settings}
        return cls(perturbation=perturbation(settings), **common | {"grid": tuple(settings["grid"])})


def schema() -> dict:
    """The schema of every key that a profile may have, whatever it does: its defaults make the canonical form."""
    merged = {
        key: {
            "enum": list(named),
            "description": f"The {key} of the test images; a profile has one of the two.",
        }
        for key, named in PERTURBATIONS.items()
    }
    merged |= properties(ProfileSettings)
    for kind in (kind for named in PERTURBATIONS.values() for kind in named.values()):
        merged |= properties(kind)
    return {"type": "object", "properties": merged}


def keys_of_yaml() -> list[str]:
    """The keys that a profile of the YAML may have; its version is not the user's."""
    return [key for key in schema()["properties"] if key != "version"]


def schema_of(kind: type[Perturbation]) -> dict:
    """The schema of the profiles of one attack or transform."""
    common = properties(ProfileSettings)
    common["grid"] |= {"items": STRENGTH | {"maximum": kind.limit}}
    if len(kind.spaces) == 1:
        common["space"] |= {"const": kind.spaces[0]}
    if kind.deterministic:
        common["draws"] |= {"const": 1}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*required(ProfileSettings), *required(kind)],
        "properties": common | {kind.key: {"const": kind.name}} | properties(kind),
        "allOf": list(kind.rules),
    }
