"""Training methods by name: what a recipe's `examples` means. A new method is a file here and a line below."""

from spatial_adversarial.methods.ates import Ates
from spatial_adversarial.methods.base import Context, Memory, Method
from spatial_adversarial.methods.fat import Fat
from spatial_adversarial.methods.oaat import Oaat
from spatial_adversarial.methods.pgd import Pgd
from spatial_adversarial.methods.trades import Trades

__all__ = ["METHODS", "Context", "Memory", "Method", "make"]

METHODS: dict[str, type[Method]] = {
    "clean": Method,
    "pgd": Pgd,
    "trades": Trades,
    "fat": Fat,
    "ates": Ates,
    "oaat": Oaat,
}


def make(examples: dict) -> Method:
    """The method of a phase's resolved `examples`: {} or {"pgd": {"eps": ..., "step": ..., "steps": ...}}.

    At eps 0, as a schedule may begin, each is natural training.
    """
    name, parameters = next(iter(examples.items()), ("clean", {}))
    if parameters.get("eps") == 0:
        return Method()
    return METHODS[name](**parameters)
