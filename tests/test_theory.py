"""The theorems: codes by brute force, simulation against closed forms, wrong statements seen to fail."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from spatial_adversarial.plots import theory as drawing
from spatial_adversarial.theory import bounds, statements
from spatial_adversarial.theory.codes import autocorrelation, code_family, cyclic_code, relative_distance
from spatial_adversarial.theory.simulate import (
    Classifier,
    accuracies,
    classifiers,
    coded_setting,
    combine,
    paired_setting,
    wilson,
)
from spatial_adversarial.theory.statements import simulate

SAMPLES = 4000
NAMES = ["x0 only", "x0 × 1.5 + x", "Bayes on x"]
PANELS = {
    "invariance": {
        "a": {"statement": "theorem1", "over": "p", "values": [0.5, 0.7, 0.95]},
        "b": {"statement": "theorem1", "over": "d", "values": [4, 32]},
        "c": {"statement": "theorem1", "over": "eta"},
    },
    "tradeoff": {
        "a": {"statement": "proposition1", "over": "d", "values": [20, 31, 60], "at": {"p": 0.5}},
        "b": {"statement": "theorem2", "over": "eta"},
        "c": {"statement": "theorem2", "over": "m", "values": ["1/2", "1/4", "1/6"], "classifiers": NAMES},
    },
    "cusp": {
        "a": {"statement": "theorem2_spatial", "over": "p", "values": [0.5, 0.6, 0.9]},
        "b": {"statement": "theorem2_adversarial", "over": "eta"},
        "c": {"statement": "theorem3", "over": "d", "values": [20, 60]},
    },
}


def settings(paper: str) -> dict:
    return {"samples": SAMPLES, "at": {"p": 0.6, "d": 36, "m": "1/2"}, "panels": PANELS[paper]}


@pytest.fixture(scope="module", params=list(PANELS))
def rows(request: pytest.FixtureRequest) -> pd.DataFrame:
    return simulate(request.param, settings(request.param), seed=1)


@pytest.mark.parametrize("d", [8, 12, 16, 20, 28, 31, 36, 60, 63, 100, 256])
def test_every_two_shifts_of_a_code_differ_in_three_eighths_of_the_places(d: int) -> None:
    word = cyclic_code(d)
    differing = [np.mean(word != np.roll(word, shift)) for shift in range(1, d)]
    assert set(np.unique(word)) == {-1, 1}
    assert min(differing) >= 3 / 8
    assert relative_distance(word) == pytest.approx(min(differing))


def test_the_constructions_have_their_textbook_autocorrelations() -> None:
    for d in (28, 36, 100, 256):
        assert code_family(d) == "Sidelnikov" and np.abs(autocorrelation(cyclic_code(d))[1:]).max() <= 4
    for d in (7, 63, 255):
        assert code_family(d) == "m-sequence" and set(autocorrelation(cyclic_code(d))[1:]) == {-1}


@pytest.mark.parametrize("d", [0, 1, 10, 24, 33])
def test_a_length_without_a_code_is_named(d: int) -> None:
    with pytest.raises(ValueError, match=f"d = {d}:"):
        cyclic_code(d)


def test_wilson_agrees_with_scipy() -> None:
    for successes, trials in ((0, 50), (17, 50), (50, 50)):
        ours, theirs = wilson(successes, trials), binomtest(successes, trials).proportion_ci(method="wilson")
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_combined_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = 1 + 2 * 0.3 - 0.9
    drawn = zip(rng.binomial(200, 0.3, 2000), rng.binomial(100, 0.9, 2000), strict=True)
    found = [combine([2, -1], [wilson(a, 200), wilson(b, 100)], constant=1) for a, b in drawn]
    assert np.mean([one.low <= truth <= one.high for one in found]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("condition", ["natural", "spatial", "attack", "worst"])
def test_linear_classifiers_have_their_closed_form_accuracies(condition: str) -> None:
    rng = np.random.default_rng(3)
    for setting in (paired_setting(0.8, 64), coded_setting(0.7, 36, 9), coded_setting(0.7, 60, 30)):
        linear = [f for f in classifiers(setting, rng) if not f.squash and np.any(f.weights)]
        found = accuracies(linear, setting, condition, 40_000, rng)
        for f in linear:
            means = setting.mean[setting.permutations] if condition == "spatial" else setting.mean[None]
            score = means @ f.weights * (-1 if condition == "attack" else 1)
            if condition == "worst":
                score = score - setting.eps * np.abs(f.weights).sum()
            width = np.linalg.norm(f.weights)
            right, wrong = (norm.cdf((score + sign * f.x0_weight) / width).mean() for sign in (1, -1))
            assert found[f.name].value == pytest.approx(
                setting.p * right + (1 - setting.p) * wrong, abs=0.012
            )


def test_the_worst_attack_is_the_worst_of_all_corners() -> None:
    rng = np.random.default_rng(4)
    setting = coded_setting(0.7, 8, 4)
    corners = setting.eps * np.array(list(product((-1, 1), repeat=9)))
    for f in classifiers(setting, rng):
        for y, x0, x in zip(
            rng.choice([-1, 1], 30), rng.choice([-1, 1], 30), rng.normal(size=(30, 8)), strict=True
        ):
            survives = np.all(f.predict(x0 + corners[:, 0], x + corners[:, 1:]) == y)
            attacked = f.worst(np.array([x0]), x[None], np.array([y]), setting.eps)
            assert survives == (f.predict(*attacked)[0] == y)


def test_shifts_and_swaps_are_the_papers() -> None:
    x = np.arange(36)
    for row, j in zip(coded_setting(0.6, 36, 9).permutations, range(1, 5), strict=True):
        assert np.array_equal(x[row], np.roll(x, -9 * j))
    setting = paired_setting(0.6, 4)
    swapped = setting.mean[setting.permutations[1]]
    assert np.array_equal(setting.permutations[0], np.arange(8)) and np.array_equal(swapped, -setting.mean)


def test_no_statement_is_violated_beyond_sampling_error(rows: pd.DataFrame) -> None:
    slack = rows[rows["metric"] == "slack"]
    assert len(slack) > 15 and slack["high"].min() >= -0.003
    assert slack["low"].min() > -0.06


@pytest.mark.parametrize(
    ("paper", "statement", "wrong"),
    [
        ("invariance", "theorem1", {"premise": "spatial_accuracy", "conclusion": "adversarial_accuracy"}),
        ("tradeoff", "theorem2", {"upper": bounds.SHIFTS.lower, "lower": bounds.SHIFTS.upper}),
        (
            "cusp",
            "theorem2_spatial",
            {"upper": lambda eta, p, share: eta * p * (1 - p)},
        ),  # as the text is garbled
    ],
)
def test_a_wrong_statement_is_violated(
    paper: str, statement: str, wrong: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = bounds.STATEMENTS[paper]
    monkeypatch.setitem(known, statement, replace(known[statement], **wrong))
    rows = simulate(
        paper, settings(paper) | {"panels": {"a": {"statement": statement, "over": "eta"}}}, seed=0
    )
    assert (rows.query("metric == 'slack'")["high"] < -0.1).any()
    assert "fails for" in drawing.draw(rows, {"title": "", "columns": 1}).axes[0].get_title()


def test_theorem_1_is_attained_by_x0_alone() -> None:
    panel = {"a": {**PANELS["invariance"]["a"], "classifiers": ["x0 only"]}}
    slack = simulate("invariance", settings("invariance") | {"panels": panel}, seed=0).query(
        "metric == 'slack'"
    )
    assert slack["value"].abs().max() < 1e-9 and (slack["high"] - slack["low"]).max() < 0.01


def test_a_budget_beyond_one_turns_x0_too() -> None:
    rng = np.random.default_rng(6)
    for d, expected in ((12, 0.0), (20, 0.9)):
        setting = coded_setting(0.9, d, 4)
        alone = [f for f in classifiers(setting, rng) if f.name == "x0 only"]
        assert accuracies(alone, setting, "worst", 100, rng)["x0 only"].value == pytest.approx(expected)


def test_proposition_1_has_its_three_accuracies() -> None:
    rows = simulate("tradeoff", settings("tradeoff"), seed=2).query("panel == 'a' and side == 'simulated'")
    for d, some in rows.groupby("d"):
        near = autocorrelation(cyclic_code(d))[1:].max()
        home = some.query("metric == 'natural_accuracy' or classifier == 'best on shifted x'")["value"]
        away = some.query("metric == 'spatial_accuracy' and classifier == 'best on x'")["value"]
        assert len(home) == 2 and home.to_numpy() == pytest.approx(norm.cdf(2), abs=0.01)
        assert away.item() == pytest.approx(norm.cdf(2 * near / d), abs=0.03) and away.item() < 0.85


def test_below_one_minus_p_the_hypothesis_is_empty_and_no_classifier_is_there() -> None:
    rows = simulate("tradeoff", settings("tradeoff"), seed=0).query("panel == 'b'")
    curves = rows[rows["side"] == "bound"]
    assert ((curves["hypothesis"] == "empty") == (curves["x"] < 0.4 - 1e-9)).all()
    adversarial = rows.query("metric == 'adversarial_accuracy'").set_index("classifier")["value"]
    assert adversarial.idxmax() == "x0 only" and adversarial.max() == pytest.approx(0.6)
    assert (rows[rows["side"] == "simulated"]["hypothesis"] == "holds").all()


def test_at_a_half_turn_adversarial_accuracy_does_not_leave_spatial_accuracy_at_chance() -> None:
    panel = {"a": {"statement": "theorem3", "over": "p", "values": [0.5, 0.95], "classifiers": ["x0 only"]}}
    rows = simulate("cusp", settings("cusp") | {"panels": panel}, seed=0).query("side == 'simulated'")
    assert rows.query("p == 0.95")["value"].to_numpy() == pytest.approx([0.95, 0.95])
    assert rows.query("p == 0.5")["value"].to_numpy() == pytest.approx([0.5, 0.5])


def test_theorem_2_of_cusp_needs_the_strongest_attack() -> None:
    """Under A alone, a classifier that expects x + A(x) and the shifted x is good at both: no bound holds."""
    rng = np.random.default_rng(5)
    setting = coded_setting(0.5, 100, 50)
    both = Classifier("both", setting.mean[setting.permutations[0]] - setting.mean, 0.0)
    one = {
        name: accuracies([both], setting, name, 20_000, rng)["both"]
        for name in ("attack", "spatial", "worst")
    }
    assert one["spatial"].low > 1 - one["attack"].low  # eta p / (1 - p) at p = 1/2
    assert one["spatial"].high < 1 - one["worst"].high


def test_rows_are_reproducible_and_points_independent_of_later_ones() -> None:
    panel = PANELS["tradeoff"]["c"]
    fewer = settings("tradeoff") | {"panels": {"c": {**panel, "values": panel["values"][:2]}}}
    more = settings("tradeoff") | {"panels": {"c": panel}}
    first, again, other = (
        simulate("tradeoff", fewer, 0),
        simulate("tradeoff", more, 0),
        simulate("tradeoff", fewer, 1),
    )
    pd.testing.assert_frame_equal(first, again.iloc[: len(first)])
    assert not first["value"].equals(other["value"])


def test_numbers_lie_within_their_intervals_and_accuracies_within_the_unit(rows: pd.DataFrame) -> None:
    assert (rows["low"] <= rows["value"] + 1e-12).all() and (rows["value"] <= rows["high"] + 1e-12).all()
    assert rows.loc[rows["metric"] != "slack", "value"].between(0, 1 + 1e-12).all()
    assert rows["x"].notna().all() and list(rows.columns) == statements.COLUMNS


@pytest.mark.parametrize(
    ("paper", "change", "message"),
    [
        ("features", {}, "'features' has no theorems"),
        ("cusp", {"statement": "theorem1"}, "no statement 'theorem1' of cusp"),
        ("cusp", {"over": "theta"}, "over 'theta'"),
        ("cusp", {"at": {"m": "1/7"}}, "m = 1/7 of d = 36"),
        ("cusp", {"at": {"d": 24}}, "d = 24"),
        ("cusp", {"values": [1.0]}, "p = 1.0"),
        ("cusp", {"classifiers": ["x1 only"]}, "no classifier 'x1 only'"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(paper: str, change: dict, message: str) -> None:
    panel = {"statement": "theorem3", "over": "p", "values": [0.6]} | change
    with pytest.raises(ValueError, match=message) as caught:
        simulate(paper, settings("cusp") | {"panels": {"a": panel}}, seed=0)
    assert "\n" not in str(caught.value)


def test_figures_shade_the_empty_hypothesis_and_name_what_fails(rows: pd.DataFrame) -> None:
    figure = drawing.draw(rows, {"title": "theory", "columns": 2})
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert len(panels) == 3 and all("holds for all" in axes.get_title() for axes in panels)
    shaded = [any("empty" in text.get_text() for text in axes.texts) for axes in panels]
    assert any(shaded) == (rows["paper"].iloc[0] == "tradeoff")
