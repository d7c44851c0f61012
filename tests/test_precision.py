"""Precision: of all training by one key of the config, and of a GPU's convolutions, fixed and recorded."""

from pathlib import Path

import pytest
import torch

from spatial_adversarial.catalog import Catalog, CatalogError
from spatial_adversarial.runner.device import pick_device
from spatial_adversarial.runner.job import provenance

ROOT = Path(__file__).parents[1]


def catalog(config: dict, **changes) -> Catalog:
    return Catalog(config | {"papers": ["invariance"]} | changes, ROOT / "figures")


def test_one_key_trains_every_run_in_bfloat16_under_another_id(full_config):
    plain, mixed = catalog(full_config), catalog(full_config, precision="bfloat16")
    assert {recipe["precision"] for recipe in plain.recipes.values()} == {"float32"}
    assert {recipe["precision"] for recipe in mixed.recipes.values()} == {"bfloat16"}
    assert len(mixed.recipes) == len(plain.recipes) and not mixed.recipes.keys() & plain.recipes.keys()
    target = mixed.targets["invariance", "fig1"]
    assert "bfloat16" in mixed.reduced() and set(mixed.panel_statuses(target)) == {"reduced"}


def test_without_the_key_and_with_the_recipes_own_precision_ids_stay(full_config):
    plain = catalog(full_config)
    unset = {key: value for key, value in full_config.items() if key != "precision"}
    assert catalog(unset).recipes.keys() == plain.recipes.keys()
    assert catalog(full_config, precision="float32").recipes.keys() == plain.recipes.keys()


def test_another_precision_is_refused_with_its_key(full_config):
    with pytest.raises(CatalogError, match="precision") as refused:
        catalog(full_config, precision="float16")
    print(refused.value)
    assert "\n" not in str(refused.value) and "float16" in str(refused.value)


@pytest.fixture
def backends():
    """PyTorch's settings, put back afterwards."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32
    yield cudnn
    cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32 = before


@pytest.mark.parametrize(
    ("repeatable", "cudnn", "tf32"), [(True, "deterministic", False), (False, "fastest", True)]
)
def test_convolutions_on_a_gpu_are_chosen_and_recorded(backends, repeatable, cudnn, tf32):
    backends.benchmark, backends.deterministic, backends.allow_tf32 = repeatable, not repeatable, repeatable
    pick_device("cpu", 1, repeatable=repeatable)
    made = provenance()
    assert (made["cudnn"], made["tf32"]) == (cudnn, tf32)
    assert backends.benchmark is not repeatable and backends.deterministic is repeatable
    assert torch.backends.cuda.matmul.allow_tf32 is False
