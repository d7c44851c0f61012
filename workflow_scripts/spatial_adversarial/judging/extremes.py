"""Intervals of the least and the greatest of several numbers, such as a sentence about every row needs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from scipy.special import stdtrit

from spatial_adversarial.statistics.intervals import Interval

Part = Callable[[float], Interval]  # a number's interval at any level from the usual one on


def part(found: Interval, level: float) -> Part:
    """An interval at `level` as one at wider levels, its tails those of its error and degrees of freedom.

    Percentiles of the bootstrap do not reach that far: of 1,000 replicates one lies beyond 99.9%.
    """
    freedom = min(found.freedom, 1e9)

    def at(wide: float) -> Interval:
        more = float(stdtrit(freedom, (1 + wide) / 2) - stdtrit(freedom, (1 + level) / 2)) * found.error
        return replace(found, low=found.low - more, high=found.high + more)

    return at


def least(parts: Sequence[Part], level: float) -> Interval:
    """The interval of the least of several numbers, whichever that is.

    All of them lie above a line where each does at `level`. That one of them lies below it is shown by one interval
    alone, so the upper end is Bonferroni's over all.
    """
    near = [one(level) for one in parts]
    far = [one(1 - (1 - level) / len(parts)) for one in parts]
    return Interval(
        min(one.value for one in near),
        min(one.low for one in near),
        min(one.high for one in far),
        nan=max(one.nan for one in near),
        published=all(one.published for one in near),
    )


def greatest(parts: Sequence[Part], level: float) -> Interval:
    """The interval of the greatest of several numbers: as that of the least, with the ends' roles exchanged."""
    found = least([lambda wide, one=one: _negated(one(wide)) for one in parts], level)
    return _negated(found)


def _negated(found: Interval) -> Interval:
    return replace(found, value=-found.value, low=-found.high, high=-found.low)
