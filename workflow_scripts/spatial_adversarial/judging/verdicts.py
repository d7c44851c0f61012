"""Verdicts: holds, fails, undecided, not informative, not run; docs/running.md has what each of them takes."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np

from spatial_adversarial.statistics.intervals import Interval, Sample, at_end, difference, mean, steps

ALPHA = 0.05  # one-sided: of Kendall's tau, and of a reversed pair
FAMILY = 4  # members from which Kendall's tau can reach ALPHA
SEEDS = 3  # of each member of a smaller family
NOISE = "; one seed: training noise is not in the interval"


class NotRun(Exception):
    """What a claim needs was not run; its text says what."""


class NotInformative(Exception):
    """A claim needs a network that has not learnt, or sides at one floor or ceiling; its text says which."""


def judge(found: Interval, test: dict) -> tuple[str, str]:
    """(the line, the verdict) for an interval under `above`, `below`, `between` or `near` of a test.

    near: [a gain that is claimed, how far from it is near]: its sign and its size hold together or not at all.

    holds: the whole interval lies on the right side; fails: on the wrong one; else undecided, as are an estimate
    exactly on the line and, unless it is a published number, an interval of width zero.
    """
    if "between" in test or "near" in test:
        first, last, line = _range(test)
        right = first <= found.low and found.high <= last and (found.published or found.high > found.low)
        wrong = found.beyond(last, 1) or found.beyond(first, -1)
    else:
        sign, bound = (1, test["above"]) if "above" in test else (-1, test["below"])
        line = f"{'>' if sign > 0 else '<'} {bound:g}"
        right, wrong = found.beyond(bound, sign), found.beyond(bound, -sign)
        if found.value == bound:
            right = wrong = False
    return line, "holds" if right else "fails" if wrong else "undecided"


def _range(test: dict) -> tuple[float, float, str]:
    """(first, last, in words) of the range that a test names."""
    if "between" in test:
        first, last = test["between"]
        return first, last, f"{first:g} to {last:g}"
    claimed, near = test["near"]
    first, last, side = (claimed - near, claimed + near, ">" if claimed > 0 else "<")
    ends = (max(first, 0.0), last) if claimed > 0 else (first, min(last, 0.0))
    return *ends, f"{side} 0 and {claimed:g} to within {near:g}"


def judge_interval(found: Interval, what: str, test: dict, compared: Sequence[Sample] = ()) -> dict:
    """The cells of a row of the claims table for an interval: statistic, value, low, high, line, verdict, nan.

    compared: the numbers of the networks that the claim is about. NotInformative where there are several, and all of
    them are at one floor or ceiling; of one seed, the line says what the interval leaves out.
    """
    if len(compared) > 1 and at_end(compared):
        raise NotInformative(f"all sides are at {100 * compared[0].value:g}%")
    line, verdict = judge(found, test)
    return _cells(found, what) | {"line": line + noise(compared), "verdict": verdict}


def noise(compared: Sequence[Sample]) -> str:
    """What the line of a claim says that rests on single trainings, of one network or of several; else empty."""
    alone = (sample.origin and len(sample.drawn) and len(sample.seeds) < 2 for sample in compared)
    return NOISE if any(alone) else ""


def _cells(found: Interval, what: str) -> dict:
    if found.published:
        return {"statistic": f"{what} (as printed, without an interval)", "value": found.value}
    return {"statistic": what, "value": found.value, "low": found.low, "high": found.high, "nan": found.nan}


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values, in the order of `p`."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def kendall(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Kendall's tau [...] between two sets of values [members, ...]; a tie counts for neither side."""
    pairs = combinations(range(len(values)), 2)
    return np.mean(
        [np.sign(values[j] - values[i]) * np.sign(others[j] - others[i]) for i, j in pairs], axis=0
    )


@lru_cache
def least_tau(members: int) -> float:
    """The least Kendall's tau of so many members whose exact one-sided p-value is at most 5%; inf below four."""
    from scipy.stats import kendalltau

    least, order = np.inf, list(range(members))
    while True:
        found = kendalltau(range(members), order, alternative="greater", method="exact")
        if not found.pvalue <= ALPHA:
            return float(least)
        least = found.statistic
        swap = next(k for k in range(members - 1) if order[k] < order[k + 1])  # one pair more out of order
        order[swap], order[swap + 1] = order[swap + 1], order[swap]


def judge_order(members: Sequence[Sequence[Sample]], what: str, sign: int, level: float) -> dict:
    """The verdict on "rises" (sign 1) or "falls" (-1) of a family, each member its curve at the same points.

    holds: Kendall's tau of the mean curves reaches least_tau, the interval of the difference of the ends lies beyond
    0, and no neighbouring pair, nor the ends, is reversed at any point (Holm). Fewer than four members need three
    seeds, and each neighbouring pair's Student interval beyond 0. fails: the same for the mirror image. Points at
    which all members are at one floor or ceiling do not count; NotInformative where none is left.
    """
    apart = [k for k in range(len(members[0])) if not at_end([member[k] for member in members])]
    if not apart:
        raise NotInformative("all members are at one floor or ceiling")
    members = [[member[k] for k in apart] for member in members]
    means = [mean(member) for member in members]
    ends = difference(means[-1], means[0], level)
    tau = float(kendall(np.array([one.value for one in means]), np.arange(len(means))))
    pairs = [*pairwise(members), (members[0], members[-1])]
    points = [difference(b, a, level) for one, other in pairs for a, b in zip(one, other, strict=True)]
    neighbours = steps(means, level)
    several = ends.published or min(len(one.seeds) for one in means) >= SEEDS

    def ordered(way: int) -> bool:
        if min(holm([point.p(-way) for point in points])) <= ALPHA:
            return False
        if len(members) < FAMILY:
            return several and all(step.beyond(0, way) for step in neighbours)
        return way * tau >= least_tau(len(members)) - 1e-9 and ends.beyond(0, way)

    verdict = "holds" if ordered(sign) else "fails" if ordered(-sign) else "undecided"
    side = ">" if sign > 0 else "<"
    few = f"each step {side} 0, {SEEDS} seeds"
    line = (
        few if len(members) < FAMILY else f"tau {side}= {sign * least_tau(len(members)):.3g}, ends {side} 0"
    )
    cells = _cells(ends, f"{what}: difference of the ends of {len(members)} members")
    return cells | {
        # of printed numbers, whose errors are not known, no pair can be tested
        "line": line + ("" if ends.published else ", no pair reversed") + noise(means),
        "verdict": verdict,
        "members": len(members),
        "tau": tau,
    }


def judge_apart(
    first: Sequence[Sample], second: Sequence[Sample], what: str, test: dict, level: float
) -> dict:
    """The verdict on "the second curve lies above (`above`) or below the first", point by point; the row tells
    the point that decides least. Points at which both are at one floor or ceiling do not count.
    """
    found = [
        (difference(b, a, level), a, b) for a, b in zip(first, second, strict=True) if not at_end([a, b])
    ]
    if not found:
        raise NotInformative("both curves are at one floor or ceiling")
    verdicts = {judge(one, test)[1] for one, _, _ in found}
    sign = 1 if "above" in test else -1
    weakest, *sides = min(found, key=lambda one: sign * (one[0].low if sign > 0 else one[0].high))
    cells = judge_interval(weakest, f"{what}: least of {len(found)} points", test, sides)
    return cells | {"verdict": verdicts.pop() if len(verdicts) == 1 else "undecided"}
