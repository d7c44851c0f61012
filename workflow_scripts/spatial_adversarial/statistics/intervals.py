"""Intervals of measured numbers and of their differences: over test images for one seed, else over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats takes half a second to import: only where it is needed

from spatial_adversarial.statistics.sample import Sample

RARE = 10  # images: with fewer of one outcome the bootstrap's interval is too narrow, and the exact one takes its place


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, standard error and degrees of freedom; nan: replicates that are no number.

    The interval of a published number is itself.
    """

    value: float
    low: float
    high: float
    error: float = 0.0
    freedom: float = np.inf
    nan: int = 0
    published: bool = False

    def beyond(self, line: float, sign: int = 1) -> bool:
        """Whether all of it lies above (sign 1) or below (-1) a line; never for an interval of width zero."""
        near = self.low if sign > 0 else self.high
        return (self.published or self.high > self.low) and sign * (near - line) > 0

    def p(self, sign: int) -> float:
        """One-sided p-value for a true value above (sign 1) or below (-1) 0; 1 where no error is known."""
        return float(1 - stdtr(min(self.freedom, 1e9), sign * self.value / self.error)) if self.error else 1.0


def of_share(value: float, images: int, level: float, method: str = "exact") -> tuple[float, float]:
    """Clopper and Pearson's ("exact") or "wilson"'s interval of a share of `images`."""
    from scipy.stats import binomtest

    count = round(value * images)
    if 0 < value < 1:  # a mean over random draws: neither none nor all
        count = min(max(count, 1), images - 1)
    found = binomtest(count, images).proportion_ci(level, method)
    return float(found.low), float(found.high)


def rare(value: float, images: int) -> bool:
    """Whether a share is so near 0 or 100% of its images that its interval is Clopper and Pearson's."""
    return images > 0 and min(value, 1 - value) * images < RARE


def mean(samples: Sequence[Sample]) -> Sample:
    """The mean of one network's numbers, such as the points of its curve."""
    first = samples[0]
    averaged = (np.mean([getattr(s, name) for s in samples], axis=0) for name in ("value", "drawn", "seeds"))
    return Sample(*averaged, origin=first.origin, images=first.images)


def at_end(samples: Sequence[Sample]) -> bool:
    """Whether the intervals of all these shares touch 0, or all 100%: they cannot be told apart.

    Wilson's interval, and Clopper and Pearson's, touches the end where no image is on the other side.
    """
    if not all(sample.images for sample in samples):
        return False
    return any(all(abs(sample.value - end) < 1e-9 for sample in samples) for end in (0, 1))


def interval(sample: Sample, level: float) -> Interval:
    """The interval of one number: Student's over seeds; over images the percentile bootstrap, exact if rare."""
    return contrast([(1, sample)], level)


def difference(first: Sample, second: Sample, level: float) -> Interval:
    """The interval of the first less the second: paired within an origin, else Welch's over seeds."""
    return contrast([(1, first), (-1, second)], level)


def steps(family: Sequence[Sample], level: float) -> list[Interval]:
    """The intervals of the differences of neighbours, the second less the first.

    Over seeds of independent trainings Student's, its variance pooled over the whole family: of few seeds alone the
    variance of two members is hardly known.
    """
    found = [difference(after, before, level) for before, after in pairwise(family)]
    independent = len({sample.origin for sample in family}) == len(family)
    if not independent or min(len(sample.seeds) for sample in family) < 2:
        return found
    freedom = sum(len(sample.seeds) - 1 for sample in family)
    squares = sum(float(((sample.seeds - sample.seeds.mean()) ** 2).sum()) for sample in family)
    pooled = []
    for (before, after), step in zip(pairwise(family), found, strict=True):
        error = (squares / freedom * (1 / len(before.seeds) + 1 / len(after.seeds))) ** 0.5
        half = float(stdtrit(freedom, (1 + level) / 2)) * error
        wide = replace(step, low=step.value - half, high=step.value + half, error=error, freedom=freedom)
        pooled.append(wide if error > 0 else step)
    return pooled


def contrast(terms: Sequence[tuple[float, Sample]], level: float) -> Interval:
    """The interval of the sum of weight * number.

    One seed: percentiles of the paired replicates; where a share is rare, the exact intervals of the parts put
    together as independent (Newcombe's method, wide for paired images). Several seeds: Student's on the sums of
    each origin by seed, origins being independent (Welch-Satterthwaite). Seeds that all agree leave no width: then
    that of the images is taken.
    """
    value = float(sum(weight * sample.value for weight, sample in terms))
    drawn = np.sum([weight * sample.drawn for weight, sample in terms], axis=0)
    if not len(drawn):
        return Interval(value, value, value, published=True)
    nan = int(np.isnan(drawn).sum())
    if all(len(sample.seeds) > 1 for _, sample in terms):
        error, freedom = _over_seeds(terms)
        if error > 0:
            half = stdtrit(min(freedom, 1e9), (1 + level) / 2) * error
            return Interval(value, value - half, value + half, error, freedom, nan)
    elif not any(rare(sample.value, sample.images) for _, sample in terms):
        low, high = _percentiles(drawn, level)
        return Interval(value, low, high, float(np.nanstd(drawn)), nan=nan)
    parts = [(weight, sample.value, *_over_images(sample, level)) for weight, sample in terms]
    down = np.hypot.reduce([w * (v - low) if w > 0 else w * (v - high) for w, v, low, high in parts])
    up = np.hypot.reduce([w * (high - v) if w > 0 else w * (low - v) for w, v, low, high in parts])
    return Interval(value, value - down, value + up, (up + down) / 2 / stdtrit(1e9, (1 + level) / 2), nan=nan)


def _over_seeds(terms: Sequence[tuple[float, Sample]]) -> tuple[float, float]:
    """(standard error, degrees of freedom) of a sum over independent origins."""
    by_origin: dict[tuple[str, int], np.ndarray] = {}  # other numbers of seeds cannot be paired
    for weight, sample in terms:
        key = sample.origin, len(sample.seeds)
        by_origin[key] = by_origin.get(key, 0) + weight * sample.seeds
    parts = [(float(values.var(ddof=1)) / len(values), len(values) - 1) for values in by_origin.values()]
    square = sum(part for part, _ in parts)
    return (
        (square**0.5, square**2 / sum(part**2 / n for part, n in parts)) if square > 1e-24 else (0.0, np.inf)
    )


def _over_images(sample: Sample, level: float) -> tuple[float, float]:
    if rare(sample.value, sample.images):
        return of_share(sample.value, sample.images, level)
    return _percentiles(sample.drawn, level)


def _percentiles(drawn: np.ndarray, level: float) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high
