"""The mean of per-image outcomes with its interval: the bootstrap over test images, Student's over seeds."""

import functools

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes half a second to import

from spatial_adversarial.statistics.intervals import of_share, rare


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
    interval over the seeds' means (the exact one where all agree), and replicates that draw seeds and images anew.
    Intervals are cut to the metric's range, [0, `most`]. Images whose outcome is nan count neither above nor below; nan
    where none is left.
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
        for k in np.flatnonzero((half == 0) & (images > 0)):  # seeds that agree leave no width: the images do
            low[k], high[k] = of_share(value[k], images[k], level)
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
