"""Statistics of models as points of two accuracies: area, dominance, and distance to the front of all of them."""

from dataclasses import replace

import numpy as np

from spatial_adversarial.judging.columns import Column
from spatial_adversarial.judging.extremes import Part, greatest, least, part
from spatial_adversarial.metrics.hypervolume import distance_to_front, hypervolume
from spatial_adversarial.statistics.intervals import Sample, difference, interval

Rows = list[str | int]
NAMES = ("value", "drawn", "seeds")  # of a Sample's numbers


def area(column: Column, to: Column, level: float, row, over: Rows, reference: float = 0) -> tuple:
    """What a row dominates beyond a reference point less what each other row does; (least of it, what is compared)."""
    others = [name for name in _both(column, to, over) if name != str(row)]
    first, *found = (_product(column.of(name), to.of(name), reference) for name in (row, *others))
    parts = [part(difference(first, one, level), level) for one in found]
    return least(parts, level), [first, *found]


def ahead(column: Column, to: Column, level: float, rows: Rows, over: Rows) -> tuple:
    """The lead of a row over another in the better of two columns: the least over all pairs of rows and others.

    Above 0: every row exceeds each of the others in one of the two, so that none is dominated.
    """
    first, others = to.asked(column.asked(rows)), _both(column, to, over)
    pairs = [(a, b) for a in first for b in others if a != b]
    parts = [_lead(column, to, a, b, level) for a, b in pairs]
    return least(parts, level), [column.of(row) for row in {*first, *others}]


def adds(column: Column, to: Column, level: float, row, over: Rows, reference: float = 0) -> tuple:
    """The area beyond a reference point that a row adds to what others dominate; (it, compared, what decides).

    It is above 0 just where no other is as good in both columns and the row lies beyond the reference in both, so
    that is what decides: an area that cannot be negative has no interval on both sides of 0.
    """
    others = [name for name in _both(column, to, over) if name != str(row)]
    x, y = _arrays(column, [str(row), *others]), _arrays(to, [str(row), *others])
    x, y = (np.maximum(axis - reference, 0) for axis in (x, y))
    first = column.of(row)
    found = interval(_sample(hypervolume(x, y) - hypervolume(x[1:], y[1:]), first), level)
    found = replace(found, low=max(found.low, 0.0)) if not found.published else found
    beyond = [_beyond(axis.of(row), reference, level) for axis in (column, to)]
    decides = least([*(_lead(column, to, str(row), other, level) for other in others), *beyond], level)
    return found, [first, *(column.of(other) for other in others)], decides


def nearer(column: Column, to: Column, level: float, row, over: Rows) -> tuple:
    """A row's distance to the front of all, less that of each other row; (the greatest, what is compared)."""
    others = [name for name in _both(column, to, over) if name != str(row)]
    names = [str(row), *others]
    first = column.of(row)
    distance = distance_to_front(_arrays(column, names), _arrays(to, names))
    parts = [part(interval(_sample(distance[0] - one, first), level), level) for one in distance[1:]]
    return greatest(parts, level), [first, *(column.of(other) for other in others)]


def _both(column: Column, to: Column, rows: Rows) -> list[str]:
    return to.among(column.among(rows))


def _lead(column: Column, to: Column, row: str, other: str, level: float) -> Part:
    axes = [part(difference(axis.of(row), axis.of(other), level), level) for axis in (column, to)]
    return lambda wide: greatest(axes, wide)


def _beyond(sample: Sample, reference: float, level: float) -> Part:
    found = interval(sample, level)
    ends = {name: getattr(found, name) - reference for name in ("value", "low", "high")}
    return part(replace(found, **ends), level)


def _product(x: Sample, y: Sample, reference: float) -> Sample:
    both = [[np.maximum(getattr(one, name) - reference, 0) for one in (x, y)] for name in NAMES]
    return Sample(*(a * b for a, b in both), origin=x.origin)


def _arrays(column: Column, rows: list[str]) -> np.ndarray:
    """[rows, 1 + B + S]: the estimate, its replicates, its value by seed, of as many seeds as all rows have."""
    found = [column.of(row) for row in rows]
    seeds = min(len(one.seeds) for one in found)
    return np.stack([np.concatenate([[one.value], one.drawn, one.seeds[:seeds]]) for one in found])


def _sample(values: np.ndarray, like: Sample) -> Sample:
    """A statistic [1 + B + S] of several rows as a sample: trainings of one seed number are taken together."""
    end = 1 + len(like.drawn)
    return Sample(float(values[0]), values[1:end], values[end:])
