"""Training methods: one file a method, found by the registry; a recipe asks for one by the file's name."""

from spatial_adversarial.methods.base import Context, Memory, Method
from spatial_adversarial.settings.registry import discover, register

__all__ = ["METHODS", "NATURAL", "Context", "Memory", "Method", "make", "name_of"]

METHODS: dict[str, type[Method]] = register("training method", discover(__name__, "METHOD", path=__path__))
NATURAL = "natural"  # the method of a recipe that asks for none


def name_of(spec: dict) -> str:
    """The name of the method that a phase's `method` asks for: {} or {name: settings}."""
    return next(iter(spec), NATURAL)


def make(spec: dict) -> Method:
    """The method of a phase's `method`: {} or {"pgd": {"eps": ..., "step": ..., "steps": ...}}.

    At eps 0, as a schedule may begin, each is natural training.
    """
    name = name_of(spec)
    settings = spec.get(name, {})
    if settings.get("eps") == 0:
        return METHODS[NATURAL]()
    return METHODS[name](**settings)
