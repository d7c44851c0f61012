"""What is attainable: accuracies of the rules sign(a x_0 + b w.x) in closed form, and the best of a grid of them."""

import numpy as np
from scipy.stats import norm

from spatial_adversarial.theory.simulate import Setting

MIXTURES = np.linspace(
    0, 1, 21
)  # w goes from the mean, which is 2c / sqrt(d) or invariance's, to its mean over r(x)
WEIGHTS = np.linspace(-8, 8, 321)  # a, in standard deviations of w.x; b is 1 or -1, and 0 for x_0 alone


def rules(setting: Setting, attack: str) -> dict[str, np.ndarray]:
    """Spatial and adversarial accuracy, by metric name, float64 [R], of every rule of the grid.

    attack: "attack" (the papers' A) or "worst" (the strongest within the budget), as in simulate.accuracies.
    """
    averaged = setting.mean[setting.permutations].mean(axis=0)
    found = [_x0_alone(setting, attack)]
    for t in MIXTURES:
        direction = (1 - t) * setting.mean + t * averaged
        length = np.linalg.norm(direction)
        if length > 1e-9:
            found += [_along(setting, attack, sign * direction / length) for sign in (1, -1)]
    spatial, adversarial = np.concatenate(found, axis=1)
    return {"spatial_accuracy": spatial, "adversarial_accuracy": adversarial}


def frontier(premise: np.ndarray, conclusion: np.ndarray, etas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest conclusion, float64 [E] each, of the rules with premise >= 1 - eta; nan where none has it."""
    meets = premise >= 1 - etas[:, None] - 1e-9
    least = np.where(meets, conclusion, np.inf).min(axis=1)
    most = np.where(meets, conclusion, -np.inf).max(axis=1)
    some = meets.any(axis=1)
    return np.where(some, least, np.nan), np.where(some, most, np.nan)


def _x0_alone(setting: Setting, attack: str) -> np.ndarray:
    """[2, 2]: spatial and adversarial accuracy of sign(x_0) and of sign(-x_0)."""
    natural = np.array([setting.p, 1 - setting.p])
    turned = attack == "worst" and setting.eps >= 1
    return np.stack([natural, np.zeros(2) if turned else natural])


def _along(setting: Setting, attack: str, w: np.ndarray) -> np.ndarray:
    """[2, A]: spatial and adversarial accuracy of sign(a x_0 + w.x), w of length 1, for a in WEIGHTS."""
    spatial = _accuracy(setting.p, WEIGHTS, setting.mean[setting.permutations] @ w)
    if attack == "attack":
        return np.stack([spatial, _accuracy(setting.p, WEIGHTS, -setting.mean[None] @ w)])
    left = setting.mean[None] @ w - setting.eps * np.abs(w).sum()
    if setting.eps >= 1:  # x_0 is turned as well: it speaks against Y whatever it was
        return np.stack([spatial, _accuracy(0.0, np.abs(WEIGHTS), left)])
    return np.stack([spatial, _accuracy(setting.p, WEIGHTS, left)])


def _accuracy(p: float, a: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Pr(a x_0 Y + N(mean, 1) > 0) [A], over X_0 = Y with probability p and over means [G] alike."""
    agree, differ = (norm.cdf(sign * a + means[:, None]).mean(axis=0) for sign in (1, -1))
    return p * agree + (1 - p) * differ
