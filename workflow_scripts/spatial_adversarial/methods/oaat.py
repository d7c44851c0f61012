"""Oracle-aligned adversarial training (Addepalli et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spatial_adversarial.attacks.base import FORWARD, INPUT_GRADIENT
from spatial_adversarial.methods.averaged_network import AveragedNetwork
from spatial_adversarial.methods.base import (
    COUNT,
    POSITIVE,
    SHARE,
    TRAIN_STEP,
    WEIGHT,
    Method,
    see_again,
    stretched,
)
from spatial_adversarial.methods.trades import trades_loss
from spatial_adversarial.settings.fields import setting

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spatial_adversarial.methods.base import Context


def log_mixture(share: float, first: Tensor, second: Tensor) -> Tensor:
    """The logarithm of share exp(first) + (1 - share) exp(second), of log-probabilities [N, K]; share in [0, 1]."""
    import torch

    shares = torch.tensor([share, 1 - share], dtype=first.dtype).log().to(first.device, non_blocking=True)
    return torch.logaddexp(first + shares[0], second + shares[1])


@dataclass(kw_only=True)
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

    version = 2
    published = "OA-AT"
    loss_passes = 2 * TRAIN_STEP

    eps: float = setting("The radius of the ball, in pixels of [0, 1]; 0 is natural training.", **SHARE)
    steps: int = setting("Steps of the attack, of 2.5 eps / steps each.", **COUNT)
    beta: float = setting("The weight of the divergence.", **POSITIVE)
    alpha: float = setting("The share of the clean prediction in the target of a sensitive batch.", **SHARE)
    lpips: float = setting("The weight of LPIPS in the attack of an invariant batch.", **WEIGHT)
    start: float = setting("The radius of the attack's uniform start, in pixels of [0, 1].", **SHARE)
    imperceptible: float = setting("The eps up to which a perturbation changes no image's label.", **SHARE)
    largest: float = setting("The radius of the ball of a sensitive batch's attack.", **SHARE)
    batches: list[str] = setting(
        "The kinds of batches beyond the imperceptible, which take turns.",
        default=["sensitive", "invariant"],
        type="array",
        minItems=1,
        items={"enum": ["sensitive", "invariant"]},
    )
    average: float = setting(
        "The decay of the network's exponential mean.",
        default=0.995,
        type="number",
        minimum=0,
        exclusiveMaximum=1,
    )
    climb: str = setting(
        "What the attack climbs: the cross-entropy, or the divergence from f(x).",
        default="ce",
        enum=["ce", "kl"],
    )
    reverse: bool = setting(
        "Whether a sensitive batch takes KL(f(x') || target), not KL(target || f(x')).",
        default=False,
        type="boolean",
    )
    train_mode: bool = setting("Whether it attacks in train mode.", default=True, type="boolean")
    x_hat: Tensor | None = field(default=None, init=False)  # of a sensitive batch, from attack to loss

    @property
    def attack_passes(self):
        return self.steps * INPUT_GRADIENT

    @property
    def passes(self):
        # a quarter of the batches, at the end, see a third image or a second network
        return (super().passes + FORWARD) * 5 / 4

    def memory(self, network):
        return AveragedNetwork(network, self.average)

    @property
    def imperceptibly(self) -> bool:
        """Whether eps is still imperceptible; at 12/255, as schedules compute it, it is."""
        return self.eps <= self.imperceptible + 1e-9

    def attack(self, network, x, y, context):
        from spatial_adversarial.methods.lpips import with_distance

        if self.imperceptibly:
            return self._climb(network, x, y, self.eps, min(self.start, self.eps), context)
        if self.batches[context.batch % len(self.batches)] == "invariant":
            both = with_distance(network, context.memory.saved, x)
            return self._climb(both, x, y, self.eps, self.eps, context, lpips=True)
        self.x_hat = self._climb(network, x, y, self.largest, self.start, context)
        return self.x_hat.clamp(x - self.eps, x + self.eps)

    def loss(self, network, x, adversarial, y, *, criterion):
        from spatial_adversarial.attacks.losses import divergence_sum

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
        context: Context,
        lpips: bool = False,
    ) -> Tensor:
        """Climb CE or the divergence from a uniform start; less LPIPS where the model gives it beside the logits."""
        import torch

        from spatial_adversarial.attacks.base import attack_mode
        from spatial_adversarial.attacks.gradient_ascent import pgd
        from spatial_adversarial.attacks.losses import cross_entropy_sum, divergence_sum

        target: Tensor = y
        plain: Callable = cross_entropy_sum
        if self.climb == "kl":
            network: Any = model.network if lpips else model
            with attack_mode(network, train_mode=self.train_mode), torch.no_grad():
                target, plain = network(x).log_softmax(1), divergence_sum

        def less_lpips(outputs: tuple[Tensor, Tensor], target: Tensor) -> Tensor:
            return plain(outputs[0], target) - self.lpips * outputs[1].sum()

        loss: Callable = less_lpips if lpips else plain
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
            loss=loss,
            train_mode=self.train_mode,
        )


METHOD = Oaat
