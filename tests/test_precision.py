"""Precision: of all training by one key of the config, and of a GPU's convolutions, fixed and recorded."""

from pathlib import Path

import pytest
import torch

from spatial_adversarial.catalog import Catalog, CatalogError
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.runner.device import pick_device
from spatial_adversarial.runner.job import provenance
from spatial_adversarial.training.data import splits
from spatial_adversarial.training.loop import Trainer

ROOT = Path(__file__).parents[1]
DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 200, "test": 200}


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


@pytest.mark.parametrize(("precision", "mixed"), [("bfloat16", True), ("float32", False)])
def test_the_inner_attack_of_a_mixed_recipe_runs_mixed_too(prepared, tmp_path, precision, mixed):
    """Each pass of a step of PGD training: three of the attack, one of the loss."""
    data = prepared("digits", DIGITS)
    pgd = {"pgd": {"eps": 0.1, "step": 0.05, "steps": 3}}
    spec = {
        "model": {"name": "madry_lenet", "width": 0.25},
        "optimiser": {"name": "sgd", "lr": 0.01},
        "batch": 160,
    }
    given = {
        "data": "digits",
        "split": {"validation": 40},
        "epochs": 1,
        "method": pgd,
        "precision": precision,
    }
    made = canonical(spec | given, "test")
    train, validation = splits(data, made["split"], torch.device("cpu"))
    network, passes = load_network(made["model"], train, seed=0), []
    network.register_forward_hook(lambda *_: passes.append(torch.is_autocast_enabled("cpu")))
    next(
        Trainer(made, seed=0, network=network, train=train, validation=validation).run(tmp_path / "resume.pt")
    )
    assert passes[:4] == [mixed] * 4
