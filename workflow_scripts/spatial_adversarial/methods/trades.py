"""TRADES (Zhang et al. 2019)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.pgd import divergence_sum, pgd
from spatial_adversarial.methods.base import Criterion, Method, see_again

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
    if first == "clean":
        logits, moved = network(x), network(adversarial)
    else:
        moved, logits = network(adversarial), network(x)
    divergence = divergence_sum(moved, logits.log_softmax(1)) / len(x)
    return criterion(logits, y) + beta * divergence, logits


@dataclass
class Trades(Method):
    """CE(f(x), y) + beta KL(f(x) || f(x')), x' maximising that divergence in the L-inf ball of radius `eps`.

    beta is 1/lambda of the papers. The attack runs in eval mode, the loss in train mode: there TRADES' code passes
    clean, attacked and clean images, and that of its AWP (`first: attacked`) attacked, clean and clean ones.
    """

    eps: float
    step: float
    steps: int
    beta: float
    first: str = "clean"

    def attack(self, network, x, y, context):
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
