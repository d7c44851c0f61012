"""GAMA-PGD: PGD guided by the distance of the probabilities at first (Sriramanan et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import FORWARD, INPUT_GRADIENT, ExampleAttack, attack_mode, count_words
from spatial_adversarial.attacks.early_stopping import probability_margin
from spatial_adversarial.attacks.gradient_ascent import input_gradient
from spatial_adversarial.settings.fields import setting

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

GUIDED = 0.25  # share of the steps in which the guide's weight falls to 0
DROPS = (0.6, 0.85)  # shares of the steps after which the step is a tenth


def gama(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    steps: int = 100,
    weight: float = 50.0,
    generator: torch.Generator,
) -> Tensor:
    """Maximise the margin of probabilities plus w ||P(x0) - P(x')||^2 within L-inf eps of x and [0, 1].

    x: float32 [N, C, H, W] in [0, 1]; y: int64 [N]. x0 = x + eps sign(noise) is the start, w falls linearly from
    `weight` to 0 over the first quarter of the steps, and the step is 2 eps, a tenth of it after 60% and a
    hundredth after 85% of them. The model is attacked in eval mode and left as it was. Returns the last iterate.
    """
    import torch

    lower, upper = (x - eps).clamp(min=0), (x + eps).clamp(max=1)
    signs = torch.randint(0, 2, x.shape, generator=generator, device=x.device) * 2 - 1
    moved = (x + eps * signs).clamp(lower, upper)
    with attack_mode(model):
        with torch.no_grad():
            start = model(moved).softmax(1)
        for k in range(steps):
            guide = weight * max(0.0, 1 - k / (GUIDED * steps))

            def loss(logits: Tensor, y: Tensor, guide: float = guide) -> Tensor:
                return probability_margin(logits, y) + guide * (logits.softmax(1) - start).square().sum(1)

            step = 2 * eps * 0.1 ** sum(k >= drop * steps for drop in DROPS)
            moved = (moved + step * input_gradient(model, moved, y, loss).sign()).clamp(lower, upper)
    return moved


@dataclass(frozen=True, kw_only=True)
class Gama(ExampleAttack):
    """GAMA-PGD at its own schedule."""

    name = "gama"
    label = "GAMA-PGD"
    steps: int = setting("Steps along the gradient.", type="integer", minimum=1)

    def settings_words(self) -> list[str]:
        return [*count_words(steps=self.steps), *self.restarts_words()]

    def passes(self, point: float, classes: int) -> float:
        return self.restarts * (self.steps * INPUT_GRADIENT + FORWARD)

    def examples(self, model: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int) -> Tensor:
        import torch

        generator = torch.Generator(x.device).manual_seed(seed)
        return gama(model, x, y, eps=eps, steps=self.steps, generator=generator)


ATTACK = Gama
