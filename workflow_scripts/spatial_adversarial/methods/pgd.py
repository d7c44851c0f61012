"""PGD adversarial training (Madry et al. 2018)."""

from dataclasses import dataclass

from spatial_adversarial.methods.climbing import Climbing
from spatial_adversarial.settings.fields import setting


@dataclass(kw_only=True)
class Pgd(Climbing):
    """The criterion on adversarial examples only: max over the ball of radius `eps` of a norm, pixels in [0, 1].

    The attack runs in eval mode and climbs the cross-entropy of the true label.
    """

    published = "PGD-AT"

    random_start: bool = setting(
        "Whether the attack starts anywhere in the ball, not at the image.", default=True, type="boolean"
    )
    norm: str = setting("The norm of the ball.", default="linf", enum=["linf", "l2"])

    def attack(self, network, x, y, context):
        from spatial_adversarial.attacks.gradient_ascent import pgd

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


METHOD = Pgd
