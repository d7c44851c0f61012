"""The Square attack, which sees no gradient, as AutoAttack runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.autoattack import package, package_mode
from spatial_adversarial.attacks.base import FORWARD, ExampleAttack, count_words
from spatial_adversarial.settings.fields import setting

if TYPE_CHECKING:
    from torch import Tensor, nn


def square(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int, queries: int = 5000) -> Tensor:
    """The L-inf Square attack (Andriushchenko et al. 2020), p = .8, as AutoAttack runs it, `queries` at most.

    x: float32 [N, C, H, W] in [0, 1]; y: int64 [N]. Returns adversarial examples, x itself where none was found. The
    model is attacked in eval mode and left as it was, torch's global generator too.
    """
    import torch

    package()
    from pyautoattack.square import SquareAttack

    with package_mode(model, x), torch.no_grad():
        # it asks once for its start, and once an image at each query after that
        attack = SquareAttack(
            model, eps=eps, n_queries=queries - 1, p_init=0.8, seed=seed, device=x.device, resc_schedule=False
        )
        return attack.perturb(x, y)


@dataclass(frozen=True, kw_only=True)
class Square(ExampleAttack):
    """Random search by squares."""

    name = "square"
    label = "Square"
    queries: int = setting("Queries an image, at most.", type="integer", minimum=2)

    def settings_words(self) -> list[str]:
        return [*self.restarts_words(), *count_words(queries=self.queries)]

    def passes(self, point: float, classes: int) -> float:
        return self.restarts * self.queries * FORWARD

    def examples(self, model: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int) -> Tensor:
        return square(model, x, y, eps=eps, seed=seed, queries=self.queries)


ATTACK = Square
