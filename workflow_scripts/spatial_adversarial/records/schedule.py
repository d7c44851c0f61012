"""The JSON schema of a number that may change over a run: the number itself, or a schedule of it.

training/schedules.py computes what these say.
"""

from dataclasses import dataclass

from spatial_adversarial.settings.fields import mapping, optional, setting

TIMES = {"type": "array", "items": {"type": "number", "minimum": 0}}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How a number changes over a run."""

    schedule: str = setting(
        "Drops by a factor, steps or drawn values, or a ramp from one value to another.",
        enum=["drops", "steps", "random", "linear", "cosine"],
    )
    unit: str | None = optional(
        "Times are in epochs or steps, as the phases' lengths are; share: shares of the run; counted: shares rounded "
        "down to whole epochs, counted from 1.",
        enum=["share", "counted"],
    )
    late: int | None = optional(
        "For unit counted: epochs by which the end, or each time, comes later.",
        type="integer",
        minimum=0,
        examples=[1],
    )
    least: float | None = optional(
        "For linear: what the value never falls below.", type="number", examples=["4/255"]
    )
    # `from` is no name of a field in Python: see rule
    to: float | None = optional("For linear and cosine: the last value.", type="number", examples=[0])
    begin: float | None = optional(
        "For linear and cosine: when it begins to change; left out, the run's begin.",
        type="number",
        minimum=0,
        examples=[0.5],
    )
    end: float | None = optional(
        "For linear and cosine: when it has changed; left out, the run's end.",
        type="number",
        minimum=0,
        examples=[0.75],
    )
    factor: float | None = optional(
        "For drops: by what it is multiplied at each time.", type="number", exclusiveMinimum=0, examples=[0.1]
    )
    at: list[float] | None = optional("For drops and steps: the times.", **TIMES, examples=[[74, 89, 99]])
    values: list[float] | None = optional(
        "For steps: the values, one more than there are times; of random: those drawn from.",
        **TIMES,
        minItems=1,
        examples=[[120, 150, 180]],
    )
    weights: list[float] | None = optional(
        "For random: the shares in which the values are drawn, at each step.",
        type="array",
        items={"type": "number", "exclusiveMinimum": 0},
        minItems=1,
        examples=[[74, 15, 31]],
    )


def _needs(kinds: list[str], keys: list[str]) -> dict:
    return {"if": {"properties": {"schedule": {"enum": kinds}}}, "then": {"required": keys}}


def _schedule() -> dict:
    rule = mapping(Schedule, title="Schedules", description=Schedule.__doc__)
    first = {"type": "number", "description": "The value that it begins with.", "examples": [0.1]}
    return rule | {
        "properties": rule["properties"] | {"from": first},
        "allOf": [
            _needs(["drops"], ["from", "factor", "at"]),
            _needs(["steps"], ["values", "at"]),
            _needs(["random"], ["values", "weights"]),
            _needs(["linear", "cosine"], ["from", "to"]),
        ],
    }


def scheduled(**rule) -> dict:
    """The rule of a number, or of a schedule of it."""
    return {"if": {"type": "object"}, "then": {"$ref": "#/$defs/schedule"}, "else": rule}


DEFINITIONS = {
    "schedule": _schedule(),
    "positive": scheduled(type="number", exclusiveMinimum=0),
    "share": scheduled(type="number", minimum=0, maximum=1),
    "weight": scheduled(type="number", minimum=0),
    "count": scheduled(type="integer", minimum=0),
    "angle": scheduled(type="number", minimum=0, maximum=180),
}
