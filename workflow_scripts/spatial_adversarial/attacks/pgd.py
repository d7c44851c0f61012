"""PGD as a profile asks for it: its settings, passes and words, and its predictions under both labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import (
    FORWARD,
    INPUT_GRADIENT,
    PREDICTED,
    TRUE,
    WithRestarts,
)
from spatial_adversarial.attacks.block import Block, Found, Space
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.attacks.losses import cross_entropy_each, divergence_each
from spatial_adversarial.settings.fields import setting
from spatial_adversarial.settings.numbers import number_text

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from spatial_adversarial.attacks.gradient_ascent import Loss

WRONG = 1 / 4  # assumed share of images that are wrong when clean, which are attacked a second time
ZERO_GRADIENTS = 0.01  # the share of images without a gradient that is worth a warning

# a number, "relative" (2.5 eps / steps), or a share of eps
STEP = {
    "if": {"type": "string"},
    "then": {"enum": ["relative"]},
    "else": {
        "if": {"type": "object"},
        "then": {
            "additionalProperties": False,
            "required": ["of_eps"],
            "properties": {
                "of_eps": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "maximum": 2,
                    "description": "The share of eps.",
                }
            },
        },
        "else": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},  # of the range of a pixel
    },
}


@dataclass(frozen=True, kw_only=True)
class Pgd(WithRestarts):
    """PGD of a profile. On cross-entropy it climbs the true label and, where that is another, the predicted one."""

    name = "pgd"
    label = "PGD"
    checked = True
    joins_blocks = True
    rules = (
        # one start and one range fit the sup norm's ball alone
        {
            "if": {"properties": {"norm": {"const": "l2"}}},
            "then": {"properties": {"random_start": {"const": False}, "space": {"const": "pixel"}}},
        },
        {
            "if": {"properties": {"source": {"type": "string"}}},
            "then": {"properties": {"space": {"const": "pixel"}, "pictures": {"maximum": 0}}},
        },
        {
            # as `picture` makes them
            "if": {"properties": {"pictures": {"minimum": 1}}},
            "then": {
                "properties": {
                    "space": {"const": "pixel"},
                    "norm": {"const": "linf"},
                    "random_start": {"const": True},
                    "loss": {"const": "cross_entropy"},
                    "keep": {"const": "last"},
                }
            },
        },
    )
    step: float | str | dict = setting(
        "The size of a step: a number, `relative` (2.5 eps / steps), or a share of eps, `{of_eps: 0.25}`.",
        **STEP,
    )
    steps: int = setting("Steps along the gradient.", type="integer", minimum=1)
    norm: str = setting("The norm of its ball.", default="linf", enum=["linf", "l2"])
    random_start: bool = setting(
        "Whether it starts at a random point of the ball, else at the image.", default=True, type="boolean"
    )
    keep: str = setting(
        "Which of its iterates is shown to the network.", default="last", enum=["last", "best"]
    )
    loss: str = setting(
        "The loss that it climbs; `kl`: TRADES' divergence from the clean prediction; `predicted_at_start`: the "
        "cross-entropy of the label that the network predicts at the attack's start.",
        default="cross_entropy",
        enum=["cross_entropy", "kl", "predicted_at_start"],
    )
    source: str | None = setting(
        "The run whose network it attacks; its images are then shown to the one evaluated.",
        default=None,
        type=["string", "null"],
    )
    pictures: int = setting(
        "How many of the first attacked images are kept for a figure.", default=0, type="integer", minimum=0
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """Both labels on cross-entropy, else none: no other loss is of a label."""
        return (TRUE, PREDICTED) if self.loss == "cross_entropy" else ()

    @property
    def version(self) -> int:
        return 2 if PREDICTED in self.labels else 1

    @property
    def rows(self) -> tuple[str, ...]:
        return (
            "prediction",
            "zero_gradient",
            *(["prediction_predicted"] if PREDICTED in self.labels else []),
        )

    @property
    def reach(self) -> float | None:
        return float(self.step * self.steps) if isinstance(self.step, int | float) else None

    def step_words(self) -> str:
        """Its step: "2/255", "0.25 eps", "2.5 eps / steps"."""
        if isinstance(self.step, dict):
            return f"{self.step['of_eps']:g} eps"
        return "2.5 eps / steps" if isinstance(self.step, str) else number_text(self.step)

    def columns(self) -> dict[str, str]:
        return {"step": self.step_words()}

    def words(self, point: float) -> list[str]:
        reach, *rest = super().words(point) or [""]
        return [f"L2 {reach}" if self.norm == "l2" else reach, *rest] if reach else []

    def settings_words(self) -> list[str]:
        return [f"{self.steps:,} steps of {self.step_words()}", *self.restarts_words()]

    def passes(self, point: float, classes: int) -> float:
        attacks = self.restarts * (1 + WRONG * (PREDICTED in self.labels))
        return attacks * (self.steps * INPUT_GRADIENT + FORWARD)

    def predictions(self, block: Block, point: float) -> Found:
        """What the images are taken for, and where the gradient was 0.

        `prediction_predicted` is after the attack on the predicted labels. From equal starts this differs from the
        one on the true labels on images that are wrong alone, so only those are attacked twice.
        """
        import torch

        found = self._on(block, block.labels, torch.ones_like(block.labels, dtype=torch.bool), point)
        if PREDICTED not in self.labels:
            return found
        wrong = block.clean != block.labels
        again = {name: row.clone() for name, row in found.items()}
        if wrong.any():
            for name, row in self._on(block, block.clean, wrong, point).items():
                again[name][wrong] = row
        return {
            "prediction": found["prediction"],
            "zero_gradient": found["zero_gradient"] | again["zero_gradient"],
            "prediction_predicted": again["prediction"],
        }

    def _on(self, block: Block, labels: Tensor, chosen: Tensor, eps: float) -> Found:
        """The attack on the labels of chosen images, its random start drawn for the whole block at once."""
        import torch

        def once(start: tuple, standing: Tensor) -> Found:
            unit = block.uniform(self.name, eps, after=start)
            parts = [part[standing] for part in (block.pixels(chosen), labels[chosen], unit[chosen])]
            split = zip(*(part.split(block.batch) for part in parts), strict=True)
            found = [self._attack(block.space, x, y, unit, eps) for x, y, unit in split]
            return {name: torch.cat([one[name] for one in found]) for name in found[0]}

        return self.restarted(once, labels[chosen])

    def _attack(self, space: Space, pixels: Tensor, labels: Tensor, unit: Tensor, eps: float) -> Found:
        """Predictions, and where the gradient was exactly 0 at some step and the label stands, [n] each.

        unit: the random start in [0, 1]. A gradient that is 0 stays so, because its image stays where it is; once the
        network is fooled it does no harm.
        """
        import torch

        zero = torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
        x, y = space.inputs(pixels), labels
        loss: Loss = cross_entropy_each
        if self.loss == "kl":
            loss, y = divergence_each, space.attacked(x).log_softmax(1)
        first = x + eps * (2 * unit - 1) if self.random_start else x
        if self.loss == "predicted_at_start":
            y = space.attacked(first.clamp(space.low, space.high)).argmax(1)
        adversarial = pgd(
            space.attacked,
            x,
            y,
            eps=eps,
            step=self._step(eps),
            steps=self.steps,
            start=first,
            generator=None,
            norm=self.norm,
            loss=loss,
            keep_best=self.keep == "best",
            low=space.low,
            high=space.high,
            watch=lambda gradient: zero.logical_or_(~gradient.flatten(1).any(1)),
        )
        prediction = space.model(adversarial).argmax(1)
        return {"prediction": prediction, "zero_gradient": zero & (prediction == labels)}

    def _step(self, eps: float) -> float:
        if isinstance(self.step, str):
            return 2.5 * eps / self.steps
        return self.step["of_eps"] * eps if isinstance(self.step, dict) else self.step

    def picture(
        self, network: nn.Module, x: Tensor, y: Tensor, eps: float, generator: torch.Generator
    ) -> Tensor:
        """Images x, float32 [n, C, H, W] in [0, 1], after the attack on labels y at eps: what is shown of it."""
        return pgd(network, x, y, eps=eps, step=self._step(eps), steps=self.steps, generator=generator)

    def remark(self, grid: tuple[float, ...], found: dict[str, np.ndarray]) -> str:
        """Where more than a hundredth of the images stand at a gradient of exactly 0, at the worst point."""
        shares = found["zero_gradient"].mean(axis=(1, 2))
        worst = shares.argmax()
        if shares[worst] <= ZERO_GRADIENTS:
            return ""
        return (
            f"PGD left {100 * shares[worst]:.1f}% of the images standing at {grid[worst]:g} because their gradient is "
            "exactly 0: the network may be less robust than it looks; try an attack without gradients, such as square"
        )


ATTACK = Pgd
