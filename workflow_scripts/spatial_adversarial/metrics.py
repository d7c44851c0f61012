"""The papers' metrics from per-image predictions, with bootstrap intervals over test images or over seeds."""

import functools

import numpy as np
from scipy import stats

from spatial_adversarial.store import SKIPPED, Evaluation

OUTCOMES = {
    # share of test images with f(r(x)) = f(x) (tradeoff, section 2)
    "rate_of_invariance": lambda e: e.prediction == e.clean,
    # share of test images with f(x + A(x)) = f(x), that is 1 - fooling rate (tradeoff, section 4)
    "one_minus_fooling_rate": lambda e: e.prediction == e.clean,
    # Pr(f(X) = Y), Pr(f(r(X)) = Y), Pr(f(X + A(X)) = Y) (tradeoff, sections 2 and 4)
    "natural_accuracy": lambda e: np.broadcast_to(e.clean == e.label, e.prediction.shape),
    "spatial_accuracy": lambda e: e.prediction == e.label,
    "robust_accuracy": lambda e: e.prediction == e.label,
    # mean L2 norm of DeepFool's perturbation (tradeoff, section 5)
    "mean_l2_distance": lambda e: e.distance,
}


def outcomes(evaluation: Evaluation, metric: str) -> np.ndarray:
    """Each image's outcome float32 [point, image], in [0, 1] for shares, averaged over draws.

    Raises ValueError for a metric that the evaluation has no numbers for.
    """
    values = OUTCOMES[metric](evaluation)
    if values is None or (metric != "natural_accuracy" and (evaluation.prediction == SKIPPED).all()):
        raise ValueError(f"this evaluation has no numbers for {metric}")
    return np.asarray(values, dtype=np.float32).mean(axis=1)


@functools.lru_cache(maxsize=4)
def resampling(n: int, replicates: int, seed: int) -> np.ndarray:
    """Bootstrap counts float32 [n, replicates]: how often each of n images is drawn.

    The same n gives the same draws, so that replicates of different curves are paired image by image.
    """
    generator = np.random.default_rng([seed, n])
    counts = [np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(replicates)]
    return np.stack(counts, axis=1).astype(np.float32)


def summarise(
    by_seed: list[np.ndarray], *, replicates: int, level: float, seed: int
) -> dict[str, np.ndarray]:
    """Mean, interval and bootstrap replicates of the outcomes [point, image] of one or more seeds.

    One seed: the percentile bootstrap over test images. More: Student's interval over the seeds' means, and
    replicates that draw seeds and images anew. Returns value, low, high [point] and replicates [point, B].
    """
    n = by_seed[0].shape[1]
    means = np.stack([outcome.mean(axis=1, dtype=np.float64) for outcome in by_seed])
    drawn = (
        np.stack([outcome @ resampling(n, replicates, seed) for outcome in by_seed]).astype(np.float64) / n
    )
    if len(by_seed) == 1:
        low, high = np.quantile(drawn[0], [(1 - level) / 2, (1 + level) / 2], axis=1)
        return {"value": means[0], "low": low, "high": high, "replicates": drawn[0]}
    picked = np.random.default_rng([seed, len(by_seed)]).integers(0, len(by_seed), (replicates, len(by_seed)))
    mixed = drawn[picked, :, np.arange(replicates)[:, None]].mean(axis=1).T
    mean, spread = means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(len(by_seed))
    half = stats.t.ppf((1 + level) / 2, len(by_seed) - 1) * spread
    return {"value": mean, "low": mean - half, "high": mean + half, "replicates": mixed}
