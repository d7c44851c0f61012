"""The settings of methods that climb a loss by a fixed step within a ball."""

from dataclasses import dataclass

from spatial_adversarial.attacks.base import INPUT_GRADIENT
from spatial_adversarial.methods.base import SHARE, Method
from spatial_adversarial.settings.fields import setting


@dataclass(kw_only=True)
class Climbing(Method):
    """A method whose attack takes `steps` steps of length `step` within `eps` of each image."""

    eps: float = setting("The radius of the ball, in pixels of [0, 1]; 0 is natural training.", **SHARE)
    step: float = setting("The length of a step of the attack, in pixels of [0, 1].", **SHARE)
    steps: int = setting("Steps of the attack.", type="integer", minimum=1)

    @property
    def attack_passes(self):
        return self.steps * INPUT_GRADIENT
