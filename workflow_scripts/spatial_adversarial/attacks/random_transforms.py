"""Random rotations and translations, as a profile has them: no adversary chooses them."""

from __future__ import annotations

from dataclasses import dataclass

from spatial_adversarial.attacks.base import FORWARD, Perturbation
from spatial_adversarial.attacks.block import Block, Found
from spatial_adversarial.transforms.strengths import STRENGTHS


@dataclass(frozen=True, kw_only=True)
class RandomTransform(Perturbation):
    """Each image moved by its own draw of `transforms.spatial`, up to the point's strength."""

    key = "transform"
    spaces = ("pixel",)  # a moved image knows no other
    labels = ()
    in_blocks = False

    def keeps_clean(self, point: float) -> bool:
        return False  # it is drawn and evaluated like any other point

    def words(self, point: float) -> list[str]:
        return [f"±{self.strength_words(point)}"] if point else []

    def strength_words(self, point: float) -> str:
        return f"{point:g} of the side"

    def passes(self, point: float, classes: int) -> float:
        return FORWARD

    def predictions(self, block: Block, point: float) -> Found:
        from spatial_adversarial.transforms.spatial import random_transform

        generator = block.generator(self.name, point, *block.names)
        return {"prediction": block.predict(random_transform(block.images, self.name, point, generator))}


@dataclass(frozen=True, kw_only=True)
class Rotate(RandomTransform):
    """Rotations up to so many degrees."""

    name = "rotate"
    label = "Rotation"
    unit, limit = STRENGTHS[name]

    def strength_words(self, point: float) -> str:
        return f"{point:g}°"


@dataclass(frozen=True, kw_only=True)
class Translate(RandomTransform):
    """Shifts up to a fraction of the side in each direction."""

    name = "translate"
    label = "Translation"
    unit, limit = STRENGTHS[name]


@dataclass(frozen=True, kw_only=True)
class RotateTranslate(RandomTransform):
    """At strength i rotations up to 180 i degrees, then shifts up to i of the side."""

    name = "rotate_translate"
    label = "Rotation and translation"
    unit, limit = STRENGTHS[name]

    def strength_words(self, point: float) -> str:
        return f"{point:g}, ±{180 * point:g}°"


TRANSFORMS = (Rotate, Translate, RotateTranslate)
