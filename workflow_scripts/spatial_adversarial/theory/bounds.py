"""The theorems' statements: which accuracy bounds which, and by how much (section 3 of each paper)."""

from collections.abc import Callable
from dataclasses import dataclass

Side = Callable[[float, float, float], float]


@dataclass(frozen=True)
class Bound:
    """A theorem: premise >= 1 - eta implies lower <= conclusion <= upper, the sides from (eta, p, m / d).

    upper rises and lower falls with eta. needs: from p, the smallest eta at which some classifier meets the
    premise. paired: on invariance's distribution and under its A, not on the coded one under all attacks.
    """

    premise: str
    conclusion: str
    needs: Callable[[float], float]
    upper: Side
    lower: Side | None = None
    paired: bool = False

    def sides(self) -> dict[str, Side]:
        """The sides that are stated, by metric name."""
        stated = {"lower_bound": self.lower, "upper_bound": self.upper}
        return {metric: side for metric, side in stated.items() if side}

    def hypothesis(self, eta: float, p: float) -> str:
        """Say "empty" where no classifier meets the premise, else "holds"."""
        return "empty" if eta < self.needs(p) - 1e-9 else "holds"


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
)
# Theorem 2 of cusp, whose printed formulas are garbled, in its two halves.
ADVERSARIAL_LIMITS_SPATIAL = Bound(
    "adversarial_accuracy",
    "spatial_accuracy",
    needs=lambda p: 1 - p,
    upper=lambda eta, p, share: eta * p / (1 - p),
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
