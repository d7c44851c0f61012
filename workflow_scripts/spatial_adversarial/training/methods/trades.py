"""TRADES (Zhang et al. 2019)."""

from dataclasses import dataclass

import torch

from ...attacks.base import attack_mode
from ...attacks.pgd import divergence_sum, pgd
from .base import Method

START = 0.001  # deviation of the Gaussian start, in pixels of [0, 1]


@dataclass
class Trades(Method):
    """CE(f(x), y) + beta KL(f(x) || f(x')), x' maximising that divergence in the L-inf ball of radius `eps`.

    beta is 1/lambda of the papers. The attack runs in eval mode; both terms of the loss in train mode.
    """

    eps: float
    step: float
    steps: int
    beta: float

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
        logits = network(x)
        divergence = divergence_sum(network(adversarial), logits.log_softmax(1)) / len(x)
        return criterion(logits, y) + self.beta * divergence, logits
