"""Natural training."""

from .base import Method


class Natural(Method):
    """The criterion on the clean images."""

    def loss(self, network, x, y, *, criterion, generator):
        logits = network(x)
        return criterion(logits, y), logits
