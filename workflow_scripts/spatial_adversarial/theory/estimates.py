"""Numbers with 95% intervals, and what a theorem's slack shows: it holds, fails or stays undecided."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from scipy.stats import norm

Z = norm.ppf(0.975)
MARGIN = 0.01  # an attained bound has slack 0: every interval reaches below 0, by sampling error alone


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


def exactly(value: float) -> Estimate:
    """A number that is known."""
    return Estimate(float(value), float(value), float(value))


def wilson(successes: int, trials: int) -> Estimate:
    """Share of successes with its Wilson score interval."""
    share = successes / trials
    centre = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * (share * (1 - share) / trials + Z**2 / (4 * trials**2)) ** 0.5
    return Estimate(share, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def combine(weights: Sequence[float], estimates: Sequence[Estimate], constant: float = 0.0) -> Estimate:
    """constant + sum of weight * estimate, independent estimates; intervals add in squares (MOVER)."""
    value, below, above = constant, 0.0, 0.0
    for weight, estimate in zip(weights, estimates, strict=True):
        arms = weight * (estimate.low - estimate.value), weight * (estimate.high - estimate.value)
        value, below, above = value + weight * estimate.value, below + min(arms) ** 2, above + max(arms) ** 2
    return Estimate(float(value), float(value - below**0.5), float(value + above**0.5))


def evidence(rows: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of a theory target that could have failed: slack where `hypothesis` says "holds"."""
    return rows[(rows["metric"] == "slack") & (rows["hypothesis"] == "holds")]


def below_zero(slack: pd.DataFrame) -> pd.Series:
    """bool [N]: whole intervals below 0, widened for N comparisons (Bonferroni), so that 1 in 40 errs at most."""
    widening = norm.ppf(1 - 0.025 / max(len(slack), 1)) / Z
    return slack["value"] + widening * (slack["high"] - slack["value"]) < 0


def verdict(slack: pd.DataFrame) -> str:
    """What comparisons show: "fails" where one is `below_zero`, "holds" where no interval reaches below -MARGIN."""
    if below_zero(slack).any():
        return "fails"
    return "holds" if len(slack) and (slack["low"] >= -MARGIN).all() else "undecided"
