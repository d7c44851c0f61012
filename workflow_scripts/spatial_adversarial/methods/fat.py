"""Friendly adversarial training (Zhang et al. 2020)."""

from dataclasses import dataclass

from spatial_adversarial.methods.base import COUNT
from spatial_adversarial.methods.climbing import Climbing
from spatial_adversarial.settings.fields import setting


@dataclass(kw_only=True)
class Fat(Climbing):
    """The criterion on PGD that stops `tau` steps after the network is first fooled, at most after `steps`.

    Each step adds `omega` N(0, 1) before it goes back into the ball, as in the authors' code.
    """

    version = 2
    published = "FAT"

    tau: int = setting("Steps that an image takes once the network is fooled.", **COUNT)
    omega: float = setting(
        "The deviation of the noise that each step adds, in pixels of [0, 1].",
        default=0.001,
        type="number",
        minimum=0,
    )

    def attack(self, network, x, y, context):
        from spatial_adversarial.attacks.early_stopping import early_stopped_pgd

        settings = {"eps": self.eps, "step": self.step, "steps": self.steps, "noise": self.omega}
        return early_stopped_pgd(network, x, y, patience=self.tau, generator=context.generator, **settings)


METHOD = Fat
