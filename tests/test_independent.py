"""Formulas against plain arithmetic worked out apart from them: a changed constant or sign ends a test."""

import numpy as np
import pytest
import torch
from scipy import stats
from test_judging import join, panel, rising

from spatial_adversarial.evaluation.robust_images import partners
from spatial_adversarial.judging import Numbers, judge_panel
from spatial_adversarial.judging.verdicts import judge_order
from spatial_adversarial.statistics.intervals import Sample
from spatial_adversarial.training.schedules import value
from spatial_adversarial.transforms.augment import random_flip

SPREAD = 0.01


def noisy(value: float, seed: int) -> Sample:
    """A number whose replicates are normal, of exactly the spread that is said, and unlike all others'."""
    drawn = np.random.default_rng(seed).normal(size=4000)
    return Sample(value, value + SPREAD * (drawn - drawn.mean()) / drawn.std(), origin=str(seed))


@pytest.mark.parametrize(("p", "verdict"), [(0.02, "holds"), (0.0001, "undecided")])
def test_a_reversed_pair_of_an_order_is_one_after_holm(p, verdict):
    """Of 4 neighbouring pairs and the ends at 4 points, 20 pairs, p = .02 shows nothing: 20 times .02 is no 5%."""
    members = [[noisy(0.1 * k, 10 * k + point) for point in range(4)] for k in range(5)]
    lower = members[1][2].value - stats.norm.isf(p) * SPREAD * np.sqrt(2)
    members[2][2] = noisy(lower, 22)
    assert judge_order(members, "order", 1, 0.95)["verdict"] == verdict


def test_a_relative_change_has_the_delta_methods_interval():
    """Of b / a - 1, the derivatives are 1 / a to b and -b / a^2 to a."""
    rows, replicates = panel("a", rising)
    replicates = rows.value.to_numpy()[:, None] + np.random.default_rng(1).normal(0, 0.02, replicates.shape)
    k, n = (rows.index[(rows.strength == s) & (rows.x == "0.1")][0] for s in ("0", "180"))
    a, b = rows.value[k], rows.value[n]
    test = {"change": {"strengths": [0, 180], "x": 0.1, "relative": True}, "above": 0}
    row = judge_panel(test, "a", Numbers(rows, replicates), 0.9)
    moved = b / a - 1 + (replicates[n] - b) / a - (replicates[k] - a) * b / a**2
    assert row["value"] == pytest.approx(b / a - 1)
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(moved, [0.05, 0.95]).tolist(), abs=1e-6)


@pytest.mark.parametrize("members", [4, 5])
def test_an_order_of_panels_is_known_no_better_than_by_a_pair(members):
    """One pair of n (n - 1) / 2 that goes from order to reverse moves tau by 2 of so many."""
    strengths = list(range(members))
    pairs = members * (members - 1) / 2

    def swapped(strength, x):
        return rising(60 * {0: 1, 1: 0}.get(strength, strength), x)

    straight = panel("a", lambda s, x: rising(60 * s, x), strengths=strengths, noise=1e-6)
    numbers = Numbers(*join(straight, panel("b", swapped, strengths=strengths, noise=1e-6)))
    row = judge_panel({"alike": {"other": "b"}, "above": 0}, "a", numbers, 0.95)
    tau = 1 - 2 / pairs
    assert (row["value"], row["low"], row["high"]) == pytest.approx((tau, tau - 2 / pairs, 1))


def test_a_slope_is_least_squares_change_from_the_first_strength_to_the_last():
    strengths = [0, 10, 40, 180]
    heights = dict(zip(strengths, [0.2, 0.5, 0.4, 0.7], strict=True))
    rows, replicates = panel("a", lambda s, x: heights[s] + x / 10, strengths=strengths)
    row = judge_panel({"slope": {"x": 0.2}, "above": 0}, "a", Numbers(rows, replicates), 0.95)
    assert row["value"] == pytest.approx(180 * np.polyfit(strengths, list(heights.values()), 1)[0])


def test_the_partners_of_images_go_by_the_seed():
    found = [partners(200, seed) for seed in (0, 0, 1)]
    assert found[0].tolist() == found[1].tolist() != found[2].tolist()
    assert all(one.min() >= 0 and one.max() < 200 for one in found)


def test_a_random_ramps_weights_are_shares_of_their_sum():
    schedule = {"schedule": "random", "values": [1, 2], "weights": [3, 1]}
    assert [value(schedule, 0, 1, draw) for draw in (0, 0.74, 0.75, 0.99)] == [1, 1, 2, 2]


def test_ramps_at_their_times():
    drops = {"schedule": "drops", "from": 0.1, "factor": 0.5, "at": [50, 60]}
    assert [value(drops, time, 100) for time in (49, 50, 59, 60)] == pytest.approx([0.1, 0.05, 0.05, 0.025])
    linear = {
        "schedule": "linear",
        "from": 1,
        "to": 2,
        "begin": 0.5,
        "end": 1,
        "unit": "counted",
    }  # of epochs from 1
    assert [value(linear, epoch - 1, 110) for epoch in (55, 66, 110)] == pytest.approx([1, 1.2, 2])
    steps = {
        "schedule": "steps",
        "values": [1, 2],
        "at": [9 / 110],
        "unit": "counted",
    }  # in the epoch after the ninth
    assert [value(steps, epoch - 1, 110) for epoch in (9, 10)] == [1, 2]


def test_half_of_the_images_are_flipped():
    images = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(10_000, 1, 1, 2)
    flipped = random_flip(images, torch.Generator().manual_seed(0))[:, 0, 0, 0]
    assert flipped.mean().item() == pytest.approx(0.5, abs=0.02)  # four standard deviations
