"""The theorems' statements: which accuracy bounds which, and by how much (section 3 of each paper)."""

from collections.abc import Callable
from dataclasses import dataclass

Side = Callable[[float, float, float], float]


@dataclass(frozen=True)
class Bound:
    """A theorem: premise >= 1 - eta implies lower <= conclusion <= upper, the sides from (eta, p, m / d).

    Upper sides rise and lower ones fall with eta. tight_upper, tight_lower: what the proof gives when it bounds
    every shift, not the identity alone; no paper states the two together. needs: from p, the smallest eta at
    which some classifier meets the premise. paired: on invariance's distribution and under its A, not on the
    coded one under all attacks.
    """

    premise: str
    conclusion: str
    needs: Callable[[float], float]
    upper: Side
    lower: Side | None = None
    tight_upper: Side | None = None
    tight_lower: Side | None = None
    paired: bool = False

    def sides(self) -> dict[str, Side]:
        """The sides that are stated, by metric name."""
        named = {"lower_bound": self.lower, "upper_bound": self.upper}
        named |= {"tight_lower": self.tight_lower, "tight_upper": self.tight_upper}
        return {metric: side for metric, side in named.items() if side}

    def empty(self, eta: float, p: float) -> bool:
        """Say whether no classifier meets the premise."""
        return eta < self.needs(p) - 1e-9

    def vacuous(self, metric: str, eta: float, p: float, share: float) -> bool:
        """Say whether a side excludes no accuracy in [0, 1]."""
        side = self.sides()[metric](eta, p, share)
        return side >= 1 if is_upper(metric) else side <= 0


def is_upper(metric: str) -> bool:
    """Say whether a side bounds from above."""
    return metric in ("upper_bound", "tight_upper")


# Solved for the spatial accuracy. A alone can be withstood, at the price of natural accuracy: any eta is met.
THEOREM_1 = Bound(
    "adversarial_accuracy",
    "spatial_accuracy",
    needs=lambda p: 0.0,
    upper=lambda eta, p, share: (p - (2 * p - 1) * (1 - eta)) / (2 * (1 - p)),
    paired=True,
)
# Theorem 2 of tradeoff, Theorem 3 of cusp. "No attack" and A are both attacks, so that eta >= 1 - p.
SHIFTS = Bound(
    "adversarial_accuracy",
    "spatial_accuracy",
    needs=lambda p: 1 - p,
    upper=lambda eta, p, share: 1 - share * (1 - eta * p / (1 - p)),
    lower=lambda eta, p, share: (1 - share) * (1 - eta),
    tight_upper=lambda eta, p, share: eta * p / (1 - p),
    tight_lower=lambda eta, p, share: 1 - eta,
)
# Theorem 2 of cusp in its two halves.
ADVERSARIAL_LIMITS_SPATIAL = Bound(
    "adversarial_accuracy",
    "spatial_accuracy",
    needs=lambda p: 1 - p,
    upper=lambda eta, p, share: eta * p / (1 - p),
    tight_lower=lambda eta, p, share: 1 - eta,
)
SPATIAL_LIMITS_ADVERSARIAL = Bound(
    "spatial_accuracy",
    "adversarial_accuracy",
    needs=lambda p: 0.0,
    upper=lambda eta, p, share: 1 - (1 - p) * (1 - eta) / p,
)
# None stands for Proposition 1, which bounds three accuracies by numbers.
STATEMENTS: dict[str, dict[str, Bound | None]] = {
    "invariance": {"theorem1": THEOREM_1},
    "tradeoff": {"proposition1": None, "theorem2": SHIFTS},
    "cusp": {
        "proposition1": None,
        "theorem2_spatial": ADVERSARIAL_LIMITS_SPATIAL,
        "theorem2_adversarial": SPATIAL_LIMITS_ADVERSARIAL,
        "theorem3": SHIFTS,
    },
}
AT_LEAST, AT_MOST = 0.97, 0.85  # Proposition 1's numbers
# What is simulated, from the most robust to the least, by name; X_0's weight is in units of what x says on average.
CLASSIFIERS = (
    "x0 only",
    "x0 × 2 + x",
    "x0 × 1.5 + x",
    "x0 × 1 + x",
    "x0 × 1 + averaged",
    "averaged over r(x)",
    "trained on r(x)",
    "Bayes on x",
    "half the coordinates",
    "majority of signs",
    "Bayes on x + A(x)",
)
