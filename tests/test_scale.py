"""Seeds by model, and which rows are of the paper's scale: "run", the others "reduced"."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spatial_adversarial.catalog import CatalogError, budget, load
from spatial_adversarial.judging.cells import judge_cells
from spatial_adversarial.judging.target_numbers import Numbers
from spatial_adversarial.reporting.captions import caption, figure
from spatial_adversarial.results.aggregate import _by_seed
from spatial_adversarial.statistics.intervals import Sample, difference, interval

ROOT = Path(__file__).parents[1]
PAPERS = {"papers": ["invariance", "tradeoff"]}


@pytest.fixture
def catalog_of(full_config):
    return lambda **more: load(full_config | PAPERS | more, ROOT / "figures")


def statuses(catalog, paper: str, name: str) -> dict[str, str]:
    target = catalog.targets[paper, name]
    return dict(zip((p.letter for p in target.panels), catalog.panel_statuses(target), strict=True))


# Seeds by model

SEEDS = {"by_model": {"stdcnn": [0, 1, 2], "default": [5]}}


def test_a_model_has_seeds_of_its_own(catalog_of):
    catalog = catalog_of(seeds=SEEDS)
    runs = catalog.runs(catalog.targets["invariance", "fig1"])
    assert len(runs) == 21 and {run.rpartition("/")[2] for run in runs} == {"seed0", "seed1", "seed2"}
    assert {run.rpartition("/")[2] for run in catalog.runs(catalog.targets["invariance", "fig3"])} == {
        "seed5"
    }
    for name, told in (
        ("fig1", "interval over 3 seeds."),
        ("fig3", "95% bootstrap over test images, exact near"),
    ):
        assert told in caption(catalog, catalog.targets["invariance", name])
    both = caption(catalog, catalog.targets["tradeoff", "fig6"])
    assert (
        "Bands: mean and 95% interval over 3 seeds; 95% bootstrap over test images, exact near 0 and 100%."
        in both
    )


def test_the_workflow_trains_each_model_with_its_seeds(dry_run, full_config):
    config = full_config | {
        "papers": ["invariance"],
        "seeds": SEEDS,
        "budget": {"members": {"rotate": [0, 60]}},
    }
    status, said = dry_run(config, "--quiet", "host", "--", "results/figures/invariance/fig1.pdf")
    assert status == 0 and said.count("Train mnist/stdcnn/") == 6, said[-2000:]
    status, said = dry_run(config, "--quiet", "host", "--", "results/figures/invariance/fig3.pdf")
    assert status == 0 and said.count("Train mnist/gcnn/") == 2 and "seed5" in said


def test_a_fingerprint_knows_the_seeds_of_its_own_models_only(catalog_of):
    first, second = catalog_of(), catalog_of(seeds={"by_model": {"stdcnn": [0, 1], "default": [0]}})
    changed = {
        key
        for key, target in first.targets.items()
        if first.fingerprint(target) != second.fingerprint(second.targets[key])
    }
    assert changed == {
        key for key, target in first.targets.items() if any("/stdcnn/" in path for path in target.paths())
    }


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (
            {"by_model": {"stdcn": [0], "default": [0]}},
            "config: seeds.by_model: unknown model 'stdcn' (did you mean",
        ),
        ({"by_model": {"stdcnn": [0]}}, "config: seeds.by_model: no entry for"),
        ({"by_data": {"mnist": [0]}}, "seeds"),
        ({"by_model": {"default": []}}, "seeds.by_model.default"),
    ],
    ids=str,
)
def test_seeds_that_cannot_be_are_told(catalog_of, seeds, said):
    with pytest.raises(CatalogError, match=r"^[^\n]*$") as error:
        catalog_of(seeds=seeds)
    assert said in str(error.value)


# Status

PARTS = {"budget": {"epochs": {"mnist_sgd": 1, "default": 0.1}}}


def test_a_full_configuration_is_run_throughout(full_config):
    catalog = load(full_config, ROOT / "figures")
    assert {s for target in catalog.targets.values() for s in catalog.panel_statuses(target)} == {"run"}


def test_one_smaller_recipe_reduces_its_own_rows_only(catalog_of):
    catalog = catalog_of(**PARTS)
    assert set(statuses(catalog, "invariance", "fig1").values()) == {"run"}
    assert set(statuses(catalog, "invariance", "fig2").values()) == {"reduced"}
    assert statuses(catalog, "tradeoff", "fig14") == {
        letter + prime: "run" if letter in "abcd" else "reduced"
        for letter in "abcdefghijkl"
        for prime in ("", "'")
    }
    assert "Reduced: fewer epochs." in caption(catalog, catalog.targets["invariance", "fig2"])
    assert "Reduced" not in caption(catalog, catalog.targets["invariance", "fig1"])
    drawn = {
        panel.letter: panel.status for panel in figure(catalog, catalog.targets["tradeoff", "fig14"]).panels
    }
    assert drawn == statuses(catalog, "tradeoff", "fig14")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"budget": {"test_images": 500}}, {"a": "run", "b": "run", "a'": "run"}),
        ({"budget": {"test_images": 499}}, {"a": "reduced", "b": "reduced", "a'": "reduced"}),
        ({"budget": {"test_images": {"pgd": 100}}}, {"a": "reduced", "b": "run", "a'": "reduced"}),
        (
            {
                "budget": {
                    "points": {"pgd": {"by_data": {"mnist": [0, 0.3, 1], "default": None}}},
                    "members": {"pgd": 2},
                }
            },
            {"a": "run", "b": "run", "a'": "run"},
        ),
        ({"budget": {"train_images": 1000}}, {"a": "reduced", "b": "reduced", "a'": "reduced"}),
        ({"stand_ins": {"mnist": "digits"}}, {"a": "reduced", "b": "reduced", "a'": "reduced"}),
        ({"stand_ins": {"cifar10": "digits_colour"}}, {"a": "run", "b": "run", "a'": "run"}),
        (
            {"overrides": {"models": {"stdcnn": {"width": 0.5}}}},
            {"a": "reduced", "b": "reduced", "a'": "reduced"},
        ),
        ({"overrides": {"profiles": {"pgd": {"steps": 5}}}}, {"a": "reduced", "b": "run", "a'": "reduced"}),
        ({"overrides": {"recipes": {"cifar_sgd": {"batch": 64}}}}, {"a": "run", "b": "run", "a'": "run"}),
        ({"seeds": [1, 2]}, {"a": "run", "b": "run", "a'": "run"}),
        ({"only_data": ["cifar10"]}, {"a": "not run", "b": "not run", "a'": "not run"}),
    ],
    ids=str,
)
def test_a_row_is_run_where_recipe_data_and_attack_are_the_papers_on_enough_images(
    catalog_of, config, expected
):
    catalog = catalog_of(**config)
    assert statuses(catalog, "invariance", "fig1") == expected


def test_the_status_is_that_of_each_member(catalog_of):
    catalog = catalog_of(overrides={"families": {"rotate": {"values": [0, 45, 180]}}})
    members = catalog.targets["invariance", "fig1"].panels[0].members
    assert [catalog.status("invariance", member.path) for member in members] == ["run", "reduced", "run"]


def test_a_job_knows_a_targets_numbers_by_the_plans_fingerprint(full_config):
    """Also where another paper has one of its runs at full size."""
    more = {"c": {"data": "mnist", "model": "madry_lenet", "family": "pgd", "profile": "translation"}}
    config = full_config | {
        "budget": {"test_images": 1000},
        "overrides": {"figures": {"invariance/fig5": {"panels": more}}},
    }
    plan, job = (load(config, ROOT / "figures", paper) for paper in (None, "invariance"))
    target = plan.targets["invariance", "fig5"]
    assert plan.panel_statuses(target)[-1] == "reduced"
    assert plan.fingerprint(target) == job.fingerprint(job.targets["invariance", "fig5"])


def test_a_table_of_the_demo_says_that_it_is_reduced(demo_config):
    catalog = load(demo_config | {"papers": ["cusp"]}, ROOT / "figures")
    assert set(statuses(catalog, "cusp", "table1").values()) == {"reduced", "not run"}
    assert "Reduced: " in caption(catalog, catalog.targets["cusp", "table1"])
    assert "Reduced" not in caption(catalog, catalog.targets["cusp", "theory"])


def test_rows_of_different_numbers_of_seeds_lie_in_one_aggregate():
    """Three seeds beside one: each row keeps its own, and their difference is that of the images."""
    rng = np.random.default_rng(0)
    three = Sample(0.7, rng.normal(0.7, 0.02, 4000), np.array([0.6, 0.7, 0.8]), "a", 1000)
    one = Sample(0.4, rng.normal(0.4, 0.02, 4000), np.array([0.4]), "b", 1000)
    none = Sample(np.nan, np.full(4000, np.nan))
    table = _by_seed([three, one, none])
    assert table.shape == (3, 3) and np.isnan(table[1:]).sum() == 5
    rows = pd.DataFrame({"value": [0.7, 0.4, np.nan]})
    numbers = Numbers(rows, np.stack([three.drawn, one.drawn, none.drawn]), table)
    assert [numbers.sample(k).seeds.tolist() for k in range(2)] == [[0.6, 0.7, 0.8], []]
    found = difference(numbers.sample(0), numbers.sample(1), 0.95)
    assert (found.low, found.high) == pytest.approx((0.3 - 1.96 * 0.028, 0.3 + 1.96 * 0.028), abs=0.004)
    assert interval(numbers.sample(0), 0.95).low == pytest.approx(0.7 - 4.303 * 0.1 / 3**0.5, abs=1e-3)


def test_a_claim_is_reduced_where_a_number_that_it_is_judged_on_is():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        {"panel": ["1", "2", "3"], "column": "c", "kind": "row", "family": "pgd", "value": [0.7, 0.4, 0.2]}
    )
    rows["status"], rows["published"] = ["run", "reduced", "run"], np.nan
    numbers = Numbers(rows, rng.normal(rows.value.to_numpy()[:, None], 0.01, (3, 200)))
    for pair, status in (([1, 2], "reduced"), ([1, 3], "run")):
        test = {"columns": ["c"], "gain": {"rows": pair}, "above": 0}
        (found,) = judge_cells(test, numbers, 0.95)
        assert (found["verdict"], found["status"]) == ("holds", status)


def test_what_differs_from_the_paper_is_said_in_words():
    overrides = {
        "models": {"vgg16": {"width": 0.25}},
        "recipes": {"cifar_sgd": {"precision": "bfloat16", "optimiser": {"lr": 0.1}}},
    }
    config = {
        "budget": {"epochs": 3, "test_images": 1000, "members": {"rotate": [0]}},
        "overrides": overrides,
    }
    assert budget.words(config) == (
        "Reduced: 3 times the epochs; test images 1000; fewer members; "
        "own settings of vgg16 (width 0.25), cifar_sgd (precision bfloat16, optimiser)."
    )
    assert budget.words({"budget": {"epochs": 0.125}}) == "Reduced: 0.125 of the epochs."
    assert budget.words({}) == ""
    many = {"models": {f"net{k}": {"width": 0.5} for k in range(9)}}
    assert budget.words({"overrides": many}) == "Reduced: own settings of models."


def test_a_caption_says_how_far_attacks_against_the_strength_go(full_config):
    made = load(full_config, ROOT / "figures")
    words = caption(made, made.targets["tradeoff", "fig14"])
    assert "Attacked at eps 0.3 (MNIST), eps 8/255 (CIFAR-10), eps 2/255 (CIFAR-100)." in words
    assert "Attacked at" not in caption(made, made.targets["features", "fig3"])  # each line names its own
