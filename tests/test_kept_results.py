"""docs/results: drawn again as it lies there, small, and made anew from the weights that are kept with it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import list_kept
from draw import draw
from spatial_adversarial.catalog import load
from spatial_adversarial.records.reading import merge, read
from spatial_adversarial.results.figure_csv import read_tidy, write_tidy

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs/results"
FIGURES = sorted(KEPT.glob("*/figures/*/*.csv"))
NAMES = [str(path.relative_to(KEPT).with_suffix("")) for path in FIGURES]
DIFFERENCE = 0.02  # the mean over an image, of at most 1: fonts and versions differ, a lost curve is more


@pytest.fixture(scope="module")
def catalogs() -> dict:
    base = read(ROOT / "config.yaml")
    stages = {path.parent: merge(base, read(path)) for path in KEPT.glob("*/config.yaml")}
    return {folder: load(config, ROOT / "figures") for folder, config in stages.items()}


@pytest.mark.parametrize("csv", FIGURES, ids=NAMES)
def test_a_kept_figure_is_drawn_again(csv, catalogs, tmp_path):
    paper, name = csv.parent.name, csv.stem
    catalog = catalogs[csv.parents[2]]
    rows = read_tidy(csv, paper, name)
    write_tidy(tmp_path / csv.name, rows)
    assert (tmp_path / csv.name).read_bytes() == csv.read_bytes()
    draw(
        catalog,
        catalog.targets[paper, name],
        rows,
        str(tmp_path / f"{name}.pdf"),
        str(tmp_path / f"{name}.png"),
    )
    pages = sorted(tmp_path.glob("*.png"))
    assert [page.name for page in pages] == sorted(page.name for page in csv.parent.glob(f"{name}*.png"))
    for page in pages:
        ours, kept = imread(page), imread(csv.with_name(page.name))
        assert ours.shape == kept.shape and np.abs(ours - kept).mean() < DIFFERENCE, page.name


def test_what_is_kept_is_small_and_shows_no_image_of_a_data_set():
    assert sum(path.stat().st_size for path in KEPT.rglob("*") if path.is_file()) < 10e6
    assert not [csv for csv in FIGURES if "pixels" in csv.read_text(encoding="utf-8").partition("\n")[0]]


def test_the_list_of_targets_is_that_of_the_kept_files():
    assert (KEPT / "targets.md").read_text(encoding="utf-8") == list_kept.text(KEPT)


def test_a_target_is_listed_at_its_best_scale(tmp_path, full_config):
    target = load(full_config, ROOT / "figures").targets["invariance", "fig1"]
    for stage, statuses in (("1", ("run", "reduced", "not run")), ("2", ("reduced", "run", "not run"))):
        rows = [("a", "ours", statuses[0]), ("b", "ours", statuses[1]), ("a'", "ours", statuses[2])]
        rows += [("a", "ours", "not run"), ("a'", "published", "run")]
        file = tmp_path / stage / "figures/invariance/fig1.csv"
        file.parent.mkdir(parents=True)
        pd.DataFrame(rows, columns=["panel", "source", "status"]).to_csv(file, index=False)
    assert list_kept.line(tmp_path, target) == "| invariance | fig1 | a, b |  | 1 of 3 | 1, 2 |"
    (tmp_path / "2/figures/invariance/fig1.csv").unlink()
    assert list_kept.line(tmp_path, target) == "| invariance | fig1 | a | b | 1 of 3 | 1 |"
    (tmp_path / "1/figures/invariance/fig1.csv").unlink()
    assert list_kept.line(tmp_path, target) == "| invariance | fig1 |  |  | all |  |"


def test_a_stage_costs_cpu_hours_on_a_cpu_and_job_hours_on_a_gpu(tmp_path):
    stage = {"stage": "3", "runs": "11", "planned_cpu_hours": "7.2"}
    assert list_kept.cost(tmp_path, stage) == "| 3 | 11 | 7.2 | 0 | not run |  |"
    made = [
        ("runs/a", "cpu", 3600, 3500),
        ("runs/b", "NVIDIA H200", 1800, 1700),
        ("evaluations/a", "cpu", 99, 100),
    ]
    rows = pd.DataFrame(made, columns=["result", "device", "seconds", "cpu_seconds"])
    (tmp_path / "3").mkdir()
    rows.to_csv(tmp_path / "3/provenance.csv", index=False)
    assert list_kept.cost(tmp_path, stage) == "| 3 | 11 | 7.2 | 2 | 1.00 | 0.50 |"
    rows[1:2].to_csv(tmp_path / "3/provenance.csv", index=False)
    assert list_kept.cost(tmp_path, stage) == "| 3 | 11 | 7.2 | 1 |  | 0.50 |"


def test_a_stage_that_was_not_planned_is_listed_with_its_cost(tmp_path):
    (tmp_path / "plan.csv").write_text("stage,runs,planned_cpu_hours\n2,11,7.2\n", encoding="utf-8")
    (tmp_path / "1_more").mkdir()
    made = [("runs/a", "NVIDIA H200", 1800, 1700)]
    rows = pd.DataFrame(made, columns=["result", "device", "seconds", "cpu_seconds"])
    rows.to_csv(tmp_path / "1_more/provenance.csv", index=False)
    listed = [list_kept.cost(tmp_path, stage) for stage in list_kept.stages(tmp_path)]
    assert listed == ["| 1_more |  |  | 1 |  | 0.50 |", "| 2 | 11 | 7.2 | 0 | not run |  |"]


def test_the_pages_of_a_stage_are_made_from_its_kept_files(tmp_path, snakemake):
    shutil.copytree(KEPT / "5_mnist_pgd", tmp_path / "results")
    config = merge(read(ROOT / "config.yaml"), read(KEPT / "5_mnist_pgd/config.yaml"))
    status, said = snakemake(tmp_path, config, "site")
    assert status == 0 and "Train " not in said, said
    page = (tmp_path / "results/site/tradeoff.html").read_text(encoding="utf-8")
    assert "files/tradeoff/fig7.png" in page and "T4" in page
    assert (tmp_path / "results/site/files/tradeoff/fig7.csv").is_file()


@pytest.mark.slow
@pytest.mark.skipif("DATA_MIRROR" not in os.environ, reason="DATA_MIRROR names no folder with MNIST")
def test_figure_1_is_made_from_the_kept_weights_without_training(tmp_path, snakemake):
    kept = pd.read_csv(KEPT / "1_mnist/figures/invariance/fig1.csv", dtype={"strength": str})
    fewer = {"rotation": 1000, "pgd": 100}
    sources = {"runs_from": [str(KEPT / "weights")], "data_mirror": os.environ["DATA_MIRROR"]}
    budget = {"test_images": fewer, "points": {"pgd": [0, 0.1, 0.3], "rotation": 3}}
    stage = merge(read(KEPT / "1_mnist/config.yaml"), sources | {"budget": budget})
    config = merge(read(ROOT / "config.yaml"), stage)
    status, said = snakemake(tmp_path, config, "results/figures/invariance/fig1.csv")
    assert status == 0, said
    assert "Train " not in said and said.count("Fetch ") == 7, said
    made = pd.read_csv(tmp_path / "results/figures/invariance/fig1.csv", dtype={"strength": str})
    for (strength, panel), rows in made[made.attacked_label != "true"].groupby(["strength", "panel"]):
        same = kept[(kept.strength == strength) & (kept.panel == panel) & (kept.attacked_label != "true")]
        both = rows.merge(same, on="x", suffixes=("", "_kept"))
        assert len(both) >= 3 and np.abs(both.value - both.value_kept).max() < 0.12, (strength, panel)
        assert rows.clean_accuracy.iloc[0] == pytest.approx(same.clean_accuracy.iloc[0], abs=0.02)
