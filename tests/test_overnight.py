"""The stages of profiles/overnight: each trains what it says, on the real MNIST or CIFAR-10 alone."""

import re
from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import load
from spatial_adversarial.records.reading import merge

ROOT = Path(__file__).parents[1]
STAGES = {path.stem: path for path in (ROOT / "profiles/overnight").glob("[0-9]*.yaml")}
RUNS = {
    "1_mnist": 30,
    "2_cifar_half": 6,
    "3_cifar_pgd": 11,
    "4_cifar_cusp": 9,
    "5_mnist_pgd": 5,
    "8_cifar_full": 2,
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
