"""Adversarial training with early stopping of the attack (Sitawarin, Chakraborty and Wagner 2020)."""

from dataclasses import dataclass

from spatial_adversarial.methods.base import SHARE
from spatial_adversarial.methods.climbing import Climbing
from spatial_adversarial.settings.fields import setting


@dataclass(kw_only=True)
class Ates(Climbing):
    """The criterion on PGD that stops where the margin passes `threshold`, at most after `steps`.

    The margin is the largest probability of another class less that of the label: at threshold 1 no image stops.
    """

    published = "ATES"

    threshold: float = setting("The margin past which an image leaves the attack.", **SHARE)

    def attack(self, network, x, y, context):
        from spatial_adversarial.attacks.early_stopping import early_stopped_pgd

        settings = {"eps": self.eps, "step": self.step, "steps": self.steps}
        return early_stopped_pgd(
            network, x, y, threshold=self.threshold, generator=context.generator, **settings
        )


METHOD = Ates
