"""What a profile may do to test images, and what every attack shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spatial_adversarial.attacks.block import Block, Found, in_parts
from spatial_adversarial.settings.fields import setting
from spatial_adversarial.settings.numbers import number_text

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

# what one pass of an image through a network costs: forward, and a step of an attack, which goes back to the input
FORWARD = 1
INPUT_GRADIENT = 2

TRUE, PREDICTED = "true", "predicted"  # the labels whose loss an attack climbs


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """What a profile does to test images at each point of its grid: its fields are its settings.

    key, name: how a profile asks for it, `<key>: <name>`. label: its name in captions. unit, limit: of its points, and
    the largest of them. spaces: the inputs that it may move in. deterministic: more draws would give the same.
    in_blocks: it takes a few hundred images at a time, and what it found of them is kept, so that no interruption loses
    it. joins_blocks: it takes several such blocks at once; what it draws at random is the block's `uniform`, which then
    is of each one's own stream. checked: an attack check may show a figure's panels of it under stronger attacks.
    rules: JSON schemas that its profile has to fit, beside those of its fields.
    """

    key: ClassVar[str] = "attack"
    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    unit: ClassVar[str] = "eps"
    limit: ClassVar[int] = 1
    spaces: ClassVar[tuple[str, ...]] = ("pixel", "normalized")
    deterministic: ClassVar[bool] = False
    in_blocks: ClassVar[bool] = True
    joins_blocks: ClassVar[bool] = False
    checked: ClassVar[bool] = False
    rules: ClassVar[tuple[dict, ...]] = ()

    @property
    def rows(self) -> tuple[str, ...]:
        """What it finds, as an `Evaluation` names it."""
        return ("prediction",)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels whose loss it climbs."""
        return (TRUE,)

    @property
    def version(self) -> int:
        """Raised where what it computes changes."""
        return 1

    @property
    def reach(self) -> float | None:
        """How far its steps can move an image, in the unit of its points; None for no such limit."""
        return None

    @property
    def source(self) -> str | None:
        """The run whose network it attacks in place of the evaluated one."""
        return None

    @property
    def survivors_of(self) -> dict | None:
        """What is known of the profile at a smaller eps whose survivors alone it attacks."""
        return None

    @property
    def pictures(self) -> int:
        """How many of the first perturbed images are kept."""
        return 0

    @property
    def note(self) -> str:
        """What a figure of it has to say."""
        return ""

    def fitted(self, classes: int, data: str) -> dict:
        """The settings that change for `data` of so many classes; ValueError, one line, where none fit."""
        return {}

    def keeps_clean(self, point: float) -> bool:
        """Whether images stay as they are at a point."""
        return point == 0

    def words(self, point: float) -> list[str]:
        """What was done to the images, in words: how far it went, and with which settings."""
        return [f"eps {number_text(point)}", *self.settings_words()] if point else []

    def settings_words(self) -> list[str]:
        """Its settings, in words."""
        return []

    def columns(self) -> dict[str, str]:
        """The settings that a table's columns have in words."""
        return {}

    def passes(self, point: float, classes: int) -> float:
        """Passes of one image at a point that does not keep the images clean; at most, where it is not known."""
        raise NotImplementedError

    def predictions(self, block: Block, point: float) -> Found:
        """Its `rows` at a point, [n] each."""
        raise NotImplementedError

    def remark(self, grid: tuple[float, ...], found: dict[str, np.ndarray]) -> str:
        """What is worth a warning in the rows found, [points, draws, images] each; empty for nothing."""
        return ""


@dataclass(frozen=True, kw_only=True)
class WithRestarts(Perturbation):
    """An attack that may be tried from several random starts."""

    restarts: int = setting(
        "Random starts; an image is fooled where one of them fools the network.",
        default=1,
        type="integer",
        minimum=1,
    )

    def restarts_words(self) -> list[str]:
        return count_words(restarts=self.restarts) if self.restarts > 1 else []

    def restarted(self, attack: Callable[[tuple, Tensor], Found], labels: Tensor) -> Found:
        """What an attack finds from its first start, or from the first one whose prediction is not the label.

        attack: (names of a start, bool [n] of the images that still stand) -> rows of these.
        """
        import torch

        found = attack((), torch.ones_like(labels, dtype=torch.bool))
        for again in range(1, self.restarts):
            standing = found["prediction"] == labels
            if not standing.any():
                break
            for name, row in attack((again,), standing).items():
                found[name][standing] = row
        return found


@dataclass(frozen=True, kw_only=True)
class ExampleAttack(WithRestarts):
    """An attack that makes an adversarial example of each image that is right; what is wrong already stays as it is."""

    spaces = ("pixel",)
    survivors_of: dict | None = setting(
        "The same attack at a smaller eps, which a paper's file names; images that are fooled there count as fooled, "
        "and are not attacked again.",
        default=None,
        type=["object", "null"],
    )

    def words(self, point: float) -> list[str]:
        words = super().words(point)
        if words and self.survivors_of:
            words.append(f"of images that withstand eps {number_text(self.survivors_of['grid'][0])}")
        return words

    def examples(self, model: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int) -> Tensor:
        """Adversarial examples within L-inf eps of x, float32 [N, C, H, W] in [0, 1]; y: the labels, int64 [N]."""
        raise NotImplementedError

    def predictions(self, block: Block, point: float) -> Found:
        # what it draws depends on how many images it attacks, so that a restart attacks all that are right
        return self.restarted(
            lambda start, standing: {"prediction": self._once(block, point, start)[standing]}, block.labels
        )

    def _once(self, block: Block, eps: float, start: tuple) -> Tensor:
        prediction = block.before.clone()
        right = prediction == block.labels
        if right.any():
            moved = self.examples(
                in_parts(block.space.model, block.batch),
                block.pixels(right),
                block.labels[right],
                eps=eps,
                seed=block.derived_seed(self.name, eps, *block.names, *start),
            )
            prediction[right] = block.predict(moved)
        return prediction


def count_words(**counts: int) -> list[str]:
    """Counts in words: "10 steps", "5,000 queries"."""
    return [f"{count:,} {name}" for name, count in counts.items()]


@contextmanager
def attack_mode(model: nn.Module, *, train_mode: bool = False) -> Iterator[nn.Module]:
    """Put the model in eval mode with frozen parameters; restore each module and parameter on the way out.

    With `train_mode` the modules keep the mode they are in, so that batch-norm statistics move as they do
    in training, and only the parameters are frozen. Restores after an exception too.
    """
    modes = [(module, module.training) for module in model.modules()]
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        if not train_mode:
            model.eval()
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield model
    finally:
        for module, training in modes:
            module.training = training
        for parameter in trainable:
            parameter.requires_grad_(True)
