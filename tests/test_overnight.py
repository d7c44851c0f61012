"""The stages of profiles/overnight: each trains what it says, on the real MNIST or CIFAR-10 alone."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from keep_results import keep
from spatial_adversarial.catalog import load
from spatial_adversarial.records.reading import merge

ROOT = Path(__file__).parents[1]
STAGES = {path.stem: path for path in (ROOT / "profiles/overnight").glob("[0-9]*.yaml")}
RUNS = {
    "1_mnist": 30,
    "1_mnist_seeds": 7,
    "2_cifar_half": 6,
    "3_cifar_pgd": 11,
    "4_cifar_cusp": 9,
    "5_mnist_pgd": 5,
    "6_cifar_oaat": 4,
    "7_cifar_features": 15,
    "8_cifar_full": 2,
    "9_mnist_longer": 4,
}


def trained(catalog) -> set[str]:
    return {
        run for target in catalog.targets.values() for path in target.paths() for run in catalog.needed(path)
    }


@pytest.mark.parametrize("stage", RUNS)
def test_a_stage_trains_its_networks_and_no_others(stage, full_config):
    config = merge(full_config, yaml.safe_load(STAGES[stage].read_text(encoding="utf-8")))
    runs = trained(load(config, ROOT / "figures"))
    assert len(runs) == RUNS[stage]
    assert {run.split("/")[0] for run in runs} <= {"mnist", "cifar10"}


def test_the_script_goes_through_all_stages():
    script = (ROOT / "profiles/overnight/nights.sh").read_text(encoding="utf-8")
    assert re.search(r"^stages=\((.*)\)", script, re.MULTILINE)[1].split() == sorted(RUNS) == sorted(STAGES)


@pytest.mark.parametrize("device", ["", "cuda"])
def test_the_script_runs_on_a_gpu_where_it_is_asked_to(tmp_path, device):
    """A snakemake that prints what it is asked for stands in for the real one."""
    printing = tmp_path / "snakemake"
    printing.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    printing.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DEVICE": device}
    command = ["bash", str(ROOT / "profiles/overnight/nights.sh"), "--dry-run", "8_cifar_full"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    on_gpu = ("--cores 8 --resources gpu=4" in said, " device=cuda jobs_per_gpu=4 -- " in said)
    assert on_gpu == ((True, True) if device else (False, False)), said
    assert "8_cifar_full/figures/invariance/fig2.pdf" in said


def test_what_is_kept_of_results_is_small_and_of_the_targets_asked_for(tmp_path):
    results, folder = tmp_path / "results", tmp_path / "kept"
    for name in ("figures/a/fig1", "figures/a/fig2", "figures/b/images", "tables/a/t1"):
        for kind in ("csv", "csv.sha256", "png", "pdf", "md", "tex"):
            file = results / f"{name}.{kind}"
            file.parent.mkdir(parents=True, exist_ok=True)
            if kind == "png":
                Image.linear_gradient("L").convert("RGBA").save(file)
            else:
                file.write_text("panel,pixels\n" if "images" in name else "panel,value\n", encoding="utf-8")
    for name in ("runs/r/seed0/weights.pt", "claims/a.csv", "provenance.csv"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("x", encoding="utf-8")
    (folder / "figures/a").mkdir(parents=True)
    (folder / "figures/a/old.csv").touch()
    made = {str(path.relative_to(folder)) for path in keep(results, folder, {"a/fig2"})}
    assert made == {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert made == {
        "figures/a/fig1.csv",
        "figures/a/fig1.csv.sha256",
        "figures/a/fig1.png",
        "tables/a/t1.csv",
        "tables/a/t1.md",
        "claims/a.csv",
        "provenance.csv",
    }
    with Image.open(folder / "figures/a/fig1.png") as few, Image.open(results / "figures/a/fig1.png") as all:
        assert few.mode == "P" and few.convert("RGB").tobytes() == all.convert("RGB").tobytes(), (
            "of 256 greys"
        )
    with pytest.raises(ValueError, match="no figure, table or claims"):
        keep(tmp_path / "nothing", folder, set())
    assert folder.is_dir()
    (tmp_path / "Snakefile").touch()
    for wrong in (results, tmp_path):
        with pytest.raises(ValueError, match="not a folder for copies"):
            keep(results, wrong, set())
    assert (results / "claims/a.csv").exists()


def test_a_thin_line_keeps_its_colour(tmp_path):
    """256 colours are few for shades of many hues; those of the lines must be among them."""
    shades = np.linspace(0, 255, 300 * 300 * 3).reshape(300, 300, 3).astype(np.uint8)
    lines = {10: (0xE6, 0x9F, 0x00), 20: (0xD5, 0x5E, 0x00), 30: (0xCC, 0x79, 0xA7)}
    for row, colour in lines.items():
        shades[row, :40] = colour
    (tmp_path / "results/figures/a").mkdir(parents=True)
    (tmp_path / "results/figures/a/fig1.csv").write_text("panel\n", encoding="utf-8")
    Image.fromarray(shades).save(tmp_path / "results/figures/a/fig1.png")
    keep(tmp_path / "results", tmp_path / "kept", set())
    with Image.open(tmp_path / "kept/figures/a/fig1.png") as image:
        few = np.asarray(image.convert("RGB")).astype(int)
    for row, colour in lines.items():
        assert np.abs(few[row, :40] - colour).max() <= 24
