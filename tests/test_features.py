"""features: its claims on the published numbers, its statistics by hand, its figures' lines, tables and history."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from spatial_adversarial import panels
from spatial_adversarial.catalog import load
from spatial_adversarial.judging import STATISTICS, judge_claim
from spatial_adversarial.judging.curves import Curves
from spatial_adversarial.judging.verdicts import NotInformative
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.reporting.captions import figure
from spatial_adversarial.results.aggregate import Aggregator
from spatial_adversarial.statistics.intervals import Sample

ROOT = Path(__file__).parents[1]
BOOTSTRAP = {"replicates": 20, "level": 0.95, "seed": 0}
FIGURES, TABLES = ("fig1", "fig2", "fig3"), ("table1", "table2")


@pytest.fixture(scope="module")
def catalog():
    import yaml

    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return load(config | {"papers": ["features"], "bootstrap": BOOTSTRAP}, ROOT / "figures")


def aggregator(target, tmp_path, seeds=(0,)) -> Aggregator:
    """Numbers of a target whose networks are right on seven of ten images and fooled on four of these."""
    made = Aggregator(
        target,
        seeds=lambda run: list(seeds),
        bootstrap=BOOTSTRAP,
        status=lambda *run: "run",
        evaluation=lambda *key: key,
        classes={"cifar10": 10},
    )
    right = np.arange(10) < 7

    def read(path, profile, seed):
        grid = profile.settings["grid"]
        kept = np.broadcast_to(np.arange(10) < 3, (len(grid), 1, 10))
        return Evaluation(np.zeros(10, int), (~right).astype(int), np.array(grid), (~kept).astype(int))

    made.inputs.evaluation = read
    made.inputs.history = lambda path, seed: pd.read_csv(tmp_path / f"{seed}.csv")
    return made


@pytest.fixture(scope="module")
def numbers(catalog, tmp_path_factory) -> dict:
    """{target: (tidy rows, replicates)} of what claims are judged on."""
    folder = tmp_path_factory.mktemp("numbers")
    targets = {name: catalog.targets["features", name] for name in FIGURES + TABLES}
    return {name: aggregator(target, folder).table({}) for name, target in targets.items()}


def verdicts(catalog, numbers, key: str) -> dict:
    """{(test, panel or column): (value, verdict)} of a claim on the published numbers."""
    rows = judge_claim(key, catalog.claims["features"][key], numbers, 0.95)
    found = [row for row in rows if row["source"] == "published"]
    return {(row["test"], row["panel"]): (row["value"], row["verdict"]) for row in found}


def test_f1_on_the_published_numbers(catalog, numbers):
    found = verdicts(catalog, numbers, "F1")
    assert {test: round(29 * value) for (test, _), (value, _) in found.items()} == {
        "rot30": 21,
        "grid135": 25,
        "grid775": 27,
    }
    assert all(verdict == "holds" for _, verdict in found.values())


def test_f4_on_the_published_numbers(catalog, numbers):
    found = verdicts(catalog, numbers, "F4")
    costs = {panel: round(-100 * found["to .9, in points", panel][0], 2) for panel in "bcd"}
    assert costs == {"b": 4.87, "c": 5.02, "d": 4.56}
    assert {found["to .9, in points", panel][1] for panel in "bcd"} == {"holds"}
    shares = {panel: round(-100 * found["to .9, relative", panel][0], 1) for panel in "bcd"}
    assert shares == {"b": 5.1, "c": 5.3, "d": 4.9}, "a twentieth more, of accuracies of 93 to 95%"
    assert {found["to .9, relative", panel][1] for panel in "bcd"} == {"holds"}


def test_f10_on_the_published_numbers_and_not_on_a_reduced_run(catalog, numbers):
    found = verdicts(catalog, numbers, "F10")
    assert found == {("clean", "b"): (0.8509, "holds"), ("L2 .25", "b"): (0.4613, "holds")}
    rows = judge_claim("F10", catalog.claims["features"]["F10"], numbers, 0.95)
    ours = [row for row in rows if row["source"] == "ours"]
    assert {row["verdict"] for row in ours} == {"undecided"}, "seven and three images of ten"
    small = {"fig3": (numbers["fig3"].rows.replace({"status": {"run": "reduced"}}), *numbers["fig3"][1:])}
    rows = judge_claim("F10", catalog.claims["features"]["F10"], small, 0.95)
    assert {row["verdict"] for row in rows if row["source"] == "ours"} == {"not run"}


def test_f9_is_judged_on_the_best_of_ptns_published_rows(catalog, numbers):
    found = verdicts(catalog, numbers, "F9")
    best = catalog.targets["features", "table2"]
    rows = numbers["table2"].rows
    one = rows[
        (rows.panel.isin([f"{d}_D_{lr}" for d in (18, 34) for lr in ("01", "005")]))
        & (rows.column == "natural")
    ]
    other = rows[(rows.panel == "stn") & (rows.column == "natural")].published.item()
    assert best.spec["rows"]["ptn"]["kind"] == "best" and len(one) == 4
    assert found["PTN and STN", "natural"][0] == pytest.approx(one.published.max() - other)


@pytest.mark.parametrize("key", ["F2", "F3", "F5", "F6", "F7", "F8", "F9"])
def test_the_other_claims_are_judged_on_the_published_numbers(catalog, numbers, key):
    found = verdicts(catalog, numbers, key)
    decided = {"holds", "fails"} | (
        {"undecided"} if key == "F2" else set()
    )  # among the few snapshots of a trend
    assert found and {verdict for _, verdict in found.values()} <= decided
    if key in ("F6", "F8", "F9"):
        assert {verdict for _, verdict in found.values()} == {"holds"}
    if key == "F3":  # at strong attacks the step from 0 to .1 is small
        assert found["from 0 to .1, L2 .25", "a"][1] == "holds"
        assert found["from 0 to .1, L-inf 8/255", "a"][1] == "fails"


def test_every_published_point_is_drawn(catalog, numbers):
    for name, count in (("fig1", 116), ("fig3", 77 + 99)):
        rows, *_ = numbers[name]
        assert (rows.source == "published").sum() == count, name


def test_every_published_cell_of_the_tables_stands_beside_ours(catalog, tmp_path):
    for name, count in (("table1", 72), ("table3", 48), ("table4", 48)):
        rows, *_ = aggregator(catalog.targets["features", name], tmp_path).table({})
        assert (rows.kind.isin(["row", "best"]) & rows.published.notna()).sum() == count, name
    rows, *_ = aggregator(catalog.targets["features", "table2"], tmp_path).table({})
    ours = rows[rows.model.str.startswith("ptn") & rows.published.notna() & (rows.kind == "row")]
    assert len(ours) == 16 and set(ours.column) == {"natural"}


def test_attack_success_counts_images_right_when_clean(numbers):
    rows, *_ = numbers["fig1"]
    ours = rows[(rows.source != "published") & (rows.metric == "attack_success_rate")]
    assert np.allclose(ours.value, 4 / 7) and len(ours) == 3 * 29


def test_the_figures_are_drawn(catalog, numbers):
    """Lines of one profile at several points, natural accuracy, hollow markers."""
    for name in FIGURES:
        described = figure(catalog, catalog.targets["features", name])
        drawn = panels.draw(numbers[name][0], described)
        axes = [a for a in drawn.axes if a.lines]
        for one, panel in zip(axes, described.panels, strict=True):
            filled = [line for line in one.lines if line.get_fillstyle() != "none"]
            assert len(filled) == len(panel.lines)
            assert len(one.lines) == 2 * len(filled)  # published points of each


def history(folder: Path, seed: int, shift: float) -> None:
    table = pd.DataFrame(
        {"epoch": [1, 2], "train_accuracy": [0.2, 0.4 + shift], "validation_accuracy": [0.1, 0.3]}
    )
    table.to_csv(folder / f"{seed}.csv", index=False)


def test_training_curves_come_from_the_histories(catalog, tmp_path):
    for seed, shift in ((0, 0), (1, 0.2)):
        history(tmp_path, seed, shift)
    target = catalog.targets["features", "figB"]
    one, *_ = aggregator(target, tmp_path).table({})
    two, *_ = aggregator(target, tmp_path, seeds=(0, 1)).table({})
    curve = one[(one.panel == "a") & (one.strength == "0.3")]
    assert curve.x.tolist() == ["1", "2"] and curve.value.tolist() == [0.2, 0.4]
    assert curve.low.isna().all() and len(one) == 2 * 11 * 2
    curve = two[(two.panel == "a") & (two.strength == "0.3")]
    assert curve.value.tolist() == pytest.approx([0.2, 0.5]) and curve.low.tolist() == pytest.approx([0.2, 0])
    assert curve.by_seed.tolist() == ["0.2 0.2", "0.4 0.6"] and one.by_seed.isna().all()
    drawn = panels.draw(one.assign(x=one.x.astype(float)), figure(catalog, target))
    assert [len(axes.lines) for axes in drawn.axes if axes.lines] == [11, 11]


def curves(values: dict[float, float]) -> Curves:
    """Curves of printed numbers at one point."""
    return Curves({strength: {1.0: Sample(value)} for strength, value in values.items()})


def judged(name: str, made: Curves, test: dict, **parameters) -> dict:
    return STATISTICS[name][1](made, test, 0.95, "", **parameters)


def test_the_share_of_models_in_a_range():
    made = curves({1: 0.7, 2: 0.75, 3: 0.8, 4: 0.9})
    assert judged("within", made, {"above": 0.4}, range=[0.71, 0.8], x=1.0)["value"] == 0.5


def test_a_share_of_few_models_is_known_no_better_than_of_so_many():
    """Eight of ten in the range, whichever images are drawn: Clopper and Pearson's interval of 8 of 10."""
    drawn = np.linspace(-0.001, 0.001, 100)
    values = dict(enumerate([0.75] * 8 + [0.9] * 2))
    made = Curves({k: {1.0: Sample(value, value + drawn)} for k, value in values.items()})
    row = judged("within", made, {"above": 0.7}, range=[0.71, 0.8], x=1.0)
    expected = binomtest(8, 10).proportion_ci()
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_a_trend_while_another_panel_is_in_a_range():
    other = curves({1: 0.5, 2: 0.62, 3: 0.7, 4: 0.79, 5: 0.9})
    rising = curves({1: 0.9, 2: 0.3, 3: 0.4, 4: 0.5, 5: 0.1})
    up = judged("trend", rising, {"above": 0}, other=other, range=[0.6, 0.8], x=1.0)
    assert (up["tau"], up["members"], up["verdict"]) == (1, 3, "holds")
    down = judged("trend", rising, {"above": 0}, other=other, range=[0.4, 0.65], x=1.0)
    assert (down["tau"], down["verdict"]) == (-1, "fails")
    with pytest.raises(NotInformative, match="fewer than two models in 0.6 to 0.65"):
        judged("trend", rising, {"above": 0}, other=other, range=[0.6, 0.65], x=1.0)


def test_no_two_lines_of_a_figure_share_a_colour_a_dash_or_a_marker(catalog, numbers):
    """Natural accuracy lies over the success rates, and nothing but its name ties them."""
    for name in ("fig1", "fig2"):
        (panel,) = catalog.targets["features", name].panels
        assert [line.metric for line in panel.lines] == ["natural_accuracy"] + ["attack_success_rate"] * 3
        (axes, *_) = panels.draw(numbers[name][0], figure(catalog, catalog.targets["features", name])).axes
        ours = [line for line in axes.lines if line.get_fillstyle() != "none"]
        for look in ("get_color", "get_marker"):
            assert len({getattr(line, look)() for line in ours}) == 4, (name, look)
        assert len({str(line._unscaled_dash_pattern) for line in ours}) == 4
        assert axes.get_ylabel() == "attack success rate, natural accuracy (%)"


def test_the_check_of_the_robust_images_can_be_judged_on_fig3(catalog, numbers):
    """ResNet-50 on D_R alone: about 84% clean and 48% at L2 .25; the paper prints 85.09 and 46.13."""
    at_one = {"panels": ["a"], "profile": "l2", "value": {"strength": 1, "x": 0.25}}
    tests = {
        "clean": at_one | {"metric": "natural_accuracy", "between": [0.79, 0.89]},
        "L2 .25": at_one | {"metric": "robust_accuracy", "between": [0.43, 0.53]},
    }
    rows = judge_claim("check", {"says": "", "in": "fig3", "tests": tests}, numbers, 0.95)
    found = {(row["test"], row["source"]): (row["value"], row["verdict"]) for row in rows}
    assert found["clean", "published"] == (0.8509, "holds")
    assert found["L2 .25", "published"] == (0.4613, "holds")
    # ours here are right on seven of ten images and robust on three of them
    assert found["clean", "ours"] == (pytest.approx(0.7), found["clean", "ours"][1])
    assert found["L2 .25", "ours"] == (pytest.approx(0.3), found["L2 .25", "ours"][1])


def test_a_relative_change_is_its_share_of_the_first_by_the_delta_method():
    rng = np.random.default_rng(0)
    first, second = (Sample(v, v + rng.normal(0, 0.002, 4000), origin=str(v)) for v in (0.8, 0.6))
    made = Curves({0.0: {1.0: first}, 1.0: {1.0: second}})
    row = judged("change", made, {"below": -0.2}, strengths=[0, 1], x=1.0, relative=True)
    assert row["value"] == pytest.approx(-0.25) and row["verdict"] == "holds"
    drawn = second.drawn / first.drawn - 1
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), abs=2e-4)
    assert (
        judged("change", made, {"above": -0.2}, strengths=[0, 1], x=1.0, relative=True)["verdict"] == "fails"
    )


def test_a_network_has_learnt_if_it_has_with_each_seed_on_the_largest_evaluation(catalog, tmp_path):
    """Seed 1 is right on one image of ten; the shorter evaluations would show nothing of it."""
    target = catalog.targets["features", "fig3"]

    def answers(path, profile, seed, lost):
        images = 10 if profile.key.startswith("linf") else 40
        right = np.arange(images) < (images // 10 if seed == lost and images == 40 else 7 * images // 10)
        grid = profile.settings["grid"]
        kept = np.zeros((len(grid), 1, images), int)
        return Evaluation(np.zeros(images, int), (~right).astype(int), np.array(grid), kept)

    for lost, learnt in ((None, {"yes"}), (1, {"no"})):
        made = aggregator(target, tmp_path, seeds=(0, 1, 2))
        made.inputs.evaluation = lambda *key, lost=lost: answers(*key, lost)
        rows, *_ = made.table({})
        assert set(rows[(rows.status == "run") & (rows.panel == "a")].learnt.dropna()) == learnt
        accuracy = rows[rows.panel == "a"].clean_accuracy.dropna().unique()
        assert accuracy == pytest.approx([0.7 if lost is None else 0.5])
