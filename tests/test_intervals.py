"""Intervals against scipy's, and what a share's interval covers near 100%."""

import numpy as np
import pytest
from scipy import stats

from spatial_adversarial.statistics.bootstrap import over_seeds, resampling, summarise
from spatial_adversarial.statistics.intervals import (
    Interval,
    Sample,
    at_end,
    contrast,
    difference,
    interval,
    mean,
    of_share,
    rare,
    steps,
)


def seeded(*values: float, origin: str = "") -> Sample:
    """A number of several seeds."""
    return Sample(float(np.mean(values)), np.full(50, np.mean(values)), np.array(values), origin)


def share(count: int, images: int = 500, replicates: int = 2000, seed: int = 0, origin: str = "") -> Sample:
    """A share of one network with its bootstrap."""
    drawn = (np.arange(images) < count).astype(np.float32) @ resampling(images, replicates, seed) / images
    return Sample(count / images, drawn, origin=origin, images=images)


def test_wilsons_interval_by_its_formula():
    """(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""
    p, n, z = 0.02, 500, 1.959964
    middle, half = (
        p + z**2 / (2 * n),
        z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2),
    )
    expected = [(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)]
    assert of_share(p, n, 0.95, "wilson") == pytest.approx(expected, abs=1e-6)
    for method in ("wilson", "exact"):
        assert of_share(0, n, 0.95, method)[0] == 0 and of_share(1, n, 0.95, method)[1] == 1
        assert of_share(0.0001, n, 0.95, method)[0] > 0  # a mean over draws that is not none


def test_clopper_and_pearsons_interval_by_its_betas():
    low, high = of_share(4 / 500, 500, 0.95)
    assert [low, high] == pytest.approx([stats.beta.ppf(0.025, 4, 497), stats.beta.ppf(0.975, 5, 496)])


def test_over_seeds_it_is_students_interval():
    values = (0.5, 0.52, 0.57)
    found = interval(seeded(*values), 0.95)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high])


def test_the_mean_of_shares_over_seeds_has_students_interval_within_0_and_1():
    values = (0.5, 0.52, 0.57)
    found = over_seeds(np.array(values), 0.95)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert [found["low"], found["high"]] == pytest.approx([theirs.low, theirs.high])
    assert over_seeds(np.array([0.9, 0.99, 1.0]), 0.95)["high"] == 1
    assert over_seeds(np.array([0.4]), 0.95) == {"value": 0.4}


def test_steps_between_networks_of_one_origin_are_paired_and_not_pooled():
    family = [
        seeded(0.1, 0.5, 0.9, origin="a"),
        seeded(0.21, 0.6, 0.99, origin="a"),
        seeded(0.3, 0.5, 0.6, origin="b"),
    ]
    found = steps(family, 0.95)
    theirs = stats.ttest_rel((0.21, 0.6, 0.99), (0.1, 0.5, 0.9)).confidence_interval(0.95)
    assert [found[0].low, found[0].high] == pytest.approx([theirs.low, theirs.high])


def test_a_gain_is_welchs_unless_one_run_continues_the_other():
    first, second = (0.1, 0.5, 0.9), (0.2, 0.6, 1.0)
    found = difference(seeded(*second, origin="b"), seeded(*first, origin="a"), 0.95)
    theirs = stats.ttest_ind(second, first, equal_var=False)
    bounds = theirs.confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([bounds.low, bounds.high])
    assert found.freedom == pytest.approx(theirs.df)
    assert found.p(1) == pytest.approx(
        stats.ttest_ind(second, first, equal_var=False, alternative="greater").pvalue
    )
    noisy = (0.21, 0.6, 0.99)
    paired = difference(seeded(*noisy, origin="a"), seeded(*first, origin="a"), 0.95)
    theirs = stats.ttest_rel(noisy, first).confidence_interval(0.95)
    assert [paired.low, paired.high] == pytest.approx([theirs.low, theirs.high])


def test_a_sum_over_origins_has_welch_satterthwaites_freedom():
    parts = [(1, seeded(0.1, 0.3, 0.2, origin="a")), (-0.5, seeded(0.4, 0.9, 0.2, origin="b"))]
    square = [w**2 * s.seeds.var(ddof=1) / 3 for w, s in parts]
    freedom = sum(square) ** 2 / sum(part**2 / 2 for part in square)
    found = contrast(parts, 0.95)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(square))
    assert [found.low, found.high] == pytest.approx([0.2 - 0.25 - half, 0.2 - 0.25 + half])


def test_over_images_it_is_the_paired_bootstrap():
    found = difference(share(300), share(250), 0.95)
    drawn = share(300).drawn - share(250).drawn
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist())


def test_seeds_that_agree_leave_the_interval_of_the_images():
    same = Sample(0.0, np.zeros(50), np.zeros(3), images=500)
    found = interval(same, 0.95)
    assert (found.low, found.high) == pytest.approx(of_share(0, 500, 0.95)) and found.high > found.low


@pytest.mark.parametrize("wrong", [0, 1])
def test_drawn_intervals_of_seeds_that_agree_are_those_of_the_images(wrong):
    outcome = np.full((1, 500), wrong, dtype=np.float32)
    found = summarise([outcome] * 3, replicates=50, level=0.95, seed=0)
    assert (found["low"][0], found["high"][0]) == pytest.approx(of_share(wrong, 500, 0.95))
    assert found["high"][0] > found["low"][0]


def test_a_difference_of_rare_shares_is_newcombes():
    (first, low, high), (second, low2, high2) = ((c / 500, *of_share(c / 500, 500, 0.95)) for c in (8, 1))
    found = difference(share(8), share(1), 0.95)
    gap = first - second
    assert found.low == pytest.approx(gap - np.hypot(first - low, high2 - second))
    assert found.high == pytest.approx(gap + np.hypot(high - first, second - low2))


def coverage(p: float, images: int, method) -> float:
    rng = np.random.default_rng(0)
    bounds = [method(rng.random(images) < p) for _ in range(400)]
    return float(np.mean([low <= p <= high for low, high in bounds]))


def test_near_all_the_exact_interval_covers_and_the_bootstrap_does_not():
    """At p = .999 and 500 images, where six samples of ten have no error at all."""

    def bootstrap(right):
        drawn = right.astype(np.float32) @ resampling(500, 500, 0) / 500
        return np.quantile(drawn, [0.025, 0.975])

    def ours(right):
        found = summarise([right[None].astype(np.float32)], replicates=200, level=0.95, seed=0)
        return found["low"][0], found["high"][0]

    assert coverage(0.999, 500, bootstrap) < 0.5
    assert coverage(0.999, 500, ours) > 0.95


def test_replicates_that_are_no_number_are_counted():
    drawn = np.array([0.1, np.nan, 0.3, np.nan])
    found = interval(Sample(0.2, drawn), 0.95)
    assert found.nan == 2 and 0.1 <= found.low < found.high <= 0.3


def test_ends_and_means():
    assert at_end([share(0), share(0)]) and at_end([share(500), share(500)])
    assert not at_end([share(0), share(500)]) and not at_end([share(0), share(1)])
    assert not at_end([Sample(0.0, np.zeros(5))]), "no share"
    assert rare(0.99, 500) and not rare(0.9, 500) and not rare(0.99, 10000)
    both = mean([share(100), share(200)])
    assert both.value == pytest.approx(0.3) and both.images == 500
    assert np.allclose(both.drawn, (share(100).drawn + share(200).drawn) / 2)


def test_steps_of_a_family_pool_its_variance():
    """Of two members Student's two-sample interval; of three by hand, with six degrees of freedom."""
    a, b, c = (
        seeded(*values, origin=str(k))
        for k, values in enumerate([(0.1, 0.2, 0.3), (0.4, 0.41, 0.42), (0.7, 0.9, 0.8)])
    )
    (found,) = steps([a, b], 0.95)
    theirs = stats.ttest_ind(b.seeds, a.seeds).confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high])
    _, last = steps([a, b, c], 0.95)
    variance = (0.02 + 0.0002 + 0.02) / 6
    half = stats.t.ppf(0.975, 6) * np.sqrt(2 / 3 * variance)
    assert [last.low, last.high] == pytest.approx([0.39 - half, 0.39 + half])
    one = [share(100, origin="a"), share(200, origin="b")]
    assert steps(one, 0.95) == [difference(one[1], one[0], 0.95)]


def test_sides_of_other_numbers_of_seeds_are_not_paired():
    first, second = seeded(0.1, 0.5, 0.9, origin="a"), seeded(0.2, 0.6, origin="a")
    theirs = stats.ttest_ind(second.seeds, first.seeds, equal_var=False).confidence_interval(0.95)
    found = difference(second, first, 0.95)
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high])


def test_an_interval_that_touches_a_line_is_not_beyond_it():
    assert not Interval(0.5, 0.0, 1.0).beyond(0) and not Interval(0.5, 0.0, 1.0).beyond(1, -1)
    assert Interval(0.5, 0.01, 1.0).beyond(0) and Interval(0.5, 0.0, 0.99).beyond(1, -1)


def test_the_error_of_put_together_exact_intervals_is_the_normal_ones_of_their_width():
    """None of 40 images against 20 of 40: arms of Clopper and Pearson's intervals, the error their mean over 1.96."""
    drawn = np.full(100, np.nan)
    none, half = Sample(0.0, drawn, images=40), Sample(0.5, np.linspace(0.4, 0.6, 100), images=40)
    found = contrast([(1, half), (-1, none)], 0.95)
    few = stats.binomtest(0, 40).proportion_ci(0.95).high
    low, high = np.quantile(half.drawn, [0.025, 0.975])
    down, up = np.hypot(0.5 - low, few), high - 0.5
    assert (found.value - found.low, found.high - found.value) == pytest.approx((down, up))
    assert found.error == pytest.approx((down + up) / 2 / 1.959964)
