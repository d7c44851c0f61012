"""The strengths of the random transforms; no torch."""

from typing import NamedTuple


class Strength(NamedTuple):
    """What a transform's strength counts, and the largest."""

    unit: str
    limit: int


STRENGTHS = {
    "rotate": Strength("degrees", 180),
    "translate": Strength("fraction of the side", 1),
    "rotate_translate": Strength("fraction of the side", 1),
}
