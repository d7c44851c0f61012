"""OA-AT's paper: its schedules against the text, its switches, its tables' headings, the pictures of figure 1."""

import re

import numpy as np
import pytest
from small import recipe_of

from spatial_adversarial import panels
from spatial_adversarial.attacks import autoattack
from spatial_adversarial.attacks.autoattack import STANDARD
from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.judging import judge_claim
from spatial_adversarial.methods import make
from spatial_adversarial.planning.costs import training_passes
from spatial_adversarial.records.evaluation import Evaluation, Pictures
from spatial_adversarial.reporting.captions import figure, table
from spatial_adversarial.results.aggregate import Aggregator
from spatial_adversarial.results.store import read_evaluation, write_evaluation
from spatial_adversarial.training.schedules import Clock, value

EPOCHS = 110
TRADES = {"trades": "clean", "trades_awp": "attacked", "trades_awp_100": "attacked"}


@pytest.fixture
def catalog(full_config):
    return lambda **config: load(full_config | {"papers": ["oaat"]} | config, "figures")


def run_of(catalog, name: str, row: str) -> dict:
    (panel,) = [panel for panel in catalog.targets["oaat", name].panels if panel.letter == row]
    return panel.members[0].recipe


def oaat_at(recipe: dict, epoch: int, epochs: int = EPOCHS) -> dict:
    """What holds in an epoch, counted from 1 as in the paper, of a run of so many."""
    phases = [recipe["phases"][0] | {"epochs": epochs}]
    phase = Clock(phases).phase(epoch - 1)
    return phase["method"]["oaat"] | phase["awp"]


def in_the_code(epochs: int, mixup: float = 0.2, lpips: float = 1) -> dict[int, dict]:
    """{epoch: settings} by the authors' integer arithmetic, epoch by epoch."""
    quarter, alpha, beta, weight, eps, found = int(3 * epochs / 4), 1.0, 1.5, 0.0, 4 / 255, {}
    for epoch in range(1, epochs + 1):
        if epoch > epochs // 4:
            eps = epoch * (16 / 255) / epochs
        if 4 * epoch > 3 * epochs:  # eps > 12/255
            alpha -= mixup / (epochs - quarter + 1)
            weight = lpips * (epoch - quarter) / (epochs - quarter)
            beta = 1.5 + (3 - 1.5) * (epoch - quarter) / (epochs - quarter)
        found[epoch] = {"eps": eps, "alpha": alpha, "beta": beta, "lpips": weight}
    return found


@pytest.mark.parametrize("epochs", [4, 8, 10, 22, 55, 100, 110, 200])
def test_the_schedules_of_oaat_are_the_codes_at_every_length(catalog, epochs):
    recipe = run_of(catalog(), "table1", "oaat")
    expected = in_the_code(epochs)
    for epoch in range(1, epochs + 1):
        now = oaat_at(recipe, epoch, epochs)
        assert {key: now[key] for key in expected[epoch]} == pytest.approx(expected[epoch], abs=1e-12), epoch
        late = 4 * epoch > 3 * epochs
        assert now["steps"] == (5 if epoch <= epochs // 4 else 10)
        assert (not make({"oaat": without_awp(now)}).imperceptibly) == late
        assert now["reach"] == (1 if late else 2)
    assert now["eps"] == pytest.approx(16 / 255) and now["beta"] == 3 and now["lpips"] == 1


def without_awp(now: dict) -> dict:
    return {key: item for key, item in now.items() if key not in ("gamma", "reach")}


def test_the_first_epoch_of_the_last_quarter_in_numbers(catalog):
    """110 epochs: 28 of them remain after 82, and alpha falls by .2 / 29 an epoch. Ten: alternating from epoch 8 on."""
    recipe = run_of(catalog(), "table1", "oaat")
    now = oaat_at(recipe, 83)
    assert (now["beta"], now["lpips"]) == pytest.approx((1.553571, 0.035714), abs=1e-6)
    assert now["alpha"] == pytest.approx(0.993103, abs=1e-6)
    assert [255 * oaat_at(recipe, epoch, 10)["eps"] > 12.001 for epoch in (7, 8)] == [False, True]
    assert [oaat_at(recipe, epoch)["gamma"] for epoch in (9, 10)] == [0, 0.005]


@pytest.mark.parametrize(("epochs", "first"), [(110, 83), (10, 8), (8, 7)])
def test_the_learning_rate_and_the_optimiser_made_anew(catalog, epochs, first):
    recipe = run_of(catalog(), "table1", "oaat")
    rates = [value(recipe["optimiser"]["lr"], epoch - 1, EPOCHS) for epoch in (1, 56, 110)]
    assert rates[0] == 0.2 and rates[1] == pytest.approx(0.1) and rates[2] < 1e-4
    assert anew(recipe, epochs) == [(first - 1) * 3]  # the first step of the first epoch beyond 12/255
    assert recipe["split"]["validation"] == 1000 and recipe["model"]["normalise"] == "none"


def anew(recipe: dict, epochs: int) -> list[int]:
    """The steps at which a run of three steps an epoch makes its optimiser anew."""
    clock = Clock([recipe["phases"][0] | {"epochs": epochs}])
    return [step for step in range(3 * epochs) if clock.passes(recipe["optimiser"]["anew"], step, 3)]


def test_a_shorter_run_keeps_the_schedules_shape(catalog):
    recipe = run_of(catalog(budget={"epochs": 0.2}), "table1", "oaat")
    assert recipe["phases"][0]["epochs"] == 22
    ends = [oaat_at(recipe, epoch, 22) for epoch in (1, 22)]
    assert [now["eps"] for now in ends] == pytest.approx([4 / 255, 16 / 255])
    assert [now["steps"] for now in ends] == [5, 10]


def test_cifar100_has_its_own_lambda_alpha_and_autoaugment(catalog):
    now, expected = oaat_at(run_of(catalog(), "table1", "oaat_100"), 110), in_the_code(110, 0.25, 3)[110]
    assert (now["lpips"], now["alpha"]) == pytest.approx((3, expected["alpha"]))
    for row in ("oaat_100", "trades_awp_100"):
        assert run_of(catalog(), "table1", row)["phases"][0]["augment"]["autoaugment"] == 1


def test_attacks_pass_before_clean_images_where_weights_are_perturbed(catalog):
    made = catalog()
    orders = {row: run_of(made, "table1", row)["phases"][0]["method"]["trades"]["first"] for row in TRADES}
    assert orders == TRADES


def test_weight_averaging_is_a_read_out_of_the_same_run(catalog, dry_run, full_config):
    """table2 trains two WideResNets, not four; each mean begins with the first step of epoch 84."""
    made = catalog()
    target = made.targets["oaat", "table2"]
    paths = {panel.letter: panel.members[0].path for panel in target.panels}
    for name in ("awp", "oaat"):
        run = paths[f"{name}_wide"]
        assert paths[f"{name}_wide_wa"] == f"{run}.averaged" and made.kept[run] == ["averaged"]
        decay = made.recipe(run)["averaging"]
        assert [value(decay, epoch - 1, 110) for epoch in (1, 82, 83, 84, 110)] == [0, 0, 0, 0.9996, 0.9996]
        assert [value(decay, epoch - 1, 10) for epoch in (8, 9)] == [0, 0.9996]
    assert len(target.paths()) == 6 and len([run for run in target.paths() if "wideresnet" in run]) == 2
    status, said = dry_run(full_config | {"papers": ["oaat"]}, "results/tables/oaat/table2.md")
    assert status == 0, said
    jobs = {rule: int(count) for rule, count in re.findall(r"^(train\w*)\s+(\d+)$", said, re.MULTILINE)}
    assert sorted(jobs.values()) == [2, 4]


def test_the_baselines_optional_rows(catalog):
    """Two more settings of a baseline, the nearest of the three to 80%; and epochs chosen by robust accuracy."""
    plain = catalog()
    assert not [
        p.letter for p in plain.targets["oaat", "table1"].panels if p.letter.endswith(("_best", "_4", "_9"))
    ]
    names = ["trades_4", "trades_9", "trades_80", "at_best", "exat_awp_best", "at_awp_02", "exat_awp_02"]
    made = catalog(optional_rows=[f"oaat/table1/{name}" for name in names])
    target = made.targets["oaat", "table1"]
    paths = {panel.letter: panel.members[0].path for panel in target.panels}
    betas = [
        run_of(made, "table1", row)["phases"][0]["method"]["trades"]["beta"]
        for row in ("trades_4", "trades_9")
    ]
    assert betas == [4, 9]
    assert target.spec["rows"]["trades_80"]["of"] == ["trades", "trades_4", "trades_9"]
    assert set(target.histories()) == {paths[row] for row in ("trades", "trades_4", "trades_9")}
    assert paths["at_best"] == f"{paths['at']}.best_robust" and made.kept[paths["at"]] == ["best_robust"]
    assert paths["exat_awp_best"] == f"{paths['exat_awp']}.best_robust"
    assert len(target.paths()) == len(plain.targets["oaat", "table1"].paths()) + 4
    tuned = made.recipe(paths["exat_awp_02"])
    assert tuned["start"] == paths["at_awp_02"] != paths["at_awp"]
    for recipe in (tuned, made.recipe(tuned["start"])):
        assert recipe["phases"][0]["awp"]["gamma"] == 0.02
    selection = made.recipe(paths["at"])["selection"]
    assert selection == {"eps": 8 / 255, "step": 2 / 255, "steps": 10, "images": 300}


def test_a_mean_of_a_recipe_without_one_is_refused(full_config, specs, edit):
    edit(
        "oaat.yaml",
        {"tables.table2.rows.awp_18.weights": "averaged", "families.trades_awp.recipe.averaging": None},
    )
    with pytest.raises(
        CatalogError, match=r"table2.rows.awp_18.weights: averaged, but the recipe of 'trades_awp'"
    ):
        load(full_config | {"papers": ["oaat"]}, specs)


def test_exat_fine_tunes_by_its_own_steps(catalog):
    made = catalog()
    recipe = run_of(made, "table1", "exat")
    method = recipe["phases"][0]["method"]["pgd"]
    assert method["steps"] == int(2.5 * method["eps"] / method["step"]) and recipe["phases"][0]["epochs"] == 5
    (before,) = [p for p in made.targets["oaat", "table1"].panels if p.letter == "at"]
    assert recipe["start"] == before.members[0].path


def test_an_ablation_changes_one_thing(catalog):
    made = catalog()
    whole = run_of(made, "ablation", "oaat")["phases"][0]
    for row in ("no_invariant", "no_sensitive", "clean_target", "no_average", "kl_attack"):
        method = run_of(made, "ablation", row)["phases"][0]["method"]["oaat"]
        changed = [key for key in method if method[key] != whole["method"]["oaat"][key]]
        assert len(changed) == 1, row
    assert run_of(made, "ablation", "awp_once")["phases"][0]["awp"] == whole["awp"] | {"reach": 1}


def test_awp_costs_the_loss_once_more():
    ball = {"eps": 8 / 255, "step": 2 / 255, "steps": 10}
    for spec, more in (({"pgd": ball}, 3), ({"trades": ball | {"beta": 6}}, 6)):
        plain = recipe_of(steps=10, method=spec)
        moved = recipe_of(steps=10, method=spec, awp={"gamma": 0.005})
        assert training_passes(moved, 1000) - training_passes(plain, 1000) == 10 * 50 * more


def note_on(printed: dict, column: str) -> str:
    """What the note says whose number stands behind a column's heading."""
    number = printed["columns"][column].split()[-1]
    return " ".join(printed["notes"]).split(f"{number} ")[1].split(". ")[0].removesuffix(".")


def test_a_note_says_which_autoattack_ran(catalog):
    made = catalog()
    printed = table(made, made.targets["oaat", "table1"])
    assert note_on(printed, "autoattack_8") == "eps 8/255, standard version"
    fewer = {"profiles": {"autoattack_8": {"queries": 100}}}
    made = catalog(overrides=fewer)
    printed = table(made, made.targets["oaat", "table1"])
    assert note_on(printed, "autoattack_8").startswith("eps 8/255, not the standard version, 100 steps")
    assert note_on(printed, "autoattack_8").endswith("100 queries")
    assert note_on(printed, "gama_8") == "eps 8/255, 100 steps"


def test_the_standard_budget_is_the_packages_own(monkeypatch):
    """Our standard is what the package's standard version sets when nothing is said."""
    pyautoattack = pytest.importorskip("pyautoattack")
    plain = pyautoattack.AutoAttack(None, version="standard")
    own = autoattack.autoattack.__kwdefaults__
    assert own["steps"] == plain.apgd.n_iter == plain.apgd_targeted.n_iter == plain.fab.n_iter
    assert own["targets"] == plain.apgd_targeted.n_target_classes == plain.fab.n_target_classes
    assert own["queries"] == plain.square.n_queries
    assert {key: own[key] for key in STANDARD} == STANDARD


def test_published_numbers_stand_in_every_cell_of_the_papers_tables(catalog):
    made = catalog()
    for name in ("table1", "table2"):
        cells = [line.published for panel in made.targets["oaat", name].panels for line in panel.lines]
        assert None not in cells
    (panel,) = [p for p in made.targets["oaat", "table1"].panels if p.letter == "oaat"]
    assert [line.published for line in panel.lines][:3] == [0.8024, 0.514, 0.5088]


# Figure 1


def pictures() -> Evaluation:
    grid = np.array([0, 8, 16, 24, 32]) / 255
    base = np.random.default_rng(0).integers(40, 200, (1, 3, 8, 8))
    moved = np.stack([base + round(255 * eps) for eps in grid]).astype(np.uint8)
    return Evaluation(
        label=np.array([3]),
        clean=np.array([3]),
        x=grid,
        prediction=np.full((5, 1, 1), 3),
        pictures=Pictures(moved, np.array([[3], [3], [5], [5], [7]]), np.linspace(0.4, 0.9, 5)[:, None]),
    )


def test_pictures_are_kept_with_an_evaluation(tmp_path):
    write_evaluation(tmp_path / "e.h5", pictures(), x_unit="eps", profile={}, made_of={})
    found = read_evaluation(tmp_path / "e.h5").pictures
    for name, values in vars(pictures().pictures).items():
        assert np.array_equal(getattr(found, name), values)


def test_figure_1_draws_its_pictures_from_tidy_rows(catalog):
    made = catalog()
    target = made.targets["oaat", "fig1"]
    bootstrap = {"replicates": 20, "level": 0.95, "seed": 0}
    aggregator = Aggregator(
        target,
        seeds=lambda run: [0],
        bootstrap=bootstrap,
        status=lambda *run: "run",
        evaluation=lambda *key: key,
        classes={"cifar10": 10},
    )
    aggregator.inputs.evaluation = lambda *asked: pictures()
    rows, *_ = aggregator.table({})
    assert len(rows) == 10 and set(rows.panel) == {"AT", "NT"} and rows.value.between(0, 1).all()
    drawn = panels.draw(rows, figure(made, target))
    first, second = drawn.axes[:2]
    texts = [text.get_text() for text in first.texts]
    assert len(texts) == 5 and "8/255" in texts[1] and "class 5, 65%" in texts[2]
    (mosaic,) = second.get_images()
    shown = mosaic.get_array()
    np.testing.assert_allclose(shown[:8, :8], pictures().pictures.images[0, 0].transpose(1, 2, 0) / 255)
    np.testing.assert_allclose(shown[10:18, :8], 0.5)  # nothing moves at eps 0
    np.testing.assert_allclose(shown[10:18, 40:48], 1.0, atol=0.01)  # all moves up, by the largest eps


def published(catalog, key: str) -> dict:
    """{(test, column): verdict} of a claim on the numbers that the paper prints, from cells of which none was run."""
    made = catalog(only_data=["mnist"])
    claim = made.claims["oaat"][key]
    names = {test.get("in", claim["in"]) for test in claim["tests"].values()}
    tables = {}
    for name in names:
        tables[name] = Aggregator(
            made.targets["oaat", name],
            seeds=lambda path: [0],
            bootstrap={"replicates": 2, "level": 0.95, "seed": 0},
            status=lambda path, profile=None: "run",
            evaluation=None,
            classes={},
        ).table({})
    rows = judge_claim(key, claim, tables, 0.95)
    assert {row["verdict"] for row in rows if row["source"] == "ours"} == {"not run"}
    return {(row["test"], row["panel"]): row["verdict"] for row in rows if row["source"] == "published"}


@pytest.mark.parametrize("key", ["O1", "O2", "O3"])
def test_the_printed_gains_hold_in_sign_and_size_and_oaat_is_best(catalog, key):
    found = published(catalog, key)
    assert len(found) == {"O1": 13, "O2": 14, "O3": 6}[key] and set(found.values()) == {"holds"}


def test_two_printed_gains_on_the_wide_network_fail(catalog):
    failing = {place for place, verdict in published(catalog, "O4").items() if verdict != "holds"}
    assert failing == {
        ("WideResNet-34-10", "autoattack_8"),
        ("WideResNet-34-10, AutoAttack beyond", "autoattack_16"),
    }


def test_square_is_weaker_in_every_printed_row_and_fat_is_not_near_80(catalog):
    assert set(published(catalog, "O7").values()) == {"holds"}
    assert {test for (test, _), verdict in published(catalog, "O8").items() if verdict != "holds"} == {"fat"}


def test_the_transfer_attack_is_made_on_the_network_of_pgd_at(catalog):
    made = catalog()
    sanity, (at, *_) = made.targets["oaat", "sanity"], made.targets["oaat", "large_eps"].panels
    (source,) = {
        profile.settings["source"]
        for panel in sanity.panels
        for line in panel.lines
        if line.name == "transfer"
        for profile in line.profiles.values()
    }
    assert at.letter == "at_8" and source == at.members[0].path and source in sanity.paths()


def test_a_transfer_attack_takes_one_run(full_config, specs, edit):
    edit("oaat.yaml", {"profiles.transfer.source.family": "atx"})
    with pytest.raises(CatalogError, match=r"profiles\.transfer\.source\.family: .*'atx'"):
        load(full_config | {"papers": ["oaat"]}, specs)


def test_ce_and_kl_are_two_attacks_on_one_network(catalog):
    lines = {
        line.name: next(iter(line.profiles.values())).settings
        for panel in catalog().targets["oaat", "ablation"].panels
        if panel.letter == "oaat"
        for line in panel.lines
    }
    assert lines["pgd_kl"]["loss"] == "kl" and lines["pgd_ce"]["loss"] == "cross_entropy"
    assert {k for k in lines["pgd_ce"] if lines["pgd_ce"][k] != lines["pgd_kl"][k]} == {"loss", "version"}
