"""What jobs ask a cluster for: little for little, much for much, more with each attempt; and the tables behind it."""

from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import Catalog, CatalogError
from spatial_adversarial.models.counting import describe
from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.network_sizes import COUNTED, count, full_size, sizes
from spatial_adversarial.planning.resources import MARGIN, START, Requests, gpu_request

ROOT = Path(__file__).parents[1]


def requests(config: dict, **changes) -> Requests:
    catalog = Catalog(config | changes, ROOT / "figures")
    return Requests(catalog, {}, find_rates(catalog.config))


def run_of(catalog: Catalog, network: str, words: str) -> str:
    return next(path for path in catalog.recipes if path.startswith(f"{network}/{words}"))


def test_a_cheap_job_asks_for_little_and_the_wide_network_of_oaat_for_much(full_config):
    asked = requests(full_config)
    small = asked.training(run_of(asked.catalog, "mnist/stdcnn", "natural"), 1)
    large = asked.training(run_of(asked.catalog, "cifar10/wideresnet34_10", "oaat"), 1)
    print(small, large)
    assert small.minutes <= 20 and small.megabytes < 5000
    assert large.minutes > 24 * 60 and large.megabytes > 6000


def test_minutes_are_the_plans_hours_with_the_margin(full_config):
    asked = requests(full_config, jobs_per_gpu=2)
    run = run_of(asked.catalog, "cifar10/vgg16", "natural")
    hours = asked.plan.training(run, 0).hours
    assert asked.training(run, 1).minutes == pytest.approx(START + MARGIN * 2 * 60 * hours, abs=1)


def test_each_attempt_asks_for_more_up_to_the_longest_job(full_config):
    asked = requests(full_config, longest_job=1440)
    short, long = (
        run_of(asked.catalog, *where)
        for where in (("mnist/gcnn", "natural"), ("cifar10/wideresnet34_10", "oaat"))
    )
    first, second = (asked.training(short, attempt) for attempt in (1, 2))
    assert first.minutes < second.minutes <= 2 * first.minutes
    assert second.megabytes == pytest.approx(2 * first.megabytes, abs=1)
    assert asked.training(long, 1).minutes == asked.training(long, 3).minutes == 1440
    assert asked.training(long, 3).megabytes > asked.training(long, 1).megabytes


def test_every_job_with_a_network_has_a_request(demo_config):
    asked = requests(demo_config)
    catalog = asked.catalog
    for path in catalog.recipes:
        assert asked.training(path, 1).minutes > START - 1
    for path, profiles in catalog.profiles.items():
        assert asked.evaluation(path, tuple(profiles), 1).megabytes < 8000, path
    for run, name in catalog.robust_images:
        assert asked.robust_images(run, name, 1).minutes > START - 1


# GB that jobs on two CPU cores were seen to take at most: process, data and what a network keeps
MEASURED = {
    ("mnist/gcnn", "rotate", "train"): 1142,
    ("mnist/gcnn", "rotate", "evaluate"): 833,
    ("mnist/stdcnn", "rotate", "evaluate"): 1018,
}


@pytest.mark.parametrize("case", MEASURED, ids=" ".join)
def test_memory_is_what_was_measured_with_room_to_spare(full_config, case):
    network, words, work = case
    asked = requests(full_config, device="cpu")
    run = run_of(asked.catalog, network, words)
    files = tuple(asked.catalog.profiles.get(run, ()))
    request = asked.training(run, 1) if work == "train" else asked.evaluation(run, files, 1)
    assert MEASURED[case] < request.megabytes < 2.5 * MEASURED[case]


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({"device": "auto"}, {"gpu": 1}),
        ({"device": "cuda", "gres": None}, {"gpu": 1}),
        ({"device": "cuda", "gres": "gpu:a100:1"}, {"gpu": 0, "gres": "gpu:a100:1"}),
        ({"device": "cpu", "gres": "gpu:1"}, {"gpu": 0}),
    ],
)
def test_one_key_chooses_between_gpus_and_gres(config, asked):
    assert gpu_request(config) == asked


def test_a_gres_that_slurm_would_refuse_is_refused_with_its_key(full_config):
    with pytest.raises(CatalogError, match="gres"):
        Catalog(full_config | {"gres": "'gpu:1'"}, ROOT / "figures")


def test_the_sizes_are_those_of_the_networks(full_config):
    assert count(Catalog(full_config, ROOT / "figures")) == full_size()


def test_narrow_networks_and_small_images_are_estimated_within_a_factor(demo_config):
    import torch

    from spatial_adversarial import models

    catalog = Catalog(demo_config, ROOT / "figures")
    estimated = sizes(catalog, {})
    for name, network in catalog.networks().items():
        if name.startswith("listed/") or name.split("/")[1] in (
            "mlp_a",
            "mlp_b",
        ):  # connections of every pixel
            continue
        entry = catalog.registry["data"][network["data"]]
        shape, plain = {"channels": entry["channels"], "side": entry["side"]}, [0.5] * entry["channels"]
        with torch.device("meta"):
            built = models.build(network["model"], classes=entry["classes"], mean=plain, std=plain, **shape)
        counted = describe(built.eval(), **shape)
        for key in COUNTED:
            assert 1 / 3 < estimated[name][key] / counted[key] < 3, (name, key)


def test_a_users_own_network_is_as_large_as_the_largest_until_it_is_counted(full_config, tmp_path):
    (tmp_path / "mine.py").write_text("def build(**shape): ...\n")
    own = {"label": "mine", "file": str(tmp_path / "mine.py"), "builder": "build", "data": "mnist"}
    catalog = Catalog(
        full_config | {"own": {"mine": own | {"figures": ["invariance/fig1"]}}}, ROOT / "figures"
    )
    name = next(name for name in catalog.networks() if "mine" in name)
    assert sizes(catalog, {})[name]["multiply_adds"] == max(
        one["multiply_adds"] for one in full_size().values()
    )
    assert sizes(catalog, {name: {"multiply_adds": 7}})[name] == {"multiply_adds": 7}


def test_the_slurm_profile_names_no_rule_that_is_generated():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    assert "set-resources" not in profile and "slurm-status-command" not in profile
