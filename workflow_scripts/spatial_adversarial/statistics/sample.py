"""A measured number with what its interval is computed from."""

from dataclasses import dataclass, field

import numpy as np


def _none() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True)
class Sample:
    """A number measured on one network a seed.

    drawn: [B] bootstrap replicates, paired image by image with those of other samples. seeds: [S] the value of each
    seed; empty where there is one. origin: the run that the network's training goes back to; samples with one
    origin are paired seed by seed, others are independent. images: how many a share is of, 0 where it is none.
    A published number has neither replicates nor seeds.
    """

    value: float
    drawn: np.ndarray = field(default_factory=_none)
    seeds: np.ndarray = field(default_factory=_none)
    origin: str = ""
    images: int = 0
