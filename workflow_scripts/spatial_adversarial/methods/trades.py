"""TRADES (Zhang et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import FORWARD
from spatial_adversarial.methods.base import POSITIVE, TRAIN_STEP, see_again
from spatial_adversarial.methods.climbing import Climbing
from spatial_adversarial.settings.fields import setting

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spatial_adversarial.methods.base import Criterion

START = 0.001  # deviation of the Gaussian start, in pixels of [0, 1]


def trades_loss(
    network: nn.Module,
    x: Tensor,
    adversarial: Tensor,
    y: Tensor,
    *,
    beta: float,
    first: str,
    criterion: Criterion,
) -> tuple[Tensor, Tensor]:
    """(CE(f(x), y) + beta KL(f(x) || f(x')), f(x)); nothing is detached.

    The `first` of the images, "clean" or "attacked", passes first: batch norm's running statistics know the order.
    """
    from spatial_adversarial.attacks.losses import divergence_sum

    if first == "clean":
        logits, moved = network(x), network(adversarial)
    else:
        moved, logits = network(adversarial), network(x)
    divergence = divergence_sum(moved, logits.log_softmax(1)) / len(x)
    return criterion(logits, y) + beta * divergence, logits


@dataclass(kw_only=True)
class Trades(Climbing):
    """CE(f(x), y) + beta KL(f(x) || f(x')), x' maximising that divergence in the L-inf ball of radius `eps`.

    beta is 1/lambda of the papers. The attack runs in eval mode, the loss in train mode: there TRADES' code passes
    clean, attacked and clean images, and that of its AWP (`first: attacked`) attacked, clean and clean ones.
    """

    version = 2
    published = "TRADES"
    loss_passes = 2 * TRAIN_STEP

    beta: float = setting("The weight of the divergence, 1/lambda of the papers.", **POSITIVE)
    first: str = setting(
        "The images that the loss passes first through batch norm, then the other ones, and the clean ones again.",
        default="clean",
        enum=["clean", "attacked"],
    )

    @property
    def attack_passes(self):
        return FORWARD + super().attack_passes  # its target is the clean prediction

    @property
    def passes(self):
        return super().passes + FORWARD  # of the clean images again, for batch norm

    def attack(self, network, x, y, context):
        import torch

        from spatial_adversarial.attacks.base import attack_mode
        from spatial_adversarial.attacks.gradient_ascent import pgd
        from spatial_adversarial.attacks.losses import divergence_sum

        with attack_mode(network), torch.no_grad():
            target = network(x).log_softmax(1)
        noise = torch.randn(x.shape, device=x.device, generator=context.generator)
        return pgd(
            network,
            x,
            target,
            eps=self.eps,
            step=self.step,
            steps=self.steps,
            start=x + START * noise,
            generator=None,
            loss=divergence_sum,
        )

    def loss(self, network, x, adversarial, y, *, criterion):
        settings = {"beta": self.beta, "first": self.first, "criterion": criterion}
        return trades_loss(network, x, adversarial, y, **settings)

    def after_loss(self, network, x):
        see_again(network, x)


METHOD = Trades
