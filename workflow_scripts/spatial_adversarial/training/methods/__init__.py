"""Training methods by name: what a recipe's `examples` means. A new method is a file here and a line below."""

from .base import Method
from .natural import Natural
from .pgd import Pgd
from .trades import Trades

METHODS: dict[str, type[Method]] = {"clean": Natural, "pgd": Pgd, "trades": Trades}


def make(examples: dict) -> Method:
    """The method of a phase's resolved `examples`: {} or {"pgd": {"eps": ..., "step": ..., "steps": ...}}."""
    name, parameters = next(iter(examples.items()), ("clean", {}))
    return METHODS[name](**parameters)
