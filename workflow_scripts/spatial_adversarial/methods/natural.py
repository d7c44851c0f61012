"""Natural training: the criterion on the images as they are."""

from dataclasses import dataclass

from spatial_adversarial.methods.base import Method


@dataclass(kw_only=True)
class Natural(Method):
    """The criterion on clean images, without an attack."""

    published = "natural"


METHOD = Natural
