"""Adversarial training with early stopping of the attack (Sitawarin, Chakraborty and Wagner 2020)."""

from dataclasses import dataclass

from spatial_adversarial.attacks.early_stopping import early_stopped_pgd
from spatial_adversarial.methods.base import Method


@dataclass
class Ates(Method):
    """The criterion on PGD that stops where the margin passes `threshold`, at most after `steps`.

    The margin is the largest probability of another class less that of the label: at threshold 1 no image stops.
    """

    eps: float
    step: float
    steps: int
    threshold: float

    def attack(self, network, x, y, context):
        settings = {"eps": self.eps, "step": self.step, "steps": self.steps}
        return early_stopped_pgd(
            network, x, y, threshold=self.threshold, generator=context.generator, **settings
        )
