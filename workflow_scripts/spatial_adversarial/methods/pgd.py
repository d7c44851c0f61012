"""PGD adversarial training (Madry et al. 2018)."""

from dataclasses import dataclass

from spatial_adversarial.attacks.pgd import pgd
from spatial_adversarial.methods.base import Method


@dataclass
class Pgd(Method):
    """The criterion on adversarial examples only: max over the ball of radius `eps` of a norm, pixels in [0, 1].

    The attack runs in eval mode and climbs the cross-entropy of the true label.
    """

    eps: float
    step: float
    steps: int
    random_start: bool = True
    norm: str = "linf"

    def attack(self, network, x, y, context):
        return pgd(
            network,
            x,
            y,
            eps=self.eps,
            step=self.step,
            steps=self.steps,
            random_start=self.random_start,
            norm=self.norm,
            generator=context.generator,
        )
