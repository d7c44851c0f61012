"""Verdicts on tables: fronts, dominance, the best row, gains; on tables whose truth is known, both ways."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import norm, t, ttest_ind

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.catalog.claims import CELL_TESTS
from spatial_adversarial.judging import CELL_STATISTICS, Numbers, fronts, judge_claim
from spatial_adversarial.judging.columns import Column
from spatial_adversarial.judging.extremes import greatest, least, part
from spatial_adversarial.judging.verdicts import NOISE, judge
from spatial_adversarial.metrics.hypervolume import distance_to_front
from spatial_adversarial.statistics.intervals import Interval, Sample

ROOT = Path(__file__).parents[1]
CORNERS = {"a": (0.9, 0.1), "b": (0.1, 0.9), "low": (0.3, 0.3)}


def table(
    points: dict, *, noise=0.01, seeds=None, images=0, unlearnt=(), missing=(), status="run"
) -> Numbers:
    """Rows of two columns, x and y, each cell with noise of its own; seeds: {row: (x, y) by seed}."""
    rng, rows, drawn, by_seed = np.random.default_rng(0), [], [], []
    for row, point in points.items():
        for k, (column, value) in enumerate(zip("xy", point, strict=True)):
            frame = {
                "panel": str(row),
                "kind": "row",
                "family": "pgd",
                "column": column,
                "value": value,
                "published": None,
            }
            frame |= {"status": status, "learnt": "no" if row in unlearnt else "yes"}
            frame |= {"status": "not run", "value": np.nan} if row in missing else {}
            rows.append(frame)
            drawn.append(value + rng.normal(0, noise, 400))
            by_seed.append(seeds[row][k] if seeds else [value])
    frame = pd.DataFrame(rows)
    side = pd.DataFrame({"origin": frame.panel, "images": images, "reach": np.nan})
    return Numbers(frame, np.array(drawn), np.array(by_seed, dtype=float), side)


def rows_of(test: dict, numbers: Numbers) -> list[dict]:
    claim = {"says": "", "in": "t", "tests": {"test": {"columns": ["x"]} | test}}
    return judge_claim("C", claim, {"t": numbers}, 0.95)


def verdict(test: dict, points: dict, **made) -> str:
    (row,) = rows_of(test, table(points, **made))
    return row["verdict"]


# the least and the greatest of several numbers


def test_wider_tails_are_students():
    found = Interval(1.0, 1 - 2 * t.ppf(0.975, 3), 1 + 2 * t.ppf(0.975, 3), error=2.0, freedom=3)
    wide = part(found, 0.95)(0.99)
    assert (wide.low, wide.high) == pytest.approx((1 - 2 * t.ppf(0.995, 3), 1 + 2 * t.ppf(0.995, 3)))
    assert part(found, 0.95)(0.95) == found


def normal(value: float, error: float = 1.0) -> Interval:
    half = norm.ppf(0.975) * error
    return Interval(value, value - half, value + half, error=error)


def test_the_least_by_hand():
    """Its lower end is the lowest, its upper one the lowest of three intervals at 1 - .05/3."""
    found = least([part(normal(value), 0.95) for value in (3.0, 1.0, 2.0)], 0.95)
    expected = 1.0, 1 - norm.ppf(0.975), 1 + norm.ppf(1 - 0.05 / 6)
    assert (found.value, found.low, found.high) == pytest.approx(expected)
    found = greatest([part(normal(-value), 0.95) for value in (3.0, 1.0, 2.0)], 0.95)
    assert (-found.value, -found.high, -found.low) == pytest.approx(expected)


@pytest.mark.parametrize("others", [0.0, 50.0])
def test_the_least_of_equal_numbers_is_above_or_below_0_in_one_of_forty_trials_at_most(others):
    rng = np.random.default_rng(0)
    low = high = 0
    for _ in range(600):
        values = rng.normal([0.0] + [others] * 5, 1)
        found = least([part(normal(value), 0.95) for value in values], 0.95)
        low, high = low + (found.low > 0), high + (found.high < 0)
    assert low <= 0.04 * 600 and high <= 0.04 * 600
    assert low + high > 0, "a test that can fail"


# fronts


def test_the_distance_to_the_front_is_the_shortest_move_that_nothing_dominates():
    rng = np.random.default_rng(3)
    x, y = rng.random((2, 7, 2))
    u, v = np.meshgrid(np.linspace(0, 1, 401), np.linspace(0, 1, 401))
    for k in range(2):
        for p, found in enumerate(distance_to_front(x, y)[:, k]):
            above = ((x[:, k, None, None] > x[p, k] + u) & (y[:, k, None, None] > y[p, k] + v)).any(axis=0)
            assert found == pytest.approx(np.hypot(u, v)[~above].min(), abs=0.005)
    assert distance_to_front(np.array([0.5, 0.8]), np.array([0.5, 0.9])).tolist() == [pytest.approx(0.3), 0]


AHEAD = {"ahead": {"to": "y", "rows": ["new"], "over": ["a", "b", "low"]}, "above": 0}
ADDS = {"adds": {"to": "y", "rows": ["new"], "over": ["a", "b", "low"]}, "above": 0}
NEARER = {"nearer": {"to": "y", "rows": ["new"], "over": ["low"]}, "below": 0}
AREA = {"area": {"to": "y", "row": "new", "over": ["a", "b", "low"]}, "above": 0}


@pytest.mark.parametrize(
    ("test", "new", "expected"),
    [
        (AHEAD, (0.5, 0.5), "holds"),
        (AHEAD, (0.2, 0.2), "fails"),
        (AHEAD, (0.3, 0.3), "undecided"),
        (AHEAD, (0.305, 0.3), "undecided"),
        (ADDS, (0.5, 0.5), "holds"),
        (ADDS, (0.2, 0.2), "fails"),
        (ADDS, (0.305, 0.3), "undecided"),
        (NEARER, (0.5, 0.5), "holds"),
        (NEARER, (0.15, 0.15), "fails"),
        (NEARER, (0.305, 0.3), "undecided"),
        (AREA, (0.5, 0.5), "holds"),
        (AREA, (0.2, 0.2), "fails"),
        (AREA, (0.3, 0.31), "undecided"),
    ],
)
def test_a_new_row_against_two_corners_and_a_point_inside(test, new, expected):
    assert verdict(test, CORNERS | {"new": new}) == expected


def test_the_area_that_a_row_adds_by_hand_from_0_and_from_chance():
    numbers = table(CORNERS | {"new": (0.5, 0.6)})
    (row,) = rows_of(ADDS, numbers)
    # its rectangle less what lies in those of (.9, .1), (.1, .9) and (.3, .3)
    covered = 0.5 * 0.1 + 0.6 * 0.1 - 0.1 * 0.1 + 0.2 * 0.2
    assert row["value"] == pytest.approx(0.3 - covered)
    assert row["low"] < row["value"] < row["high"] and row["line"] == "> 0" + NOISE
    chance = ADDS | {"adds": ADDS["adds"] | {"reference": 0.2}}
    (row,) = rows_of(chance, numbers)
    assert row["value"] == pytest.approx(0.3 * 0.4 - 0.1 * 0.1)
    assert "row new" in row["statistic"] and "from 0.2 in both" in row["statistic"]


def test_what_is_below_chance_adds_nothing():
    """(.95, .15) extends the front from 0, and is no better than a guess in y."""
    points = CORNERS | {"new": (0.95, 0.15)}
    assert verdict(ADDS, points) == "holds"
    assert verdict(ADDS | {"adds": ADDS["adds"] | {"reference": 0.2}}, points) == "fails"
    from_chance = AREA | {"area": AREA["area"] | {"over": ["low"], "reference": 0.2}}
    assert verdict(from_chance, points) == "fails"
    assert verdict(from_chance, CORNERS | {"new": (0.5, 0.5)}) == "holds"


def test_lists_that_end_at_one_pair_are_judged_one_by_one():
    """Two lists at one pair between the corners, and one that a baseline dominates."""
    test = {"adds": {"to": "y", "rows": [7, 8, 9], "over": ["a", "b", "low"]}, "above": 0}
    rows = rows_of(test, table(CORNERS | {7: (0.5, 0.5), 8: (0.5, 0.5), 9: (0.2, 0.2)}))
    assert [row["verdict"] for row in rows] == ["holds", "holds", "fails"]
    assert rows[0]["value"] == rows[1]["value"] == pytest.approx(0.25 - (0.05 + 0.05 - 0.01 + 0.04))


def test_nearer_than_each_is_undecided_beside_a_row_that_is_on_the_front_too():
    over_all = NEARER | {"nearer": NEARER["nearer"] | {"over": ["a", "b", "low"]}}
    assert verdict(over_all, CORNERS | {"new": (0.5, 0.5)}) == "undecided"
    (row,) = rows_of(NEARER, table(CORNERS | {"new": (0.5, 0.5)}))
    assert row["value"] == pytest.approx(-0.2)


def test_every_list_is_ahead_or_the_sentence_fails():
    test = {"ahead": {"to": "y", "rows": [7, 8], "over": ["a", "b", "low"]}, "above": 0}
    assert verdict(test, CORNERS | {7: (0.5, 0.5), 8: (0.4, 0.6)}) == "holds"
    assert verdict(test, CORNERS | {7: (0.5, 0.5), 8: (0.2, 0.25)}) == "fails"


def columns(points: np.ndarray, rng, noise: float) -> tuple[Column, Column]:
    """Rows whose measured values have the noise that their replicates show."""
    seen = points + rng.normal(0, noise, points.shape)
    found = [
        {
            str(k): Sample(float(value), value + rng.normal(0, noise, 100), origin=str(k))
            for k, value in enumerate(axis)
        }
        for axis in seen.T
    ]
    return Column(found[0]), Column(found[1])


def test_of_equal_models_none_is_ahead_adds_or_is_nearer():
    rng = np.random.default_rng(1)
    points = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1], [0.1, 0.9]])
    held = {"ahead": 0, "adds": 0, "nearer": 0}
    for _ in range(100):
        x, y = columns(points, rng, 0.01)
        rows = {"row": 0, "over": [1, 2, 3]}
        lead, _ = fronts.ahead(x, y, 0.95, [0], [1, 2, 3])
        _, _, adds = fronts.adds(x, y, 0.95, **rows)
        near, _ = fronts.nearer(x, y, 0.95, 0, [1])
        held["ahead"] += judge(lead, {"above": 0})[1] == "holds"
        held["adds"] += judge(adds, {"above": 0})[1] == "holds"
        held["nearer"] += judge(near, {"below": 0})[1] == "holds"
    assert all(count <= 0.05 * 100 for count in held.values()), held


def test_three_seeds_are_apart_by_welch_and_one_says_that_training_is_not_in_it():
    wide = {"a": ([0.7, 0.3, 0.5], [0.1] * 3), "new": ([0.62, 0.58, 0.9], [0.1] * 3)}
    close = {"a": ([0.5, 0.51, 0.49], [0.1] * 3), "new": ([0.6, 0.61, 0.59], [0.1] * 3)}
    test = {"gain": {"rows": ["new", "a"]}, "above": 0}
    means = {"a": (0.5, 0.1), "new": (0.7, 0.1)}
    assert verdict(test, means, seeds=wide) == "undecided"
    assert verdict(test, means | {"new": (0.6, 0.1)}, seeds=close) == "holds"
    (row,) = rows_of(test, table(means))
    assert row["line"].endswith(NOISE) and row["verdict"] == "holds"
    (row,) = rows_of(test, table(means | {"new": (0.6, 0.1)}, seeds=close))
    assert row["line"] == "> 0"


def test_areas_of_trainings_apart_are_told_apart_by_welch():
    """Values that differ alike at each seed: paired they would be apart for certain."""
    by_seed = {"a": ([0.5, 0.6, 0.4], [0.9] * 3), "new": ([0.6, 0.7, 0.5], [0.9] * 3)}
    points = {"a": (0.5, 0.9), "new": (0.6, 0.9)}
    test = {"area": {"to": "y", "row": "new", "over": ["a"]}, "above": 0}
    (row,) = rows_of(test, table(points, seeds=by_seed))
    ours, theirs = (0.9 * np.array(by_seed[name][0]) for name in ("new", "a"))
    expected = ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert row["verdict"] == "undecided" and row["line"] == "> 0"


# one column


BEST = {"best": {"row": "new", "rows": ["a", "b", "low"]}, "above": 0}


@pytest.mark.parametrize(("height", "expected"), [(0.97, "holds"), (0.6, "fails"), (0.905, "undecided")])
def test_the_best_row_is_above_each_other(height, expected):
    assert verdict(BEST, CORNERS | {"new": (height, 0)}) == expected


def test_what_has_not_learnt_leaves_the_others_and_is_no_best_row_itself():
    points = CORNERS | {"new": (0.5, 0.5)}
    assert verdict(BEST, points) == "fails"
    (row,) = rows_of(BEST, table(points, unlearnt=["a"]))
    assert row["verdict"] == "holds" and "(3 of 4 rows)" in row["statistic"]
    (row,) = rows_of(BEST, table(points, unlearnt=["new"]))
    assert row["verdict"] == "not informative" and "row new is not shown to have learnt" in row["statistic"]
    for test in (AHEAD, ADDS, NEARER):
        assert verdict(test, points, unlearnt=["new"]) == "not informative"
        assert verdict(test, points, missing=["new"]) == "not run"


def test_a_printed_number_is_judged_though_our_network_of_that_row_has_not_learnt():
    numbers = table(CORNERS | {"new": (0.97, 0.5)}, unlearnt=["new"])
    numbers.rows["published"] = numbers.rows.value
    found = {row["source"]: row["verdict"] for row in rows_of(BEST, numbers)}
    assert found == {"ours": "not informative", "published": "holds"}


def test_a_sentence_about_several_rows_needs_each_of_them_to_have_learnt():
    """A list that is dominated would else be won by its collapse."""
    points = CORNERS | {"new": (0.6, 0.6), "worse": (0.2, 0.2)}
    test = {"ahead": AHEAD["ahead"] | {"rows": ["new", "worse"]}, "above": 0}
    assert verdict(test, points) == "fails"
    assert verdict(test, points | {"worse": (0.7, 0.7)}) == "holds"
    (row,) = rows_of(test, table(points, unlearnt=["worse"]))
    assert row["verdict"] == "not informative" and "row worse is not shown" in row["statistic"]
    assert verdict(test, points, missing=["worse"]) == "undecided"
    gap = {"gap": {"to": "y"}, "above": 0}
    assert verdict(gap, CORNERS, unlearnt=list(CORNERS)) == "not informative"
    assert verdict(gap, CORNERS, missing=list(CORNERS)) == "not run"


def test_a_row_that_a_sentence_needs_beside_those_it_compares_has_to_have_learnt():
    points = {"a": (0.8, 0.5), "source": (0.9, 0.9)}
    test = {"gap": {"to": "y", "rows": ["a"]}, "above": 0, "needs": {"y": "source"}}
    assert verdict(test, points) == "holds"
    assert verdict(test, points, unlearnt=["source"]) == "not informative"
    assert verdict(test, points, missing=["source"]) == "not run"


def test_the_line_of_one_cell_says_that_training_noise_is_left_out():
    cell = {"cell": {"row": "a"}, "above": 0.5}
    (row,) = rows_of(cell, table(CORNERS))
    assert row["line"] == f"> 0.5{NOISE}"
    by_seed = {row: (np.full(3, x), np.full(3, y)) for row, (x, y) in CORNERS.items()}
    (row,) = rows_of(cell, table(CORNERS, seeds=by_seed))
    assert row["line"] == "> 0.5"


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ({"a": (0.5, 0.4), "b": (0.6, 0.5)}, "holds"),
        ({"a": (0.5, 0.4), "b": (0.5, 0.6)}, "fails"),
        ({"a": (0.5, 0.4), "b": (0.505, 0.5)}, "undecided"),
    ],
)
def test_a_gap_is_of_every_row(points, expected):
    assert verdict({"gap": {"to": "y"}, "above": 0}, points) == expected
    turned = {row: (y, x) for row, (x, y) in points.items()}
    assert verdict({"gap": {"to": "y"}, "below": 0}, turned) == expected


def test_a_floor_says_nothing_of_a_gap_nor_of_a_front():
    gap = {"gap": {"to": "y"}, "above": 0}
    assert verdict(gap, {"a": (0.0, 0.0), "b": (0.0, 0.0)}, images=500, noise=0) == "not informative"
    assert verdict(gap, {"a": (0.0, 0.0), "b": (0.6, 0.4)}, images=500, noise=0.001) == "holds"
    floor = {row: (x, 0.0) for row, (x, _) in CORNERS.items()} | {"new": (0.95, 0.0)}
    assert verdict(AHEAD, floor, images=500, noise=0.001) == "not informative"


def test_a_row_is_reduced_where_one_of_both_columns_is_and_also_where_nothing_is_told():
    gap, numbers = {"gap": {"to": "y"}, "above": 0}, table({"a": (0.6, 0.4)})
    numbers.rows.loc[numbers.rows.column == "y", "status"] = "reduced"
    assert [row["status"] for row in rows_of(gap, numbers)] == ["reduced"]
    (row,) = rows_of(gap, table({"a": (0.0, 0.0)}, images=500, noise=0, status="reduced"))
    assert (row["verdict"], row["status"]) == ("not informative", "reduced")


@pytest.mark.parametrize(
    ("gain", "noise", "expected"),
    [
        (0.0048, 0.0005, "holds"),
        (0.012, 0.0005, "holds"),
        (0.0, 0.0005, "undecided"),
        (0.0048, 0.005, "undecided"),
        (-0.005, 0.0005, "fails"),
        (0.025, 0.0005, "fails"),
    ],
)
def test_a_gain_of_half_a_point_is_not_shown_by_none(gain, noise, expected):
    points = {"new": (0.5 + gain, 0), "a": (0.5, 0)}
    test = {"gain": {"rows": ["new", "a"]}, "near": [0.0048, 0.01]}
    assert verdict(test, points, noise=noise) == expected
    mirrored = {"gain": {"rows": ["a", "new"]}, "near": [-0.0048, 0.01]}
    assert verdict(mirrored, points, noise=noise) == expected


def test_a_number_of_full_size_is_not_compared_with_a_reduced_run():
    test = {"cell": {"row": "a"}, "between": [0.8, 1.0], "full_size": True}
    (row,) = rows_of(test, table(CORNERS))
    assert row["verdict"] == "holds"
    (row,) = rows_of(test, table(CORNERS, status="reduced"))
    assert (row["verdict"], row["status"]) == ("not run", "not run") and "value" not in row
    assert "full size" in row["statistic"]
    assert verdict(test | {"full_size": False}, CORNERS, status="reduced") == "holds"


# in the papers' files


def config(**changes) -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")) | {"only_data": None} | changes


def test_chance_is_that_of_the_data_set_that_is_run():
    def references(catalog) -> dict:
        tests = catalog.claims["cusp"]["C4"]["tests"]
        return {name: test["adds"]["reference"] for name, test in tests.items() if name.endswith("chance")}

    full = references(load(config(papers=["cusp"]), ROOT / "figures"))
    assert {name.partition(",")[0]: value for name, value in full.items()} == {
        "VGG16": 0.1,
        "ResNet18": 0.1,
        "CIFAR-100": 0.01,
    }


def test_chance_needs_one_data_set(full_config, specs, edit):
    test = {"columns": ["clean"], "above": 0}
    test["area"] = {"to": "gama_8", "row": "oaat", "over": ["oaat_100"], "reference": "chance"}
    edit("oaat.yaml", {"claims.O3.tests.chance": test})
    with pytest.raises(CatalogError, match=r"reference: chance on which of cifar10, cifar100\?"):
        load(full_config | {"papers": ["oaat"]}, specs)


def test_cusp_is_judged_against_row_4_and_trades_by_every_setting():
    claims = load(config(papers=["cusp"]), ROOT / "figures").claims["cusp"]
    for name, test in claims["C4"]["tests"].items():
        (asked,) = (test[key] for key in ("ahead", "adds", "nearer") if key in test)
        assert asked["over"] == [1, 2, 3, 4, 5, 6, 16, 17, 18, 19], name
    for name, test in claims["C3"]["tests"].items():
        assert "TRADES" not in name or 4 in test["ahead"]["over"]
    for name, test in claims["C1"]["tests"].items():
        named = {int(word.strip(",:")) for word in name.split() if word.strip(",:").isdigit()}
        assert named == set(test["gain"]["rows"]), name


def test_the_catalog_knows_every_statistic_of_cells():
    assert set(CELL_TESTS) == set(CELL_STATISTICS)


EVERY_ROW = {
    "best": {"best": {"row": "new"}, "above": 0},
    "best of some": BEST,
    "area": AREA,
    "ahead": AHEAD,
    "adds": ADDS,
    "nearer": NEARER,
    "gap": {"gap": {"to": "y"}, "above": -1},
}


@pytest.mark.parametrize("name", EVERY_ROW)
def test_what_holds_of_the_rows_that_were_run_is_undecided_for_all(name):
    test = EVERY_ROW[name]
    named = next(iter(test.values()))
    points = CORNERS | {"new": (0.97, 0.95)}
    assert verdict(test, points) == "holds"
    others = named.get("over") or named.get("rows") or ["a", "b"]
    (row,) = rows_of(test, table(points, missing=others[-1:]))
    assert row["verdict"] == ("undecided" if others[1:] else "not run"), "of no other row left"
    assert "rows)" in row["statistic"] or not others[1:]


def test_what_fails_of_the_rows_that_were_run_fails_for_all():
    test = {"best": {"row": "new"}, "above": 0}
    assert verdict(test, CORNERS | {"new": (0.5, 0.5)}, missing=["low"]) == "fails"
