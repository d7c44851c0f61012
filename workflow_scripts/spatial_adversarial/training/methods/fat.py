"""Friendly adversarial training (Zhang et al. 2020)."""

from dataclasses import dataclass

from ...attacks.early import early_stopped_pgd
from .base import Method


@dataclass
class Fat(Method):
    """The criterion on PGD that stops `tau` steps after the network is first fooled, at most after `steps`."""

    eps: float
    step: float
    steps: int
    tau: int

    def attack(self, network, x, y, context):
        settings = {"eps": self.eps, "step": self.step, "steps": self.steps}
        return early_stopped_pgd(network, x, y, patience=self.tau, generator=context.generator, **settings)
