"""Verdicts on synthetic curves whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from judge import judge as judge_paper
from spatial_adversarial.catalog.recipes import number_text
from spatial_adversarial.judging import COLUMNS, STATISTICS, curves_of, judge, judge_claim, judge_panel

XS = [0.0, 0.1, 0.2, 0.3]
STRENGTHS = [0, 60, 180]


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


def verdict(test: dict, *panels, of: str = "a") -> str:
    return judge_panel(test, of, *join(*panels), 0.95)["verdict"]


# True of `rising` with room to spare.
TRUE = {
    "value above": {"value": {"strength": 180, "x": 0.1}, "above": 0.5},
    "value below": {"value": {"strength": 180, "x": 0.3}, "below": 0.5},
    "value between": {"value": {"strength": 60, "x": 0.1}, "between": [0.35, 0.45]},
    "drop": {"drop": {"strength": 180, "to": 0.3}, "above": 0.2},
    "change": {"change": {"strengths": [60, 180], "x": 0.2}, "above": 0.1},
    "lead": {"lead": {"strengths": [60, 180]}, "above": 0},
    "trend": {"trend": None, "above": 0},
    "trend at a point": {"trend": {"x": 0.3}, "above": 0},
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
        ((0.61, 0.7), {"above": "holds", "below": "fails", "between": "fails"}),
        ((0.2, 0.3), {"above": "fails", "below": "holds", "between": "fails"}),
        ((0.45, 0.55), {"above": "undecided", "below": "undecided", "between": "holds"}),
        ((0.3, 0.45), {"above": "fails", "below": "holds", "between": "undecided"}),
        ((0.3, 0.9), {"above": "undecided", "below": "undecided", "between": "undecided"}),
        ((0.5, 0.5), {"above": "fails", "below": "fails", "between": "holds"}),
        ((np.nan, np.nan), {"above": "undecided", "below": "undecided", "between": "undecided"}),
    ],
)
def test_verdicts_on_intervals(interval, expected):
    tests = {"above": {"above": 0.5}, "below": {"below": 0.5}, "between": {"between": [0.4, 0.6]}}
    assert {name: judge(*interval, test)[1] for name, test in tests.items()} == expected


def test_statistics_by_hand():
    curves = curves_of(*panel("a", rising))

    def estimate(name, **parameters):
        return STATISTICS[name][1](curves, **parameters)[0]

    assert estimate("value", strength=60, x=0.1) == pytest.approx(0.4)
    assert estimate("drop", strength=60, to=0.3) == pytest.approx(0.3)
    assert estimate("change", strengths=[60, 180], x=0.2) == pytest.approx(0.2)
    assert estimate("lead", strengths=[180, 0]) == pytest.approx(-0.3)
    assert estimate("trend") == 1


def test_the_interval_is_that_of_the_replicates():
    rows, replicates = panel("a", rising)
    row = judge_panel(TRUE["value above"], "a", rows, replicates, 0.9)
    at = rows.index[(rows.strength == "180") & (rows.x == "0.1")][0]
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(replicates[at], [0.05, 0.95]).tolist())
    assert row["value"] == pytest.approx(0.6) and row["line"] == "> 0.5"


def test_a_drop_takes_its_replicates_in_pairs():
    """Noise that a curve's points share cancels in the difference."""
    row = judge_panel(TRUE["drop"], "a", *panel("a", rising, noise=3), 0.95)
    assert row["low"] == pytest.approx(0.3, abs=1e-5) and row["high"] == pytest.approx(0.3, abs=1e-5)


def test_a_trend_is_kendalls_tau_of_the_mean_profiles():
    """Strengths as text would sort 100 before 60; the order must be that of the numbers."""
    heights = dict(zip([0, 60, 100, 180], [0.1, 0.3, 0.2, 0.4], strict=True))
    made = panel("a", lambda strength, x: heights[strength] - x / 10, strengths=[180, 100, 0, 60], noise=0)
    row = judge_panel({"trend": None, "above": 0}, "a", *made, 0.95)
    assert row["value"] == pytest.approx(kendalltau(range(4), list(heights.values())).statistic)
    assert row["value"] == row["low"] == row["high"]


def test_strengths_and_points_may_be_fractions_of_255():
    budgets = [0, 2 / 255, 8 / 255]
    made = panel("a", lambda eps, x: 0.5 + 10 * eps - x, strengths=budgets, xs=[0, 1 / 255, 8 / 255])
    assert verdict({"lead": {"strengths": [2 / 255, 8 / 255]}, "above": 0}, made) == "holds"
    assert verdict({"value": {"strength": 8 / 255, "x": 1 / 255}, "above": 0.7}, made) == "holds"


def test_alike_holds_for_equal_orders_and_fails_for_opposite_ones():
    test = {"alike": {"other": "b"}, "above": 0}
    same = panel("b", lambda strength, x: rising(strength, x) / 2, seed=1)
    assert verdict(test, panel("a", rising), same) == "holds"
    assert verdict(test, panel("a", rising), panel("b", upside_down, seed=1)) == "fails"


@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_flat_curves_leave_a_trend_undecided():
    """Equal curves have no order; tau is not a number for any replicate."""
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
    target = join(panel("a", rising), panel("c", rising, status="not run"))
    row = judge_panel(test, "c" if test is TRUE["trend"] else "a", *target, 0.95)
    assert row["verdict"] == row["status"] == "not run" and row["statistic"].endswith(reason)
    assert "value" not in row


def test_one_model_has_no_trend():
    row = judge_panel(TRUE["trend"], "a", *panel("a", rising, strengths=[60]), 0.95)
    assert row["verdict"] == "not run" and "two models" in row["statistic"]


def test_kept_is_the_share_of_another_targets_lead():
    """Of a lead of .2 (strengths 60 and 180), a target whose curves differ half as much keeps half."""
    targets = {
        "before": panel("e", rising, noise=0.001),
        "after": panel("a", lambda strength, x: 0.3 + strength / 1200, noise=0.001),
    }
    test = {"panels": ["a"], "kept": {"strengths": [60, 180], "other": "before.e"}, "below": 0.6}
    (row,) = judge_claim("T7", {"says": "", "in": "after", "tests": {"lost": test}}, targets, 0.95)
    assert row["value"] == pytest.approx(0.5) and row["verdict"] == "holds"
    (row,) = judge_claim(
        "T7", {"says": "", "in": "before", "tests": {"lost": test | {"panels": ["e"]}}}, targets, 0.95
    )
    assert row["value"] == pytest.approx(1) and row["verdict"] == "fails"


def test_a_profile_chooses_among_a_panels_lines():
    target = join(panel("a", rising, profile="pgd"), panel("a", upside_down, profile="rotation"))
    assert verdict(TRUE["lead"] | {"profile": "pgd"}, target) == "holds"
    assert verdict(TRUE["lead"] | {"profile": "rotation"}, target) == "fails"


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
    frame = judge_paper("paper", claims, targets, 0.95, tmp_path / "claims.csv")
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
    assert pd.read_csv(tmp_path / "claims.csv").verdict.tolist() == frame.verdict.tolist()


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
