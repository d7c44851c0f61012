"""Friendly adversarial training (Zhang et al. 2020)."""

from dataclasses import dataclass

from spatial_adversarial.attacks.early_stopping import early_stopped_pgd
from spatial_adversarial.methods.base import Method


@dataclass
class Fat(Method):
    """The criterion on PGD that stops `tau` steps after the network is first fooled, at most after `steps`.

    Each step adds `omega` N(0, 1) before it goes back into the ball, as in the authors' code.
    """

    eps: float
    step: float
    steps: int
    tau: int
    omega: float = 0.001

    def attack(self, network, x, y, context):
        settings = {"eps": self.eps, "step": self.step, "steps": self.steps, "noise": self.omega}
        return early_stopped_pgd(network, x, y, patience=self.tau, generator=context.generator, **settings)
