"""The theorems: codes by brute force, simulation against closed forms, wrong statements seen to fail."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import binomtest, norm

from spatial_adversarial.plots import theory_figure
from spatial_adversarial.records.drawing import DrawnFigure
from spatial_adversarial.theory import bounds, statements
from spatial_adversarial.theory.codes import autocorrelation, code_family, cyclic_code, relative_distance
from spatial_adversarial.theory.estimates import combine, evidence, verdict, wilson
from spatial_adversarial.theory.frontier import frontier, rules
from spatial_adversarial.theory.simulate import (
    BLOCK,
    Classifier,
    accuracies,
    classifiers,
    coded_setting,
    paired_setting,
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


def empty_figure(columns: int) -> DrawnFigure:
    return DrawnFigure(paper="a paper", target="theory", kind="theory", title="", columns=columns)


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


def test_no_statement_is_violated_and_what_cannot_fail_is_no_evidence(rows: pd.DataFrame) -> None:
    slack = rows[rows["metric"] == "slack"]
    own = evidence(rows)
    assert all(verdict(some) != "fails" for _, some in own.groupby(["statement", "side"]))
    assert 10 < len(own) < len(slack)
    assert "x0 only" not in set(own["classifier"])
    assert (own["high"] > own["low"]).all()  # what is known without a sample is no evidence


def test_a_side_beyond_0_or_1_is_vacuous() -> None:
    panel = {"a": {"statement": "theorem3", "over": "eta", "at": {"p": 0.8}}}
    own = simulate("cusp", settings("cusp") | {"panels": panel}, seed=0).query("metric == 'slack'")
    known = own["classifier"] == "x0 only"
    top = 1 - 0.5 * (1 - own["eta"] * 0.8 / 0.2)
    vacuous = own["side"].isin(["upper_bound", "tight_upper"]) & (top >= 1)
    assert vacuous.any() and (own.loc[vacuous & ~known, "hypothesis"] == "vacuous").all()
    assert (own.loc[known, "hypothesis"] == "by construction").all()
    assert (own.loc[~vacuous & ~known & (own["eta"] < 0.999), "hypothesis"] == "holds").all()
    fooled = own["side"].isin(["lower_bound", "tight_lower"]) & (
        own["eta"] == 1
    )  # 1 - eta = 0 excludes nothing
    assert fooled.sum() == 2 and (own.loc[fooled, "hypothesis"] == "vacuous").all()


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
    assert "fails for" in theory_figure.draw(rows, empty_figure(columns=1)).axes[0].get_title()


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
    assert rows.loc[rows["side"] == "frontier", "x"].min() == pytest.approx(0.4)
    assert ((curves["hypothesis"] == "empty") == (curves["x"] < 0.4 - 1e-9)).all()
    adversarial = rows.query("metric == 'adversarial_accuracy'").set_index("classifier")["value"]
    assert adversarial.idxmax() == "x0 only" and adversarial.max() == pytest.approx(0.6)
    seen = rows[rows["side"] == "simulated"]
    assert (seen["eta"] >= 0.4 - 0.03).all() and set(seen["hypothesis"]) == {"holds", "by construction"}


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


def test_figures_shade_the_empty_hypothesis_and_fit_a_page(rows: pd.DataFrame) -> None:
    figure = theory_figure.draw(rows, empty_figure(columns=2))
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert len(panels) == 3 and not any("fails" in axes.get_title() for axes in panels)
    assert figure.get_figwidth() <= 7 and figure.get_figheight() <= 9
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("η < 1 − p: no classifier" in told) == (rows["paper"].iloc[0] == "tradeoff")


def test_a_title_says_holds_only_where_every_interval_does() -> None:
    panel = {"a": {"statement": "theorem2_spatial", "over": "p", "values": [0.5]}}
    rows = simulate("cusp", settings("cusp") | {"panels": panel}, seed=0)
    slack = rows["metric"] == "slack"

    def title(low: float, high: float) -> str:
        one = slack & (rows["classifier"] == "Bayes on x")
        moved = rows.copy()
        moved.loc[slack, ["value", "low", "high"]] = [0.2, 0.1, 0.3]
        moved.loc[one, ["value", "low", "high"]] = [(low + high) / 2, low, high]
        return theory_figure.draw(moved, empty_figure(columns=1)).axes[0].get_title().splitlines()[1]

    assert title(0.1, 0.3).startswith("holds (")
    assert title(-0.02, 0.01).startswith("undecided (")
    assert title(-0.2, -0.1) == "fails for Bayes on x at 0.5; tight form fails for Bayes on x at 0.5"


def test_colour_means_classifier_and_shape_means_code(rows: pd.DataFrame) -> None:
    figure = theory_figure.draw(rows, empty_figure(columns=2))
    drawn = {
        (line.get_color(), line.get_marker())
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() not in ("None", "|", "_", "")
    }
    shapes = {theory_figure.CODES[code] for code in rows["code"].dropna()} or {"o"}
    present = {
        theory_figure.COLORS[name]
        for name in rows.loc[rows["side"].isin(["simulated", "left"]), "classifier"]
    }
    assert {color for color, _ in drawn} == present and {shape for _, shape in drawn} == shapes
    assert len({theory_figure.COLORS[name] for name in bounds.CLASSIFIERS}) == len(bounds.CLASSIFIERS)


def test_the_distributions_and_budgets_are_the_papers() -> None:
    for d in (28, 36, 100):
        word = cyclic_code(d)
        coded, paired = coded_setting(0.6, d, d // 4), paired_setting(0.6, d)
        assert np.allclose(coded.mean, [2 * c / d**0.5 for c in word]) and coded.eps == pytest.approx(
            4 / d**0.5
        )
        assert np.allclose(paired.mean, [3 / d**0.5, -3 / d**0.5] * d) and paired.eps == pytest.approx(
            6 / d**0.5
        )


def test_the_accuracy_of_f_star_is_simulated() -> None:
    """Pr(sign(sum of x_(2t-1)) = Y) is Phi(3), above the 99% that invariance states."""
    panel = {
        "a": {"statement": "theorem1", "over": "p", "values": [0.7], "classifiers": ["half the coordinates"]}
    }
    found = simulate("invariance", settings("invariance") | {"samples": 40_000, "panels": panel}, seed=1)
    natural = found.query("metric == 'natural_accuracy'").iloc[0]
    assert natural["low"] < norm.cdf(3) < natural["high"] and natural["low"] > 0.99


@pytest.mark.parametrize("attack", ["attack", "worst"])
def test_the_accuracies_of_the_grid_of_rules_are_those_of_simulated_classifiers(attack: str) -> None:
    rng = np.random.default_rng(8)
    for setting in (paired_setting(0.8, 36), coded_setting(0.7, 36, 9), coded_setting(0.7, 12, 6)):
        known = rules(setting, attack)
        pairs = np.stack([known["spatial_accuracy"], known["adversarial_accuracy"]])
        unit = setting.mean / np.linalg.norm(setting.mean)
        for a, sign in ((0.5, 1), (2.0, 1), (1.0, -1)):
            f = Classifier("f", sign * unit, a)
            found = [accuracies([f], setting, name, 40_000, rng)["f"].value for name in ("spatial", attack)]
            assert np.abs(pairs - np.array(found)[:, None]).max(axis=0).min() < 0.012


def test_a_frontier_is_the_best_of_those_who_meet_the_premise() -> None:
    premise, conclusion = np.array([0.9, 0.6, 0.2]), np.array([0.3, 0.7, 0.5])
    least, most = frontier(premise, conclusion, np.array([0.05, 0.1, 0.4, 0.9]))
    assert np.array_equal(most, [np.nan, 0.3, 0.7, 0.7], equal_nan=True)
    assert np.array_equal(least, [np.nan, 0.3, 0.3, 0.3], equal_nan=True)


@pytest.mark.parametrize("share", [2, 4])
def test_the_frontier_attains_the_tight_form_at_one_half_and_never_theorem_2(share: int) -> None:
    etas = np.linspace(0, 1, 101)
    for p in (0.5, 0.6, 0.8):
        found = rules(coded_setting(p, 100, 100 // share), "worst")
        least, most = frontier(found["adversarial_accuracy"], found["spatial_accuracy"], etas)
        known = ~np.isnan(most)
        assert np.array_equal(known, etas >= 1 - p - 1e-9)
        tight = etas[known] * p / (1 - p)
        assert (most[known] <= tight + 1e-9).all() and (least[known] >= 1 - etas[known] - 1e-9).all()
        gap = tight - most[known]
        assert gap[0] == pytest.approx(0, abs=1e-6)  # x_0 alone
        wide = (1 - (1 - tight) / share) - most[known]
        inner = tight < 1
        assert (wide[inner] >= (1 - tight[inner]) * (1 - 1 / share) - 1e-9).all()
    half = rules(coded_setting(0.5, 100, 50), "worst")
    assert (half["spatial_accuracy"] + half["adversarial_accuracy"]).max() == pytest.approx(1, abs=0.01)


def test_the_figures_take_the_codes_of_the_protocol() -> None:
    """Even d above 16, m = d/4 and d/2, Sidelnikov's series along eta."""
    folder = Path(__file__).parents[1] / "figures"
    shares = {}
    for paper in ("tradeoff", "cusp"):
        setting = yaml.safe_load((folder / f"{paper}.yaml").read_text())["figures"]["theory"]["settings"]
        for panel in setting["panels"].values():
            at = setting["at"] | panel.get("at", {})
            sizes = panel["values"] if panel["over"] == "d" else [at["d"]]
            assert min(sizes) > 16
            if panel["statement"] != "proposition1":
                assert all(d % 4 == 0 and code_family(d) in ("search", "Sidelnikov") for d in sizes)
            if panel["over"] == "eta":
                assert code_family(at["d"]) == "Sidelnikov"
                shares.setdefault(paper, set()).add(at["m"])
    assert shares == {"tradeoff": {"1/2", "1/4"}, "cusp": {"1/2"}}


def test_more_samples_than_a_block_are_all_counted() -> None:
    setting, rng = coded_setting(0.6, 8, 4), np.random.default_rng(2)
    f = [Classifier("f", setting.mean, 0.1)]
    few, many = (accuracies(f, setting, "natural", n, rng)["f"] for n in (BLOCK, 5 * BLOCK))
    assert (many.high - many.low) == pytest.approx((few.high - few.low) / 5**0.5, rel=0.1)


def test_attained_bounds_fail_one_time_in_twenty_at_most_and_small_violations_always() -> None:
    rng = np.random.default_rng(0)

    def verdicts(slack: float) -> list[str]:
        drawn = slack + 0.002 * rng.standard_normal((400, 50))
        frames = ({"value": v, "low": v - 1.96 * 0.002, "high": v + 1.96 * 0.002} for v in drawn)
        return [verdict(pd.DataFrame(frame)) for frame in frames]

    equal, beyond = verdicts(0.0), verdicts(-0.02)
    assert equal.count("fails") <= 20 and equal.count("holds") > 300
    assert beyond.count("fails") == 400
