"""Verdicts on synthetic curves whose truth is known."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, ttest_ind

from judge import judge as judge_paper
from spatial_adversarial.judging import COLUMNS, Numbers, judge_claim, judge_panel
from spatial_adversarial.judging.verdicts import NOISE, holm, judge, kendall, least_tau
from spatial_adversarial.settings.numbers import number_text
from spatial_adversarial.statistics.bootstrap import resampling
from spatial_adversarial.statistics.intervals import Interval

XS = [0.0, 0.1, 0.2, 0.3]
STRENGTHS = [0, 60, 120, 180]


def panel(name: str, height, *, strengths=STRENGTHS, xs=XS, noise=0.01, status="run", profile="pgd", seed=0):
    """(rows, replicates) of one panel; `height(strength, x)` is the truth, with noise shared along a curve."""
    rng = np.random.default_rng(seed)
    rows, replicates = [], []
    for strength in strengths:
        error = rng.normal(0, noise, 300)
        for x in xs:
            value = height(strength, x)
            frame = {"panel": name, "strength": number_text(strength), "x": number_text(x), "value": value}
            rows.append(
                frame | {"profile": profile, "metric": "m", "status": status, "attack_space": "pixel"}
            )
            replicates.append(value + error)
    return pd.DataFrame(rows), np.array(replicates, dtype=np.float32)


def join(*panels):
    """Several panels as one target's rows and replicates."""
    rows = pd.concat([rows for rows, _ in panels], ignore_index=True)
    return rows, np.concatenate([replicates for _, replicates in panels])


def rising(strength, x):
    """Curves that lie higher the larger the strength, and fall with x."""
    return 0.4 + strength / 600 - x


def upside_down(strength, x):
    return 1 - rising(strength, x)


def shares(heights, *, images: int = 1000, xs=XS, seed: int = 0, share: float = 0.9):
    """(rows, replicates, seeds, side) of shares of `images`: {strength: curve} with a real bootstrap.

    share: of an image's difficulty that all networks find alike.
    """
    rng = np.random.default_rng(seed)
    counts, common = resampling(images, 200, 0), rng.normal(size=images)
    rows, replicates = [], []
    for strength, curve in heights.items():
        own = np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(size=images)
        rank = own.argsort().argsort() / images
        for x, height in zip(xs, curve, strict=True):
            right = (rank < height).astype(np.float32)
            frame = {"panel": "a", "strength": number_text(strength), "x": number_text(x)}
            frame |= {"value": right.mean(), "profile": "pgd", "metric": "robust_accuracy", "status": "run"}
            rows.append(frame | {"attack_space": "pixel", "learnt": "yes"})
            replicates.append(right @ counts / images)
    rows = pd.DataFrame(rows)
    side = pd.DataFrame({"origin": rows.strength, "images": images, "reach": 0.3})
    return Numbers(rows, np.array(replicates), None, side)


def judged(test: dict, numbers, of: str = "a") -> dict:
    numbers = numbers if isinstance(numbers, Numbers) else Numbers(*numbers)
    return judge_panel(test, of, numbers, 0.95)


def verdict(test: dict, *panels, of: str = "a") -> str:
    return judged(test, join(*panels), of)["verdict"]


# True of `rising` with room to spare.
TRUE = {
    "value above": {"value": {"strength": 180, "x": 0.1}, "above": 0.5},
    "value below": {"value": {"strength": 180, "x": 0.3}, "below": 0.5},
    "value between": {"value": {"strength": 60, "x": 0.1}, "between": [0.35, 0.45]},
    "drop": {"drop": {"strength": 180, "to": 0.3}, "above": 0.2},
    "change": {"change": {"strengths": [60, 180], "x": 0.2}, "above": 0.1},
    "apart": {"apart": {"strengths": [60, 180]}, "above": 0},
    "trend": {"trend": None, "above": 0},
    "trend at a point": {"trend": {"x": 0.3}, "above": 0},
    "slope": {"slope": None, "between": [0.25, 0.35]},
}


@pytest.mark.parametrize("name", TRUE)
def test_a_true_claim_holds_and_the_curves_upside_down_fail_it(name):
    assert verdict(TRUE[name], panel("a", rising)) == "holds"
    assert verdict(TRUE[name], panel("a", upside_down)) == "fails"


@pytest.mark.parametrize("name", [name for name in TRUE if name != "drop"])
def test_an_interval_that_spans_the_line_is_undecided(name):
    """So noisy that nothing is known, but for a drop, where the noise of a curve cancels."""
    assert verdict(TRUE[name], panel("a", rising, noise=3)) == "undecided"


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.65, 0.61, 0.7), {"above": "holds", "below": "fails", "between": "fails"}),
        ((0.25, 0.2, 0.3), {"above": "fails", "below": "holds", "between": "fails"}),
        ((0.51, 0.45, 0.55), {"above": "undecided", "below": "undecided", "between": "holds"}),
        ((0.4, 0.3, 0.45), {"above": "fails", "below": "holds", "between": "undecided"}),
        ((0.6, 0.3, 0.9), {"above": "undecided", "below": "undecided", "between": "undecided"}),
        ((0.55, 0.55, 0.55), {"above": "undecided", "below": "undecided", "between": "undecided"}),
        ((0.5, 0.5, 0.6), {"above": "undecided", "below": "undecided", "between": "holds"}),
        ((np.nan, np.nan, np.nan), {"above": "undecided", "below": "undecided", "between": "undecided"}),
    ],
)
def test_verdicts_on_intervals(interval, expected):
    tests = {"above": {"above": 0.5}, "below": {"below": 0.5}, "between": {"between": [0.4, 0.6]}}
    assert {name: judge(Interval(*interval), test)[1] for name, test in tests.items()} == expected


def test_a_printed_number_is_judged_as_it_is():
    assert judge(Interval(0.2, 0.2, 0.2, published=True), {"above": 0.1})[1] == "holds"
    assert judge(Interval(0.2, 0.2, 0.2, published=True), {"below": 0.1})[1] == "fails"
    assert judge(Interval(0.0, 0.0, 0.0, published=True), {"above": 0})[1] == "undecided"


def test_numbers_of_a_row_by_hand():
    made = panel("a", rising)

    def value(name, **parameters):
        return judged({name: parameters or None, "above": 0}, made)["value"]

    assert value("value", strength=60, x=0.1) == pytest.approx(0.4)
    assert value("drop", strength=60, to=0.3) == pytest.approx(0.3)
    assert value("change", strengths=[60, 180], x=0.2) == pytest.approx(0.2)
    assert value("apart", strengths=[180, 0]) == pytest.approx(-0.3)
    assert value("trend") == pytest.approx(0.3)  # the difference of the ends
    assert value("slope") == pytest.approx(0.3)  # the curves lie on a line


def test_the_interval_is_that_of_the_replicates():
    rows, replicates = panel("a", rising)
    row = judge_panel(TRUE["value above"], "a", Numbers(rows, replicates), 0.9)
    at = rows.index[(rows.strength == "180") & (rows.x == "0.1")][0]
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(replicates[at], [0.05, 0.95]).tolist())
    assert row["value"] == pytest.approx(0.6) and row["line"] == f"> 0.5{NOISE}"


def test_a_difference_takes_its_replicates_in_pairs():
    """Noise that all curves share cancels."""
    rows, replicates = panel("a", rising)
    replicates = rows.value.to_numpy()[:, None] + np.random.default_rng(1).normal(0, [3] * 300)
    replicates += np.random.default_rng(2).normal(0, 1e-3, replicates.shape)
    row = judge_panel(TRUE["change"], "a", Numbers(rows, replicates), 0.95)
    assert row["low"] == pytest.approx(0.2, abs=0.01) and row["high"] == pytest.approx(0.2, abs=0.01)


# Orders


def steps(*heights: float):
    """Flat curves of these heights."""
    return shares({30 * k: [0.9] + [height] * 3 for k, height in enumerate(heights)})


RISES, FALLS = {"trend": None, "above": 0}, {"trend": None, "below": 0}


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ((0.3, 0.4, 0.5, 0.6), "holds"),
        ((0.6, 0.5, 0.4, 0.3), "fails"),
        ((0.3, 0.5, 0.4, 0.6), "undecided"),  # a pair reversed, and tau .67 of four
        ((0.3, 0.4, 0.399, 0.5, 0.6), "holds"),  # tau .8 of five; the pair is reversed by an image
        ((0.3, 0.4, 0.34, 0.5, 0.6), "undecided"),  # tau .8 of five, but a neighbour lies lower for certain
        ((0.5, 0.501, 0.502, 0.503), "undecided"),  # in order, but the ends are not apart
        ((0.3, 0.45, 0.35, 0.5, 0.4, 0.55, 0.45), "undecided"),  # a zigzag
        ((0.3, 0.6), "undecided"),  # fewer than four at one seed
        ((0.3, 0.45, 0.6), "undecided"),
    ],
)
def test_an_order_takes_tau_ends_apart_and_no_pair_reversed(heights, expected):
    mirror = {"holds": "fails", "fails": "holds"}
    assert judged(RISES, steps(*heights))["verdict"] == expected
    assert judged(FALLS, steps(*heights))["verdict"] == mirror.get(expected, expected)


def test_the_row_of_an_order_tells_its_ends_its_tau_and_that_training_noise_is_left_out():
    row = judged(RISES, steps(0.3, 0.4, 0.5, 0.45, 0.6))
    assert row["value"] == pytest.approx(0.3, abs=0.002) and row["low"] < 0.3 < row["high"]
    assert (row["members"], row["tau"]) == (5, pytest.approx(0.8))
    assert row["line"].startswith("tau >= 0.8, ends > 0") and "training noise is not in" in row["line"]


@pytest.mark.parametrize("members", [4, 5, 6, 7, 10])
def test_the_least_tau_is_exact(members):
    """Against all orders, or for ten members the recursion that counts those with so many pairs reversed."""
    counts = np.array([1])
    for k in range(2, members + 1):
        counts = np.convolve(counts, np.ones(k, dtype=int))
    p = counts.cumsum() / counts.sum()
    pairs = members * (members - 1) // 2
    allowed = np.flatnonzero(p <= 0.05).max()
    assert least_tau(members) == pytest.approx(1 - 2 * allowed / pairs)
    if members < 8:
        orders = np.array(list(permutations(range(members))))
        taus = kendall(orders.T, np.arange(members))
        assert (taus >= least_tau(members) - 1e-9).mean() <= 0.05
        assert (taus >= least_tau(members) - 2 / pairs - 1e-9).mean() > 0.05


def test_the_least_taus_of_small_families():
    assert [round(least_tau(n), 3) for n in (3, 4, 5, 6, 7)] == [np.inf, 1, 0.8, 0.733, 0.619]


def test_kendalls_tau_is_scipys_and_a_tie_counts_for_neither_side():
    values = np.random.default_rng(0).permutation(7)
    assert kendall(values, np.arange(7)) == pytest.approx(kendalltau(range(7), values).statistic)
    assert kendall(np.array([1, 2, 2, 2]), np.arange(4)) == pytest.approx(3 / 6)


def test_holms_p_values_by_hand():
    assert holm([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1, 1]


def test_crossing_curves_are_in_no_order():
    """Means that rise, but at the last point the curves are in the opposite order."""
    crossing = shares({30 * k: [0.9, 0.3 + 0.15 * k, 0.3 + 0.15 * k, 0.6 - 0.1 * k] for k in range(4)})
    row = judged(RISES, crossing)
    assert row["tau"] == 1 and row["low"] > 0 and row["verdict"] == "undecided"
    assert judged({"apart": {"strengths": [0, 90]}, "above": 0}, crossing)["verdict"] == "undecided"


def test_the_point_0_and_what_the_attack_cannot_reach_say_nothing():
    """A floor below a falling clean point, and curves in order beyond three steps of .1 alone."""
    xs = [0.0, 0.1, 0.3, 0.6]
    floor = shares({30 * k: [0.9 - 0.1 * k, 0, 0, 0.5 - 0.1 * k] for k in range(5)}, xs=xs)
    row = judged(FALLS, floor)
    assert row["verdict"] == "not informative" and "floor or ceiling" in row["statistic"]
    near = shares({30 * k: [0.9 - 0.1 * k, 0.002, 0.001, 0.5 - 0.1 * k] for k in range(5)}, xs=xs)
    assert judged(FALLS, near)["verdict"] in ("undecided", "not informative")
    assert judged({"trend": {"x": 0.6}, "below": 0}, floor)["verdict"] == "holds"
    beyond = shares({30 * k: [0.9 - 0.1 * k, 0.5 - 0.1 * k] for k in range(5)}, xs=[0.0, 0.6])
    assert judged(FALLS, beyond)["verdict"] == "not run", "the clean point, and one that no attack reaches"


def test_0_against_0_under_attack_is_not_informative():
    for test in (
        {"change": {"strengths": [0, 60], "x": 0.2}, "above": -0.1},
        {"apart": {"strengths": [0, 60]}, "below": 0.1},
    ):
        row = judged(test, steps(0, 0.4, 0))
        assert row["verdict"] == "not informative", test
    assert judged({"value": {"strength": 0, "x": 0.2}, "below": 0.01}, steps(0))["verdict"] == "holds"


def seeded(*by_seed: tuple[float, ...]):
    """A family of one point by members, with the values of each seed."""
    numbers = steps(*(float(np.mean(values)) for values in by_seed))
    seeds = np.repeat(np.array(by_seed), len(XS), axis=0)
    return replace(numbers, seeds=seeds)


def test_three_members_take_three_seeds_and_each_step():
    assert (
        judged(RISES, seeded((0.3, 0.31, 0.32), (0.5, 0.51, 0.52), (0.7, 0.71, 0.73)))["verdict"] == "holds"
    )
    assert (
        judged(FALLS, seeded((0.3, 0.31, 0.32), (0.5, 0.51, 0.52), (0.7, 0.71, 0.73)))["verdict"] == "fails"
    )
    one_step = seeded((0.3, 0.31, 0.32), (0.31, 0.32, 0.33), (0.7, 0.71, 0.73))
    assert judged(RISES, one_step)["verdict"] == "undecided"
    assert judged(RISES, seeded((0.3, 0.31), (0.5, 0.51), (0.7, 0.71)))["verdict"] == "undecided"


def test_an_order_needs_its_ends_in_order_at_each_point():
    """Neighbours fall by less than their noise at one point, the ends by more."""
    rises = shares({30 * k: [0.9, 0.2 + 0.1 * k, 0.3 + 0.1 * k, 0.6 - 0.015 * k] for k in range(5)})
    assert judged(RISES, rises)["verdict"] == "undecided"
    level = shares({30 * k: [0.9, 0.2 + 0.1 * k, 0.3 + 0.1 * k, 0.6] for k in range(5)})
    assert judged(RISES, level)["verdict"] == "holds"


def test_of_one_seed_among_several_the_line_says_that_its_noise_is_left_out():
    numbers = steps(0.3, 0.6)
    seeds = np.full((len(numbers.rows), 3), np.nan)
    seeds[:, 0] = numbers.rows.value
    seeds[len(XS) :] = numbers.rows.value.to_numpy()[len(XS) :, None] + [[-0.01, 0, 0.01]]
    row = judged({"change": {"strengths": [0, 30], "x": 0.2}, "above": 0}, replace(numbers, seeds=seeds))
    assert row["line"].endswith(NOISE)


def test_over_seeds_a_gain_is_welchs_and_the_line_says_nothing_of_noise():
    first, second = (0.1, 0.5, 0.9), (0.2, 0.6, 1.0)
    row = judged({"change": {"strengths": [0, 30], "x": 0.2}, "above": 0}, seeded(first, second))
    theirs = ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert [row["low"], row["high"]] == pytest.approx([theirs.low, theirs.high], abs=1e-6)
    assert row["verdict"] == "undecided" and row["line"] == "> 0"
    assert judged({"value": {"strength": 0, "x": 0.2}, "above": 0}, seeded(first))["line"] == "> 0"


# Networks that have not learnt


def lost(numbers: Numbers, *strengths: int) -> Numbers:
    named = numbers.rows.strength.isin(map(str, strengths))
    return replace(numbers, rows=numbers.rows.assign(learnt=np.where(named, "no", "yes")))


def test_what_has_not_learnt_leaves_its_family():
    """A constant predictor at 100% after four members that fall: without it they fall, with it they do not."""
    family = steps(0.6, 0.5, 0.4, 0.3, 1.0)
    assert judged(FALLS, family)["verdict"] == "undecided"
    row = judged(FALLS, lost(family, 120))
    assert (row["verdict"], row["members"]) == ("holds", 4)
    row = judged(FALLS, lost(family, 0, 120))
    assert row["verdict"] == "not informative" and "3 members left without 0, 120" in row["statistic"]


@pytest.mark.parametrize(
    "test",
    [
        {"value": {"strength": 60, "x": 0.2}, "above": 0},
        {"drop": {"strength": 60, "to": 0.2}, "above": 0},
        {"change": {"strengths": [0, 60], "x": 0.2}, "above": 0},
        {"apart": {"strengths": [60, 90]}, "above": 0},
        {"trend": {"x": 0.2}, "above": 0},
        {"slope": None, "between": [0, 1]},
    ],
)
def test_a_sentence_that_names_what_has_not_learnt_is_not_informative(test):
    family = steps(0.3, 0.4, 0.5, 0.6)
    assert judged(test, family)["verdict"] != "not informative"
    row = judged(test, lost(family, 60))
    assert row["verdict"] == "not informative" and "value" not in row and row["status"] == "run"


def test_natural_training_is_no_member_of_larger_eps():
    family = steps(0.9, 0.3, 0.4, 0.5, 0.6)
    assert judged(RISES, family)["verdict"] == "undecided"
    assert judged({"trend": {"without": [0]}, "above": 0}, family)["verdict"] == "holds"


def test_stays_takes_a_slope_within_the_range():
    test = {"slope": None, "between": [-0.06, 0.06]}
    assert judged(test, steps(0.5, 0.51, 0.5, 0.49))["verdict"] == "holds"
    assert judged(test, steps(0.3, 0.4, 0.5, 0.6))["verdict"] == "fails"
    assert judged(test, steps(0.45, 0.47, 0.49, 0.51))["verdict"] == "undecided"


def test_the_label_that_an_attack_climbs_is_chosen():
    made = steps(0.3, 0.4, 0.5, 0.6)
    rows = made.rows.assign(metric="one_minus_fooling_rate", attacked_label="predicted")
    other = rows.assign(value=1 - rows.value, attacked_label="true")
    both = Numbers(
        pd.concat([rows, other], ignore_index=True), np.concatenate([made.replicates, 1 - made.replicates])
    )
    assert judged(RISES, both)["verdict"] == "holds"
    assert judged(RISES | {"attacked_label": True}, both)["verdict"] == "fails"


def test_strengths_and_points_may_be_fractions_of_255():
    budgets = [0, 2 / 255, 8 / 255]
    made = panel("a", lambda eps, x: 0.5 + 10 * eps - x, strengths=budgets, xs=[0, 1 / 255, 8 / 255])
    assert verdict({"apart": {"strengths": [2 / 255, 8 / 255]}, "above": 0}, made) == "holds"
    assert verdict({"value": {"strength": 8 / 255, "x": 1 / 255}, "above": 0.7}, made) == "holds"


def test_strengths_are_ordered_as_numbers():
    """As text 100 comes before 60."""
    heights = dict(zip([0, 60, 100, 180], [0.1, 0.3, 0.2, 0.4], strict=True))
    made = panel("a", lambda strength, x: heights[strength] - x / 10, strengths=[180, 100, 0, 60])
    assert judged(RISES, made)["tau"] == pytest.approx(kendalltau(range(4), list(heights.values())).statistic)


FIVE = [0, 30, 60, 120, 180]


def test_alike_holds_for_equal_orders_and_fails_for_opposite_ones():
    test = {"alike": {"other": "b"}, "above": 0.5}
    first = panel("a", rising, strengths=FIVE)
    same = panel("b", lambda strength, x: rising(strength, x) / 2, strengths=FIVE, seed=1)
    assert verdict(test, first, same) == "holds"
    assert verdict(test, first, panel("b", upside_down, strengths=FIVE, seed=1)) == "fails"
    few = [panel(name, rising, strengths=[0, 60, 180], seed=k) for k, name in enumerate("ab")]
    assert verdict(test, *few) == "undecided", "three models have no order to speak of"


def test_alike_takes_the_least_tau_of_those_that_have_learnt_in_both_panels():
    """Two of ten pairs the other way round leave tau .6, of which the interval is above 0, but not .8."""
    heights = dict(zip(FIVE, [0.2, 0.1, 0.4, 0.3, 0.5], strict=True))
    first = panel("a", rising, strengths=FIVE)
    other = panel("b", lambda strength, x: heights[strength] - x / 10, strengths=FIVE, seed=1)
    row = judged({"alike": {"other": "b"}, "above": 0}, join(first, other))
    assert row["value"] == pytest.approx(0.6) and row["low"] > 0 and row["verdict"] == "undecided"
    heights = {strength: 0.9 if strength == 0 else strength / 400 for strength in FIVE}
    rows, replicates = panel("b", lambda strength, x: heights[strength] - x / 10, strengths=FIVE, seed=1)
    constant = rows.assign(learnt=np.where(rows.strength == "0", "no", "yes")), replicates
    row = judged({"alike": {"other": "b"}, "above": 0}, join(first, constant))
    assert (row["value"], row["members"], row["verdict"]) == (1, 4, "holds")


def test_flat_curves_leave_an_order_undecided():
    assert verdict(TRUE["trend"], panel("a", lambda strength, x: 0.5, noise=0)) == "undecided"


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (TRUE["trend"], "panel c was not run"),
        ({"value": {"strength": 90, "x": 0.1}, "above": 0}, "no model of strength 90"),
        ({"value": {"strength": 60, "x": 0.15}, "above": 0}, "no point at 0.15"),
        ({"alike": {"other": "c"}, "above": 0}, "panel c was not run"),
    ],
)
def test_what_was_not_run_is_said(test, reason):
    target = Numbers(*join(panel("a", rising), panel("c", rising, status="not run")))
    row = judge_panel(test, "c" if test is TRUE["trend"] else "a", target, 0.95)
    assert row["verdict"] == row["status"] == "not run" and row["statistic"].endswith(reason)
    assert "value" not in row


def test_one_model_has_no_trend():
    row = judged(TRUE["trend"], panel("a", rising, strengths=[60]))
    assert row["verdict"] == "not run" and "two models" in row["statistic"]


def test_kept_is_the_share_of_another_targets_gain():
    """Of a gain of .2 (strengths 60 and 180), a target whose curves differ half as much keeps half: .02 below .6."""
    targets = {
        "before": panel("e", rising, noise=0.001),
        "after": panel("a", lambda strength, x: 0.3 + strength / 1200, noise=0.001),
    }
    test = {"panels": ["a"], "kept": {"strengths": [60, 180], "other": "before.e"}, "below": 0.6}
    (row,) = judge_claim("T7", {"says": "", "in": "after", "tests": {"lost": test}}, targets, 0.95)
    assert row["value"] == pytest.approx(0.1 - 0.6 * 0.2) and row["verdict"] == "holds"
    reduced = targets | {"before": panel("e", rising, noise=0.001, status="reduced")}
    (row,) = judge_claim("T7", {"says": "", "in": "after", "tests": {"lost": test}}, reduced, 0.95)
    assert row["status"] == "reduced", "one of the two panels is"
    (row,) = judge_claim(
        "T7", {"says": "", "in": "before", "tests": {"lost": test | {"panels": ["e"]}}}, targets, 0.95
    )
    assert row["value"] == pytest.approx(0.2 - 0.6 * 0.2) and row["verdict"] == "fails"
    targets["before"] = panel("e", lambda strength, x: 0.5, noise=0.001)
    (row,) = judge_claim("T7", {"says": "", "in": "after", "tests": {"lost": test}}, targets, 0.95)
    assert row["verdict"] == "not informative", "nothing was gained that could be lost"


def test_a_gain_that_is_not_shown_cannot_be_lost():
    """.02 more of each value, of bootstraps that reach .2 to either side."""
    targets = {
        "before": panel("e", lambda strength, x: 0.5 + strength / 6000, noise=0.1),
        "after": panel("a", lambda strength, x: 0.3, noise=0.001),
    }
    test = {"panels": ["a"], "kept": {"strengths": [60, 180], "other": "before.e"}, "below": 0.6}
    (row,) = judge_claim("T7", {"says": "", "in": "after", "tests": {"lost": test}}, targets, 0.95)
    assert row["verdict"] == "not informative" and "shows no gain" in row["statistic"]


def test_a_profile_chooses_among_a_panels_lines():
    target = join(panel("a", rising, profile="pgd"), panel("a", upside_down, profile="rotation"))
    assert verdict(TRUE["apart"] | {"profile": "pgd"}, target) == "holds"
    assert verdict(TRUE["apart"] | {"profile": "rotation"}, target) == "fails"


def test_a_papers_claims_become_a_table(tmp_path):
    claims = {
        "T1": {
            "says": "it rises",
            "in": "fig",
            "contradicts": "T2",
            "tests": {"both": {"panels": ["a", "b"], "trend": None, "above": 0}},
        },
        "T2": {
            "says": "it falls",
            "in": "fig",
            "tests": {
                "here": {"trend": None, "below": 0},
                "there": {"in": "other", "trend": None, "below": 0},
            },
        },
    }
    targets = {
        "fig": join(panel("a", rising, status="reduced"), panel("b", rising, status="not run")),
        "other": panel("a", upside_down),
    }
    files = tmp_path / "claims.csv", tmp_path / "published.csv"
    frame, published = judge_paper("paper", claims, targets, 0.95, *files).values()
    assert list(frame.columns) == COLUMNS and set(frame.paper) == {"paper"}
    assert list(frame.key + " " + frame.test + " " + frame.panel) == [
        "T1 both a",
        "T1 both b",
        "T2 here a",
        "T2 there a",
    ]
    assert frame.verdict.tolist() == ["holds", "not run", "fails", "holds"]
    assert frame.status.tolist() == ["reduced", "not run", "reduced", "run"]
    assert frame.contradicts.tolist() == ["T2", "T2", "", ""]
    assert pd.read_csv(files[0]).verdict.tolist() == frame.verdict.tolist()
    assert published.empty and list(pd.read_csv(files[1]).columns) == COLUMNS


def test_the_papers_own_numbers_are_judged_in_a_table_of_their_own(tmp_path):
    """They fall where ours rise."""
    rows, replicates = panel("a", rising)
    printed = panel("a", upside_down)[0].assign(source="published")
    both = pd.concat([rows, printed], ignore_index=True)
    target = both, np.concatenate([replicates, np.full_like(replicates, np.nan)])
    claims = {"T1": {"says": "", "in": "fig", "tests": {"rises": {"trend": None, "above": 0}}}}
    judge_paper("paper", claims, {"fig": target}, 0.95, tmp_path / "a.csv", tmp_path / "b.csv")
    ours, theirs = (pd.read_csv(tmp_path / name).iloc[0] for name in ("a.csv", "b.csv"))
    assert (ours.source, ours.verdict, theirs.source, theirs.verdict) == (
        "ours",
        "holds",
        "published",
        "fails",
    )
    assert np.isnan(theirs.low) and "as printed" in theirs.statistic
    # a pair of printed numbers cannot be tested, and the line claims nothing of it
    assert "no pair reversed" in ours.line and "no pair" not in theirs.line


def simulations(**intervals):
    """Rows of a theory target: a statement's slack in each panel as (low, high, hypothesis)."""
    rows = [
        {
            "panel": name,
            "statement": "theorem",
            "metric": "slack",
            "side": "upper_bound",
            "hypothesis": hypothesis,
        }
        | {"value": (low + high) / 2, "low": low, "high": high, "status": "run"}
        for name, (low, high, hypothesis) in intervals.items()
    ]
    return pd.DataFrame(rows), None


@pytest.mark.parametrize(
    ("intervals", "expected", "panel"),
    [
        ({"a": (0.1, 0.2, "holds"), "b": (0.3, 0.4, "holds")}, "holds", "a"),
        ({"a": (0.1, 0.2, "holds"), "b": (-0.4, -0.3, "holds")}, "fails", "b"),
        (
            {"a": (-0.5, 0.2, "holds"), "b": (-0.4, -0.3, "holds")},
            "fails",
            "b",
        ),  # the one that shows it is told
        ({"a": (0.1, 0.2, "holds"), "b": (-0.4, -0.3, "vacuous")}, "holds", "a"),
        ({"a": (0.1, 0.2, "holds"), "b": (0.0, 0.0, "by construction")}, "holds", "a"),
        ({"a": (-0.0099, 0.2, "holds")}, "holds", "a"),
        ({"a": (-0.0101, 0.2, "holds")}, "undecided", "a"),
        ({"a": (-0.02, -0.0001, "holds")}, "fails", "a"),
        ({"a": (-0.02, -0.0001, "holds"), "b": (0.1, 0.2, "holds")}, "undecided", "a"),  # one of two may miss
        ({"a": (-0.02, -0.005, "holds"), "b": (0.1, 0.2, "holds")}, "fails", "a"),
    ],
)
def test_a_theorem_is_judged_by_the_comparisons_that_could_fail(intervals, expected, panel):
    claim = {"says": "", "in": "theory", "tests": {"slack": {"slack": "theorem"}}}
    (row,) = judge_claim("T", claim, {"theory": simulations(**intervals)}, 0.95)
    assert (row["verdict"], row["panel"]) == (expected, panel)
    assert (row["low"], row["high"]) == intervals[panel][:2]


def test_a_theorem_that_was_not_simulated_is_an_error():
    claim = {"says": "", "in": "theory", "tests": {"slack": {"slack": "lemma"}}}
    with pytest.raises(ValueError, match="no simulation of 'lemma' that could fail"):
        judge_claim("T", claim, {"theory": simulations(a=(0, 1, "holds"))}, 0.95)
    with pytest.raises(ValueError, match="that could fail"):
        claim = {"says": "", "in": "theory", "tests": {"slack": {"slack": "theorem"}}}
        judge_claim("T", claim, {"theory": simulations(a=(0, 0, "by construction"))}, 0.95)


def accuracies(*rows):
    """Rows of a theory target: (classifier, x, metric, value, half of the interval, hypothesis)."""
    columns = ["classifier", "x", "metric", "value", "half", "hypothesis"]
    frame = pd.DataFrame(rows, columns=columns).assign(
        panel="a", side="simulated", x_unit="m/d", status="run"
    )
    return frame.assign(low=frame.value - frame.half, high=frame.value + frame.half), None


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(0.60, 0.50, "holds"), (0.60, 0.60, "fails"), (0.60, 0.63, "fails"), (0.60, 0.588, "undecided")],
)
def test_an_accuracy_that_is_flat_does_not_degrade(first, last, expected):
    rows = accuracies(
        ("f", 0.5, "spatial_accuracy", last, 0.003, "holds"),
        ("f", 0.02, "spatial_accuracy", first, 0.004, "holds"),
        ("f", 0.25, "spatial_accuracy", 0.1, 0.004, "holds"),
        ("g", 0.5, "spatial_accuracy", 0.0, 0.004, "holds"),
    )
    test = {
        "panels": ["a"],
        "accuracy_change": {"classifier": "f", "metric": "spatial_accuracy"},
        "below": -0.01,
    }
    claim = {"says": "", "in": "theory", "tests": {"m": test | {"because": "it is flat"}}}
    (row,) = judge_claim("T", claim, {"theory": rows}, 0.95)
    assert row["verdict"] == expected and row["because"] == "it is flat"
    assert row["value"] == pytest.approx(last - first)
    assert row["high"] - row["value"] == pytest.approx(0.005)  # two independent simulations: 3, 4, 5


@pytest.mark.parametrize(
    ("adversarial", "hypothesis", "expected"),
    [
        (0.95, "holds", "fails"),
        (0.85, "holds", "holds"),
        (0.902, "holds", "holds"),
        (0.95, "by construction", "holds"),
    ],
)
def test_robust_classifiers_are_those_whose_whole_interval_is_and_x0_alone_is_none(
    adversarial, hypothesis, expected
):
    rows = accuracies(
        ("f", 0.95, "spatial_accuracy", 0.95, 0.004, hypothesis),
        ("f", 0.95, "adversarial_accuracy", adversarial, 0.004, hypothesis),
        ("g", 0.5, "spatial_accuracy", 0.5, 0.004, "holds"),
        ("g", 0.5, "adversarial_accuracy", 0.99, 0.004, "holds"),
    )
    test = {"panels": ["a"], "accuracy": {"metric": "spatial_accuracy", "robust": 0.9}, "below": 0.55}
    (row,) = judge_claim("T", {"says": "", "in": "theory", "tests": {"chance": test}}, {"theory": rows}, 0.95)
    assert row["verdict"] == expected and row["value"] == (0.95 if expected == "fails" else 0.5)


def test_an_accuracy_is_judged_where_it_is_worst():
    rows = accuracies(
        ("f", 1, "natural_accuracy", 0.999, 0.0005, "holds"),
        ("f", 2, "natural_accuracy", 0.98, 0.0005, "holds"),
    )
    for line, verdict, value in (({"above": 0.99}, "fails", 0.98), ({"below": 0.99}, "fails", 0.999)):
        test = {"accuracy": {"metric": "natural_accuracy", "classifier": "f"}} | line
        (row,) = judge_claim("T", {"says": "", "in": "theory", "tests": {"f*": test}}, {"theory": rows}, 0.95)
        assert row["verdict"] == verdict and row["value"] == value
