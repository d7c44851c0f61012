"""Sampling the theorems' input distributions, and accuracies on them with 95% intervals.

Both constructions share one form: Y = +-1 evenly, X_0 = Y with probability p and -Y otherwise, the other
coordinates N(Y mean, 1). They differ in the mean, the attack's budget and the permutations behind r(x).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spatial_adversarial.theory.bounds import CLASSIFIERS
from spatial_adversarial.theory.codes import cyclic_code
from spatial_adversarial.theory.estimates import Estimate, combine, wilson

TRAINING_SAMPLES = 4000
X0_WEIGHTS = (2, 1.5, 1)
BLOCK = 10_000  # samples at a time


@dataclass(frozen=True)
class Setting:
    """An input distribution, its l-inf budget and its random transformation r(x).

    mean: float64 [D], of the coordinates after X_0 given Y = +1. eps: the budget of the attack. permutations:
    int64 [G, D]; r(x) reorders those coordinates by one of its rows, drawn uniformly.
    """

    p: float
    mean: np.ndarray
    eps: float
    permutations: np.ndarray


def paired_setting(p: float, d: int) -> Setting:
    """Distribution of invariance, 2d + 1 coordinates; r(x) swaps all neighbours or none; eps is 6/sqrt(d)."""
    keep = np.arange(2 * d)
    mean = np.where(keep % 2 == 0, 3.0, -3.0) / np.sqrt(d)
    return Setting(_probability(p), mean, 6 / np.sqrt(d), np.stack([keep, keep ^ 1]))


def coded_setting(p: float, d: int, m: int) -> Setting:
    """Distribution of tradeoff and cusp, d + 1 coordinates; r(x) shifts by multiples of m; eps is 4/sqrt(d).

    Raises ValueError unless m divides d and a code of length d is known.
    """
    if m < 1 or d % m:
        raise ValueError(f"m = {m} does not divide d = {d}")
    shifts = m * np.arange(1, d // m + 1)
    permutations = (np.arange(d) + shifts[:, None]) % d
    return Setting(_probability(p), 2 * cyclic_code(d) / np.sqrt(d), 4 / np.sqrt(d), permutations)


@dataclass(frozen=True)
class Classifier:
    """f(x) = sign(weights . squash(x_1 ... x_D) + x0_weight sign(x_0)); sign(0) = +1, squash rises."""

    name: str
    weights: np.ndarray
    x0_weight: float
    squash: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def decided_by_x0(self) -> bool:
        """It sees x_0 alone: its accuracies are known without a sample."""
        return not np.abs(self.weights).max() > 1e-9

    def predict(self, x0: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Labels -1 or +1, int64 [N], of x0 [N] and x [N, D]."""
        seen = self.squash(x) if self.squash else x
        score = seen @ self.weights + self.x0_weight * np.where(x0 >= 0, 1, -1)
        return np.where(score >= 0, 1, -1)

    def worst(
        self, x0: np.ndarray, x: np.ndarray, y: np.ndarray, eps: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """x0 and x under the strongest attack of l-inf norm eps, a corner: scores are monotone."""
        away = -eps * y
        return x0 + away * np.sign(self.x0_weight), x + away[:, None] * np.sign(self.weights)


def classifiers(setting: Setting, rng: np.random.Generator) -> list[Classifier]:
    """The CLASSIFIERS, from all over the trade-off."""
    mean, prior = setting.mean, np.log(setting.p / (1 - setting.p)) / 2
    averaged = mean[setting.permutations].mean(axis=0)
    known = [
        Classifier("x0 only", np.zeros_like(mean), 1.0),
        *(Classifier(f"x0 × {weight:g} + x", mean, weight * float(mean @ mean)) for weight in X0_WEIGHTS),
        Classifier("x0 × 1 + averaged", averaged, max(prior, float(averaged @ mean))),
        Classifier("averaged over r(x)", averaged, prior),
        _least_squares("trained on r(x)", setting, rng),
        Classifier("Bayes on x", mean, prior),
        Classifier("half the coordinates", np.maximum(mean, 0), 0.0),  # f* of invariance, section 3
        Classifier("majority of signs", np.sign(mean), 0.0, np.sign),
        Classifier("Bayes on x + A(x)", -mean, prior),
    ]
    by_name = {f.name: f for f in known}
    return [by_name[name] for name in CLASSIFIERS]


def accuracies(
    candidates: Sequence[Classifier], setting: Setting, condition: str, samples: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Pr(f = Y) of each classifier by name, on fresh samples.

    condition: "natural" (x), "spatial" (r(x)), "attack" (x + A(x), the papers' A that turns each mean round)
    or "worst" (the strongest attack on each classifier within the budget), else ValueError. Half the samples
    have X_0 = Y and half X_0 = -Y, weighted by p and 1 - p: what X_0 alone decides has no sampling error.
    """
    if condition not in ("natural", "spatial", "attack", "worst"):
        raise ValueError(f"unknown condition {condition!r}: natural, spatial, attack or worst")
    half = samples // 2
    strata = []
    for agrees in (True, False):
        hits = dict.fromkeys((f.name for f in candidates), 0)
        for start in range(0, half, BLOCK):
            x0, x, y = _draw(setting, np.full(min(BLOCK, half - start), agrees), rng)
            if condition == "spatial":
                x = _transform(setting, x, rng)
            elif condition == "attack":
                x = x - 2 * setting.mean * y[:, None]
            for f in candidates:
                seen = f.worst(x0, x, y, setting.eps) if condition == "worst" else (x0, x)
                hits[f.name] += int(np.sum(f.predict(*seen) == y))
        strata.append({name: wilson(found, half) for name, found in hits.items()})
    shares = setting.p, 1 - setting.p
    return {f.name: combine(shares, [found[f.name] for found in strata]) for f in candidates}


def _draw(
    setting: Setting, agrees: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x0 [N], x [N, D] and labels y [N]; agrees, bool [N], says where X_0 = Y."""
    y = rng.choice([-1, 1], size=len(agrees))
    x = y[:, None] * setting.mean + rng.standard_normal((len(y), len(setting.mean)))
    return np.where(agrees, y, -y), x, y


def _transform(setting: Setting, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """r(x), one permutation drawn for each row of x [N, D]."""
    drawn = rng.integers(len(setting.permutations), size=len(x))
    return np.take_along_axis(x, setting.permutations[drawn], axis=1)


def _least_squares(name: str, setting: Setting, rng: np.random.Generator) -> Classifier:
    """Linear classifier fitted to training samples of r(X), x_0 being one of its inputs."""
    x0, x, y = _draw(setting, rng.random(TRAINING_SAMPLES) < setting.p, rng)
    x = _transform(setting, x, rng)
    fitted, *_ = np.linalg.lstsq(np.column_stack([x0, x]), y, rcond=None)
    return Classifier(name, fitted[1:], float(fitted[0]))


def _probability(p: float) -> float:
    if not 0.5 <= p < 1:
        raise ValueError(f"p = {p} lies outside [0.5, 1)")
    return p
