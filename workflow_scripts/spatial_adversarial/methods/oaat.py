"""Oracle-aligned adversarial training (Addepalli et al. 2021)."""

from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.pgd import cross_entropy_sum, divergence_sum, pgd
from spatial_adversarial.methods.base import Memory, Method, see_again, stretched
from spatial_adversarial.methods.trades import trades_loss
from spatial_adversarial.training.perceptual import Observed


class AveragedNetwork(Memory):
    """The exponential mean of the network's weights and statistics; `saved` is it at the end of the last epoch.

    `saved` is in eval mode and takes no gradients; until the first epoch ends it is the untrained network.
    With decay 0 there is no averaging: `saved` is the network as the last epoch left it.
    """

    def __init__(self, network: nn.Module, decay: float):
        super().__init__()
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.saved = deepcopy(network).eval().requires_grad_(False)

    def after_batch(self, network: nn.Module) -> None:
        self.average.update_parameters(network)

    def after_epoch(self) -> None:
        self.saved.load_state_dict(self.average.module.state_dict())


def log_mixture(share: float, first: Tensor, second: Tensor) -> Tensor:
    """The logarithm of share exp(first) + (1 - share) exp(second), of log-probabilities [N, K]; share in [0, 1]."""
    shares = torch.tensor([share, 1 - share], dtype=first.dtype, device=first.device).log()
    return torch.logaddexp(first + shares[0], second + shares[1])


@dataclass
class Oaat(Method):
    """CE(f(x), y) + beta KL of f(x') from f(x) up to `imperceptible`; beyond, `batches` take turns.

    Up to there x' climbs the cross-entropy from U(+-start). A "sensitive" batch climbs it in the ball of radius
    `largest`; x' is that x_hat clipped to eps, and its target alpha f(x) + (1 - alpha) f(x_hat). An "invariant"
    batch climbs CE - lpips LPIPS(x, x') from U(+-eps), LPIPS seen by the exponential mean (`average`) of the
    network. Steps are 2.5 eps / steps. `climb: kl` climbs the divergence from f(x) in CE's place, `reverse` takes
    KL(f(x') || target) of a sensitive batch, as the text writes it, and `train_mode` attacks in train mode.
    The loss passes images in train mode as the authors' code does: attacked, clean and clean ones up to
    `imperceptible`, then x_hat, clean and clipped ones, or attacked and clean ones.
    """

    eps: float
    steps: int
    beta: float
    alpha: float
    lpips: float
    start: float
    imperceptible: float
    largest: float
    batches: list[str] = field(default_factory=lambda: ["sensitive", "invariant"])
    average: float = 0.995
    climb: str = "ce"
    reverse: bool = False
    train_mode: bool = True
    x_hat: Tensor | None = field(default=None, init=False)

    def memory(self, network):
        return AveragedNetwork(network, self.average)

    @property
    def imperceptibly(self) -> bool:
        """Whether eps is still imperceptible; at 12/255, as schedules compute it, it is."""
        return self.eps <= self.imperceptible + 1e-9

    def attack(self, network, x, y, context):
        if self.imperceptibly:
            return self._climb(network, x, y, self.eps, min(self.start, self.eps), context)
        if self.batches[context.batch % len(self.batches)] == "invariant":
            observed = Observed(network, context.memory.saved, x)
            return self._climb(observed, x, y, self.eps, self.eps, context, observed=True)
        self.x_hat = self._climb(network, x, y, self.largest, self.start, context)
        return torch.clamp(self.x_hat, x - self.eps, x + self.eps)

    def loss(self, network, x, adversarial, y, *, criterion):
        if self.x_hat is None:
            return self._trades(network, x, adversarial, y, criterion)
        far, logits, moved = network(self.x_hat), network(x), network(adversarial)
        target = log_mixture(self.alpha, logits.log_softmax(1), far.log_softmax(1))
        first, second = (target, moved.log_softmax(1)) if self.reverse else (moved, target)
        divergence = divergence_sum(first, second)
        return criterion(logits, y) + self.beta * divergence / len(x), logits

    def climbed(self, network, x, adversarial, y, *, reach, criterion):
        """CE + beta KL from the clean prediction; on a sensitive batch at x_hat, neither clipped nor mixed."""
        far = adversarial if self.x_hat is None else self.x_hat
        return self._trades(network, x, stretched(x, far, reach), y, criterion)[0]

    def after_loss(self, network, x):
        if self.imperceptibly:
            see_again(network, x)

    def _trades(self, network, x, adversarial, y, criterion):
        return trades_loss(network, x, adversarial, y, beta=self.beta, first="attacked", criterion=criterion)

    def _climb(
        self,
        model: nn.Module,
        x: Tensor,
        y: Tensor,
        eps: float,
        start: float,
        context,
        observed: bool = False,
    ) -> Tensor:
        target, plain = y, cross_entropy_sum
        if self.climb == "kl":
            network = model.network if observed else model
            with attack_mode(network, train_mode=self.train_mode), torch.no_grad():
                target, plain = network(x).log_softmax(1), divergence_sum

        def less_lpips(outputs: tuple[Tensor, Tensor], target: Tensor) -> Tensor:
            return plain(outputs[0], target) - self.lpips * outputs[1].sum()

        unit = torch.rand(x.shape, generator=context.generator, device=x.device)
        return pgd(
            model,
            x,
            target,
            eps=eps,
            step=2.5 * eps / self.steps,
            steps=self.steps,
            start=x + start * (2 * unit - 1),
            generator=None,
            loss=less_lpips if observed else plain,
            train_mode=self.train_mode,
        )
