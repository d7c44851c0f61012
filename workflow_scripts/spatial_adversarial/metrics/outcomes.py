"""The papers' metrics from per-image predictions, with bootstrap intervals over test images or over seeds."""

import functools
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes half a second to import

from spatial_adversarial.metrics.intervals import of_share, rare
from spatial_adversarial.records.climbed_label import PREDICTED, TRUE
from spatial_adversarial.records.evaluation import SKIPPED, Evaluation

OUTCOMES = {
    # share of test images with f(r(x)) = f(x) (tradeoff, section 2)
    "rate_of_invariance": lambda e: e.prediction == e.clean,
    # share of test images with f(x + A(x)) = f(x), that is 1 - fooling rate (tradeoff, section 4)
    "one_minus_fooling_rate": lambda e: (
        e.prediction == e.clean
    ),  # after the attack that `outcomes` is asked for
    # Pr(f(X) = Y), Pr(f(r(X)) = Y), Pr(f(X + A(X)) = Y) (tradeoff, sections 2 and 4)
    "natural_accuracy": lambda e: np.broadcast_to(e.clean == e.label, e.prediction.shape),
    "spatial_accuracy": lambda e: e.prediction == e.label,
    "robust_accuracy": lambda e: e.prediction == e.label,
    # share of the images that are right when clean and wrong under attack (features, section 2.5)
    "attack_success_rate": lambda e: np.where(e.clean == e.label, e.prediction != e.label, np.nan),
    # share of images that PGD left standing at a gradient of exactly 0: it says nothing of their robustness
    "zero_gradient": lambda e: e.zero_gradient,
    # mean L2 norm of DeepFool's perturbation (tradeoff, section 5)
    "mean_l2_distance": lambda e: e.distance,
}

ONE_CLASS = 0.9  # share of the predictions from which a network counts as constant

MOST = {"mean_l2_distance": np.inf}  # the largest value of a metric that is not a share


def outcomes(evaluation: Evaluation, metric: str, attacked_label: str = TRUE) -> np.ndarray:
    """Each image's outcome float32 [point, image], in [0, 1] for shares, averaged over draws.

    attacked_label: the label that the attack climbs, "true" or "predicted". nan where the metric leaves an image
    out. Raises ValueError for a metric or label that the evaluation has no numbers for.
    """
    if attacked_label == PREDICTED:
        if evaluation.prediction_predicted is None:
            raise ValueError("this evaluation has no attack on the predicted label")
        evaluation = replace(evaluation, prediction=evaluation.prediction_predicted)
    values = OUTCOMES[metric](evaluation)
    if values is None or (metric != "natural_accuracy" and (evaluation.prediction == SKIPPED).all()):
        raise ValueError(f"this evaluation has no numbers for {metric}")
    return np.asarray(values, dtype=np.float32).mean(axis=1)


def has_learnt(clean: np.ndarray, label: np.ndarray, classes: int) -> bool:
    """Whether predictions `clean` [N] of unchanged test images show that a network has learnt.

    Not shown: the lower end of the Wilson 95% interval of its accuracy is below twice chance (of two classes, which
    that would ask for all images: below half-way from chance to 100%), or one class takes more than 90% of the
    predictions.
    """
    low, _ = of_share(float(np.mean(clean == label)), len(label), 0.95, "wilson")
    needed = min(2 / classes, (1 + 1 / classes) / 2)
    return bool(low >= needed and np.bincount(clean).max() <= ONE_CLASS * len(clean))


@functools.lru_cache(maxsize=4)
def resampling(n: int, replicates: int, seed: int) -> np.ndarray:
    """Bootstrap counts float32 [n, replicates]: how often each of n images is drawn.

    The same n gives the same draws, so that replicates of different curves are paired image by image.
    """
    generator = np.random.default_rng([seed, n])
    counts = [np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(replicates)]
    return np.stack(counts, axis=1).astype(np.float32)


def summarise(
    by_seed: list[np.ndarray], *, replicates: int, level: float, seed: int, most: float = 1.0
) -> dict[str, np.ndarray]:
    """Mean, interval and bootstrap replicates of the outcomes [point, image] of one or more seeds.

    One seed: the percentile bootstrap over test images; the exact interval of a share near 0 or 100%. More: Student's
    interval over the seeds' means, and replicates that draw seeds and images anew. Intervals are cut to the metric's
    range, [0, `most`]. Images whose outcome is nan count neither above nor below; nan where none is left.
    Returns value, low, high [point], replicates [point, B], seeds [point, S] (the value of each), and images [point],
    how many a share is of; 0 where the metric is none.
    """
    counts = resampling(by_seed[0].shape[1], replicates, seed)
    means = np.stack([_mean(outcome, np.ones((len(counts), 1)))[:, 0] for outcome in by_seed])
    drawn = np.stack([_mean(outcome, counts) for outcome in by_seed])
    value, seeds = means.mean(axis=0), len(by_seed)
    images = (~np.isnan(by_seed[0])).sum(axis=1) if most == 1 else np.zeros(len(value), dtype=int)
    if seeds == 1:
        mixed = drawn[0]
        low, high = np.nanquantile(mixed, [(1 - level) / 2, (1 + level) / 2], axis=1)
        for k in range(len(value)):
            if rare(value[k], images[k]):
                low[k], high[k] = of_share(value[k], images[k], level)
    else:
        picked = np.random.default_rng([seed, seeds]).integers(0, seeds, (replicates, seeds))
        mixed = drawn[picked, :, np.arange(replicates)[:, None]].mean(axis=1).T
        half = stdtrit(seeds - 1, (1 + level) / 2) * means.std(axis=0, ddof=1) / np.sqrt(seeds)
        low, high = value - half, value + half
    # `value` as a bound too: a float32 replicate of equal outcomes may differ from it in the last digit
    low, high = np.clip(low, 0, value), np.clip(high, value, most)
    found = {"value": value, "low": low, "high": high, "replicates": mixed}
    return found | {"seeds": means.T, "images": images}


def over_seeds(values: np.ndarray, level: float) -> dict[str, float | str]:
    """The mean of shares, one a seed, and where there are several Student's interval, cut to [0, 1]."""
    value, n = float(values.mean()), len(values)
    if n == 1:
        return {"value": value}
    half = stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n)
    low, high = np.clip([value - half, value + half], 0, 1)
    return {"value": value, "low": float(low), "high": float(high), "interval": "seeds"}


def _mean(outcome: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means float64 [point, B] of outcomes [point, image] over images drawn `counts` [image, B] times, without nan."""
    known = ~np.isnan(outcome)
    total = (np.where(known, outcome, 0) @ counts).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return total / (known.astype(counts.dtype) @ counts)
