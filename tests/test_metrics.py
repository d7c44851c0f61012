"""Metrics by hand, bootstrap intervals against scipy's, and a target's tidy rows from hand-made evaluations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from spatial_adversarial.catalog import Target
from spatial_adversarial.metrics import outcomes
from spatial_adversarial.records.evaluation import SKIPPED, Evaluation
from spatial_adversarial.records.panel import Line, Member, Panel, Profile
from spatial_adversarial.records.tidy import ADDED, COLUMNS
from spatial_adversarial.results.aggregate import Aggregator
from spatial_adversarial.results.store import (
    Aggregate,
    read_aggregate,
    read_evaluation,
    write_aggregate,
    write_evaluation,
)
from spatial_adversarial.statistics.bootstrap import resampling, summarise
from spatial_adversarial.statistics.learnt import has_learnt

BOOTSTRAP = {"replicates": 400, "level": 0.95, "seed": 0}


def evaluation(prediction, *, label=(0, 1, 2, 3), clean=(0, 1, 2, 0), distance=None) -> Evaluation:
    """An evaluation of four images by default, of which the last is classified wrongly."""
    prediction = np.array(prediction)
    distance = None if distance is None else np.array(distance)
    return Evaluation(np.array(label), np.array(clean), np.arange(len(prediction)), prediction, distance)


def shares(*counts: int, n: int = 200) -> np.ndarray:
    """Outcomes [point, image] with so many ones at each point, shuffled."""
    rng = np.random.default_rng(1)
    return np.stack([rng.permutation(np.arange(n) < count) for count in counts]).astype(np.float32)


TWO_POINTS = evaluation([[[0, 1, 2, 0]], [[0, 2, 2, 3]]])


@pytest.mark.parametrize(
    ("metric", "by_point"),
    [
        ("rate_of_invariance", [1, 0.5]),
        ("one_minus_fooling_rate", [1, 0.5]),
        ("natural_accuracy", [0.75, 0.75]),
        ("spatial_accuracy", [0.75, 0.75]),
        ("robust_accuracy", [0.75, 0.75]),
    ],
)
def test_shares_by_hand(metric, by_point):
    assert outcomes(TWO_POINTS, metric).mean(axis=1).tolist() == by_point


def test_outcomes_tell_which_images_count():
    assert outcomes(TWO_POINTS, "rate_of_invariance")[1].tolist() == [1, 0, 1, 0]
    assert outcomes(TWO_POINTS, "robust_accuracy")[1].tolist() == [1, 0, 1, 1]


def test_draws_are_averaged():
    found = outcomes(evaluation([[[0, 1, 2, 0], [0, 3, 3, 3]]]), "rate_of_invariance")
    assert found.tolist() == [[1, 0.5, 0.5, 0.5]]


def test_a_point_skipped_because_the_image_was_fooled_before_counts_as_fooled():
    found = outcomes(evaluation([[[0, 3, 2, 0]], [[0, SKIPPED, 2, 0]]]), "one_minus_fooling_rate")
    assert found[1].tolist() == [1, 0, 1, 1]


def test_attack_success_rate_counts_only_images_right_when_clean():
    """Of four images labelled 0, 1, 2, 3 one is wrong when clean; of the others one is fooled."""
    found = evaluation([[[0, 2, 0, 3]]], label=[0, 1, 2, 3], clean=[0, 1, 0, 3])
    outcome = outcomes(found, "attack_success_rate")
    summary = summarise([outcome], **BOOTSTRAP)
    assert summary["value"] == pytest.approx([1 / 3])
    drawn = resampling(4, BOOTSTRAP["replicates"], BOOTSTRAP["seed"])
    right = drawn[[0, 1, 3]].sum(0)
    expected = np.divide(drawn[1], right, out=np.full(len(right), np.nan), where=right > 0)
    assert np.allclose(summary["replicates"][0], expected, equal_nan=True)
    assert 0 <= summary["low"][0] <= 1 / 3 <= summary["high"][0] <= 1


def test_mean_distance():
    found = outcomes(evaluation([[[1, 0, 0, 1]]], distance=[[[0.5, 1, 1.5, 4]]]), "mean_l2_distance")
    assert summarise([found], **BOOTSTRAP, most=np.inf)["value"] == [1.75]


def test_a_metric_without_numbers_is_an_error():
    with pytest.raises(ValueError, match="no numbers for mean_l2_distance"):
        outcomes(TWO_POINTS, "mean_l2_distance")
    with pytest.raises(ValueError, match="no numbers for robust_accuracy"):
        outcomes(evaluation(np.full((1, 1, 4), SKIPPED)), "robust_accuracy")


@pytest.mark.parametrize("count", [20, 100, 170])
def test_bootstrap_agrees_with_scipy_and_with_the_normal_approximation(count):
    outcome = shares(count)
    found = summarise([outcome], replicates=4000, level=0.95, seed=0)
    theirs = stats.bootstrap(
        (outcome[0],), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(5)
    )
    ours = [found["low"][0], found["high"][0]]
    assert ours == pytest.approx(list(theirs.confidence_interval), abs=0.0076)  # one image and a half of 200
    error = np.sqrt(count * (200 - count) / 200) / 200
    assert found["replicates"].std() == pytest.approx(error, rel=0.06)
    assert ours == pytest.approx([count / 200 - 1.96 * error, count / 200 + 1.96 * error], abs=0.01)


def test_a_higher_level_is_a_wider_interval():
    narrow, wide = (summarise([shares(60)], replicates=400, level=level, seed=0) for level in (0.8, 0.99))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_replicates_are_paired_image_by_image():
    outcome = shares(60, 90)
    apart = [summarise([part], **BOOTSTRAP)["replicates"][0] for part in outcome[:, None]]
    assert np.array_equal(summarise([outcome], **BOOTSTRAP)["replicates"], apart)
    complement = summarise([1 - outcome], **BOOTSTRAP)["replicates"]
    assert np.allclose(complement + apart, 1, atol=1e-6)


def test_replicates_count_each_draw_once():
    counts = resampling(50, 30, 0)
    assert counts.shape == (50, 30) and (counts.sum(axis=0) == 50).all()
    assert not np.array_equal(counts, resampling(50, 30, 1))


@pytest.mark.parametrize("seeds", [1, 2, 4])
@pytest.mark.parametrize("constant", [0, 1 / 3, 1, None])
def test_the_value_lies_in_its_interval_and_the_interval_in_the_metrics_range(seeds, constant):
    rng = np.random.default_rng(0)
    by_seed = [np.full((3, 70), constant) if constant is not None else rng.random((3, 70)) ** 8] * seeds
    by_seed = [(outcome > 0.9 if k and constant is None else outcome) for k, outcome in enumerate(by_seed)]
    found = summarise([outcome.astype(np.float32) for outcome in by_seed], **BOOTSTRAP)
    assert (found["low"] >= 0).all() and (found["high"] <= 1).all()
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()


def test_distances_are_not_cut_at_one():
    found = summarise([shares(100) * 9, shares(150) * 9], **BOOTSTRAP, most=np.inf)
    assert found["high"] > found["value"] > 1


def test_seeds_by_hand():
    found = summarise([shares(100, 40), shares(110, 44), shares(120, 42)], **BOOTSTRAP)
    assert found["value"] == pytest.approx([0.55, 0.21])
    half = 4.302653 * np.array([0.05, 0.01]) / np.sqrt(3)  # Student's t at 2 degrees of freedom
    assert found["low"] == pytest.approx(np.array([0.55, 0.21]) - half, abs=1e-6)
    assert found["high"] == pytest.approx(np.array([0.55, 0.21]) + half, abs=1e-6)


def test_replicates_over_seeds_vary_by_seed_and_by_image():
    apart, equal = [shares(40), shares(160)], [shares(100), shares(100)]
    spread = [summarise(by_seed, **BOOTSTRAP)["replicates"].std() for by_seed in (apart, equal)]
    assert spread[0] == pytest.approx(0.3 / np.sqrt(2), rel=0.1)  # seeds .2 and .8 drawn twice: .2, .5, .8
    assert 0 < spread[1] < 0.05


# Rows of a target


def profile(key: str, **settings) -> Profile:
    return Profile(key, key, "rate_of_invariance", "degrees" if "transform" in settings else "eps", settings)


ROTATION = profile("rotation", transform="rotate", space="pixel", grid=[0, 90, 180], draws=1)
PGD = profile("pgd", attack="pgd", space="normalized", grid=[0, 8 / 255, 0.3], draws=1, step=0.01, steps=40)
MEMBERS = tuple(Member(strength, f"digits/net/rotate{strength}", {}) for strength in (0, 60))


def panel(letter: str, used: Profile, metric: str, reason: str = "", at: dict | None = None) -> Panel:
    line = Line(metric, metric, {member.path: used for member in MEMBERS}, at)
    facts = {"data": "digits", "model": "net", "group": "z2", "family": "rotate", "title": "", "strength": ""}
    space = used.settings["space"]
    return Panel(
        letter,
        "profile",
        **facts,
        space=space,
        members=MEMBERS,
        lines=(() if reason else (line,)),
        reason=reason,
    )


def aggregate(folder, panels, seeds=(0,), status="run"):
    """(rows, replicates) of a target whose evaluations are made by hand, accuracy falling with x."""
    return whole(folder, panels, seeds, status)[:2]


def whole(folder, panels, seeds=(0,), status="run"):
    """All the numbers of that target."""

    def path(run, file, seed):
        return folder / run / f"seed{seed}" / f"{file}.h5"

    rng = np.random.default_rng(0)
    label = rng.integers(0, 10, 80)
    for used in (ROTATION, PGD):
        for member in MEMBERS:
            for seed in seeds:
                moved = [np.where(rng.random(80) < k / 4, (label + 1) % 10, label) for k in range(3)]
                made = Evaluation(label, label, np.array(used.settings["grid"]), np.array(moved)[:, None])
                made_of = {"run": f"{member.path}/seed{seed}", "weights": "", "data": ""}
                about = {"x_unit": "", "profile": used.settings, "made_of": made_of}
                write_evaluation(path(member.path, used.file, seed), made, **about)
    target = Target("paper", "fig", "panels", "", 1, {}, tuple(panels))
    made = Aggregator(
        target,
        seeds=lambda run: list(seeds),
        bootstrap=BOOTSTRAP,
        status=lambda *run: status,
        evaluation=path,
        classes={"digits": 10},
    )
    return made.table({})


def test_rows_of_a_target(tmp_path):
    panels = [panel("a", ROTATION, "rate_of_invariance"), panel("b", PGD, "robust_accuracy")]
    rows, replicates = aggregate(tmp_path, panels)
    assert list(rows.columns) == [*COLUMNS, *ADDED] and len(rows) == 12 and replicates.shape == (12, 400)
    assert list(rows.x[rows.panel == "a"]) == ["0", "90", "180"] * 2
    assert list(rows.x[rows.panel == "b"]) == ["0", "8/255", "0.3"] * 2
    assert list(rows.strength) == [*["0"] * 3, *["60"] * 3] * 2
    assert rows.attack_space.tolist() == [""] * 6 + ["normalized"] * 6
    assert set(rows.status) == {"run"} and set(rows.interval) == {"test images"} and set(rows.n) == {80}
    assert (rows.value.between(rows.low, rows.high)).all() and rows.value.between(0, 1).all()
    assert (rows.value[rows.x == "0"] == 1).all() and rows.by_seed.isna().all()
    assert np.allclose(replicates.mean(axis=1), rows.value, atol=0.02)


def test_a_panel_that_was_not_run_is_one_row_that_says_so(tmp_path):
    panels = [panel("a", ROTATION, "rate_of_invariance"), panel("b", PGD, "robust_accuracy", reason="later")]
    rows, replicates = aggregate(tmp_path, panels, status="reduced")
    assert rows.status.tolist() == ["reduced"] * 6 + ["not run"]
    assert (
        rows.iloc[-1][["x", "metric", "value", "n", "seed"]].isna().all() and np.isnan(replicates[-1]).all()
    )
    rows.to_csv(tmp_path / "rows.csv", index=False)
    last = (tmp_path / "rows.csv").read_text().splitlines()[-1]
    assert last == "paper,fig,b,digits,net,z2,rotate,,,,,,,,,,,,,not run,,,,,"


def test_a_target_not_run_at_all_keeps_its_columns(tmp_path):
    rows, replicates = aggregate(tmp_path, [panel("a", ROTATION, "rate_of_invariance", reason="later")])
    write_aggregate(tmp_path / "fig.h5", Aggregate(rows, replicates), fingerprint="f")
    assert list(read_aggregate(tmp_path / "fig.h5", "f")[0].columns) == [*COLUMNS, *ADDED]


def test_rows_over_seeds(tmp_path):
    rows, _ = aggregate(tmp_path, [panel("a", ROTATION, "rate_of_invariance")], seeds=(0, 1, 2))
    assert set(rows.seed) == {"0 1 2"} and set(rows.interval) == {"seeds"} and set(rows.n) == {3}
    assert rows.low.between(0, 1).all() and rows.high.between(0, 1).all()
    for path, points in rows.groupby(rows.strength.map({"0": MEMBERS[0].path, "60": MEMBERS[1].path})):
        files = [tmp_path / path / f"seed{k}" / f"{ROTATION.file}.h5" for k in range(3)]
        kept = [(found.prediction[:, 0] == found.clean).mean(axis=1) for found in map(read_evaluation, files)]
        by_seed = [[float(value) for value in text.split()] for text in points.by_seed]
        assert np.allclose(by_seed, np.transpose(kept))
        assert np.allclose(np.mean(by_seed, axis=1), points.value)


def test_a_line_at_one_point_keeps_that_point_of_each_member(tmp_path):
    at = {MEMBERS[0].path: 0, MEMBERS[1].path: 90}
    rows, _ = aggregate(tmp_path, [panel("a", ROTATION, "spatial_accuracy", at=at)])
    assert rows[["strength", "x"]].to_numpy().tolist() == [["0", "0"], ["60", "90"]]


def test_a_missing_evaluation_is_one_line(tmp_path):
    target = Target("paper", "fig", "panels", "", 1, {}, (panel("a", ROTATION, "rate_of_invariance"),))
    empty = Aggregator(
        target,
        seeds=lambda run: [0],
        bootstrap=BOOTSTRAP,
        status=lambda *run: "run",
        evaluation=lambda *_: tmp_path / "none.h5",
        classes={"digits": 10},
    )
    with pytest.raises(ValueError, match=r"none\.h5: no such file"):
        empty.table({})


# What a network has learnt


@pytest.mark.parametrize(
    ("right", "images", "classes", "one_class", "learnt"),
    [
        (0.9, 1000, 10, 0, True),
        (0.1, 10000, 10, 1, False),  # a constant predictor on balanced classes
        (0.95, 1000, 2, 0.95, False),  # one class of two nearly always, on a test set that has little else
        (0.015, 10000, 100, 0, False),  # 1.5 times chance
        (0.021, 10000, 100, 0, False),  # above twice chance, but not shown to be
        (0.025, 10000, 100, 0, True),
        (0.25, 50, 10, 0, False),  # so few images show nothing
        (0.25, 1000, 10, 0, True),
        (0.7, 1000, 2, 0, False),
        (0.8, 1000, 2, 0, True),
    ],
)
def test_what_shows_that_a_network_has_learnt(right, images, classes, one_class, learnt):
    label = np.arange(images) % classes
    clean = label.copy()
    wrong = np.arange(images) >= right * images
    clean[wrong] = (label[wrong] + 1) % classes
    if one_class:  # of so many predictions
        clean = np.where(np.arange(images) < one_class * images, 0, 1)
        label = clean.copy() if classes == 2 else label
    assert has_learnt(clean, label, classes) == learnt


def test_every_row_tells_its_networks_clean_accuracy_on_the_largest_evaluation(tmp_path):
    """The first member is constant; the second right on 60 of the 80 images of its larger evaluation."""
    label = np.arange(80) % 10
    clean = dict(
        zip(
            (m.path for m in MEMBERS),
            (label * 0, np.where(np.arange(80) < 60, label, 9 - label)),
            strict=True,
        )
    )

    def evaluation(path, profile, seed):
        n = 80 if profile is ROTATION else 40
        seen = clean[path][:n]
        return Evaluation(label[:n], seen, np.array([0.0]), np.broadcast_to(seen, (1, 1, n)))

    panels = (panel("a", ROTATION, "rate_of_invariance"), panel("b", PGD, "robust_accuracy"))
    target = Target("paper", "fig", "panels", "", 1, {}, panels)
    made = Aggregator(
        target,
        seeds=lambda run: [0],
        bootstrap=BOOTSTRAP,
        status=lambda *run: "run",
        evaluation=lambda *key: tmp_path,
        classes={"digits": 10},
    )
    made.inputs.evaluation = evaluation
    rows = made.table({}).rows
    assert rows.groupby("strength")[["clean_accuracy", "learnt"]].agg(set).to_dict("index") == {
        "0": {"clean_accuracy": {0.1}, "learnt": {"no"}},
        "60": {"clean_accuracy": {0.75}, "learnt": {"yes"}},
    }


def test_clean_accuracy_is_not_that_of_turned_images():
    told = [
        profile("a", input={"rotate": turn}, space=space).plain
        for turn in (0, 30)
        for space in ("pixel", "normalized")
    ]
    assert told == [(True, True), (True, False), (False, True), (False, False)] and max(told) == told[0]


def test_rows_tell_how_far_the_steps_of_their_attack_reach(tmp_path):
    """40 steps of .01; a rotation knows no steps."""
    panels = [panel("a", ROTATION, "rate_of_invariance"), panel("b", PGD, "robust_accuracy")]
    reach = whole(tmp_path, panels).side.reach
    assert reach[:6].isna().all() and reach[6:].tolist() == pytest.approx([0.4] * 6)


def test_what_judging_takes_beside_the_rows(tmp_path):
    """Values by seed, the origin of the training, images of a share, and how far fixed steps reach."""
    settings = {"attack": "pgd", "space": "pixel", "step": 0.01, "steps": 40}
    assert replace(ROTATION, settings=settings).reach == pytest.approx(0.4)
    assert replace(ROTATION, settings=settings | {"step": "relative"}).reach is None
    assert ROTATION.reach is None and "transform" in ROTATION.settings
    panels = [panel("a", ROTATION, "rate_of_invariance")]
    made = whole(tmp_path, panels, seeds=(0, 1))
    assert made.seeds.shape == (6, 2) and np.allclose(made.seeds.mean(axis=1), made.rows.value)
    assert set(made.side.images) == {80} and made.side.origin.tolist() == [
        m.path for m in MEMBERS for _ in range(3)
    ]
    write_aggregate(tmp_path / "a.h5", made, fingerprint="f")
    back = read_aggregate(tmp_path / "a.h5", "f")
    assert np.array_equal(back.seeds, made.seeds) and back.side.origin.tolist() == made.side.origin.tolist()
