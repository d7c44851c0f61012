"""The plan's arithmetic, its counts beside Snakemake's own, what it sees on the disk, and how fast it measures."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from small import recipe_of

import calibrate
import list_targets
import make_plan
import train
from spatial_adversarial.catalog import Catalog
from spatial_adversarial.planning.costs import (
    find_rates,
    profile_passes,
    training_passes,
)
from spatial_adversarial.planning.plan import Plan, sample_recipes
from spatial_adversarial.planning.reach import beyond_reach
from spatial_adversarial.planning.target_list import target_list
from spatial_adversarial.results.shared_runs import wanted_runs

ROOT = Path(__file__).parents[1]
OPERATIONS, PARAMETERS = 1_000_000, 50_000
ADDITIVE = ["runs", "train_hours", "evaluate_hours", "disk_bytes", "hours_left"]


@pytest.fixture
def catalog(tmp_path: Path) -> Callable[..., Catalog]:
    """The project's catalog with results in tmp_path and some keys of the config changed."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config |= {"results": str(tmp_path / "results"), "data": str(tmp_path / "data")}
    return lambda **changes: Catalog(config | changes, ROOT / "figures")


def networks(catalog: Catalog) -> dict:
    return {name: {"multiply_adds": OPERATIONS, "parameters": PARAMETERS} for name in catalog.networks()}


def plan(catalog: Catalog) -> Plan:
    return Plan(catalog, networks(catalog), find_rates(catalog.config))


def table(catalog: Catalog) -> pd.DataFrame:
    return plan(catalog).table().set_index(["paper", "target"])


def run_folder(catalog: Catalog, number: int = 0) -> Path:
    path = catalog.targets["invariance", "fig1"].paths()[number]
    folder = Path(catalog.config["results"]) / "runs" / path / "seed0"
    folder.mkdir(parents=True)
    return folder


def test_hours_are_operations_times_passes_times_images_over_the_rate(catalog):
    fig1 = table(catalog(rates={"cuda": 1e9})).loc["invariance", "fig1"]
    natural = 10 * (55_000 * 3 + 5_000)  # ten epochs: forward and twice that backward, validation
    assert fig1.train_hours == pytest.approx(7 * natural * OPERATIONS / 1e9 / 3600)
    # the clean predictions first; eps 0 is one of them, and a quarter of the images is attacked twice
    rotation, pgd = 1 + 13, 1 + 1.25 * 11 * (40 * 2 + 1)
    assert fig1.evaluate_hours == pytest.approx(7 * 10_000 * (rotation + 2 * pgd) * OPERATIONS / 1e9 / 3600)


def test_pgd_training_costs_its_attack_and_steps_count_their_batch():
    assert training_passes(recipe_of(steps=200), 1000) == 200 * 50 * 3
    pgd = {"pgd": {"eps": 0.3, "step": 0.01, "steps": 40}}
    assert training_passes(recipe_of(steps=200, method=pgd), 1000) == 200 * 50 * (40 * 2 + 3)


def test_deepfool_costs_its_classes():
    profile = {"attack": "deepfool", "grid": [0], "draws": 1}
    assert (
        profile_passes(profile, 100, 2)
        < profile_passes(profile, 100, 10)
        == profile_passes(profile, 100, 200)
    )


@pytest.fixture(scope="module")
def full() -> pd.DataFrame:
    """The plan of the full config where nothing is done, as `catalog` has it."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return table(Catalog(config | {"results": "nowhere/results", "data": "nowhere/data"}, ROOT / "figures"))


@pytest.mark.parametrize("share", [2, 0.4])
def test_twice_the_epochs_are_twice_the_hours(catalog, full, share):
    one, other = full, table(catalog(budget={"epochs": share}))
    # half of an odd number of steps is a whole one
    assert list(other.train_hours) == pytest.approx(list(share * one.train_hours), rel=1e-4)
    assert list(other.evaluate_hours) == pytest.approx(list(one.evaluate_hours))


def test_budget_of_images_counts(catalog):
    alone = {"papers": ["invariance"]}
    every, few, limited = (
        table(catalog(**alone, budget=budget)).loc["invariance", "fig1"]
        for budget in ({}, {"test_images": 1000}, {"train_images": 5500})
    )
    assert few.evaluate_hours == pytest.approx(every.evaluate_hours / 10)
    assert limited.train_hours < every.train_hours / 5


def test_what_targets_share_counts_once_in_the_totals(catalog):
    made = catalog()
    rows = plan(made).table()
    targets, total = rows.iloc[:-1], rows.iloc[-1]
    paths = {path for target in made.targets.values() for path in target.paths()}
    needed = {run for path in paths for run in made.needed(path)}
    assert total["runs"] == len(needed)
    assert all(0 < total[name] < targets[name].sum() for name in ADDITIVE)
    assert total["runs_shared"] < targets["runs_shared"].sum()


def test_targets_that_share_no_run_add_up(catalog):
    rows = plan(catalog(papers=["invariance"])).table()
    targets, total = rows.iloc[:-1], rows.iloc[-1]
    for name in ("runs", "train_hours", "evaluate_hours", "hours_left"):
        assert total[name] == pytest.approx(targets[name].sum())
    assert rows["runs_shared"].sum() == 0


def test_seeds_multiply_runs_and_hours(catalog, full):
    one, three = full.loc["all", ""], table(catalog(seeds=[0, 1, 2])).loc["all", ""]
    for name in ("evaluate_jobs", "evaluate_hours"):
        assert three[name] == pytest.approx(3 * one[name])
    # but for the networks whose features D_R shows: one each
    made = catalog()
    once = [plan(made).training(run, 0) for run in {run for run, _ in made.robust_images}]
    for name in ("runs", "train_jobs"):
        assert three[name] == 3 * one[name] - 2 * len(once)
    hours = sum(job.hours for job in once)
    assert once and three.train_hours == pytest.approx(3 * one.train_hours - 2 * hours)


def test_a_network_that_robust_images_are_of_is_trained_with_its_own_seed(catalog):
    made = catalog(papers=["features"], seeds=[1, 2])
    target = made.targets["features", "fig3"]
    ((robust, _),) = {key for key in made.robust_images if key[0] in made.needed(target.paths()[-1])}
    pairs = {pair for path in target.paths() for pair in made.trainings(path)}
    assert {seed for path, seed in pairs if path == robust} == {0}
    wanted = {one.run for one in wanted_runs(made)}
    assert f"{robust}/seed0" in wanted and f"{robust}/seed1" not in wanted


def test_a_run_that_lacks_weights_that_it_is_to_keep_is_not_done(catalog):
    made = catalog(papers=["oaat"], optional_rows=["oaat/table1/at_best"])
    (path,) = (run for run, kept in made.kept.items() if kept == ["best_robust"])
    folder = Path(made.config["results"]) / f"runs/{path}/seed0"
    folder.mkdir(parents=True)
    (folder / "weights.pt").touch()
    assert plan(made).training(path, 0).state == "waiting"
    (folder / "best_robust.pt").touch()
    assert plan(made).training(path, 0).state == "done"


def test_runs_done_begun_and_failed_are_seen(catalog):
    made = catalog(papers=["invariance"])
    before = table(made).loc["invariance", "fig1"]
    (run_folder(made, 0) / "weights.pt").touch()
    (run_folder(made, 1) / "resume.pt").touch()
    failed = run_folder(made, 2)
    (failed / "resume.pt").touch()
    (failed / "failed.txt").write_text("ValueError: training diverged\n")
    after = table(made).loc["invariance", "fig1"]
    assert (after.runs, after.runs_done, after.runs_begun, after.runs_failed) == (7, 1, 1, 1)
    assert after.train_jobs == before.train_jobs - 1
    assert before.hours_left - after.hours_left == pytest.approx(before.train_hours / 7)
    assert after.train_hours == before.train_hours
    assert plan(made).failures() == {str(failed): "ValueError: training diverged"}


def test_training_marks_a_failure_and_takes_the_mark_back(tmp_path):
    mark = tmp_path / "failed.txt"
    with pytest.raises(ValueError), train.failure_recorded(mark):
        raise ValueError("training diverged\nin detail")
    assert mark.read_text() == "ValueError: training diverged\n"
    with pytest.raises(KeyboardInterrupt), train.failure_recorded(mark):
        assert not mark.exists()
        raise KeyboardInterrupt
    assert not mark.exists()


def test_jobs_are_those_of_a_dry_run(tmp_path):
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    demo = yaml.safe_load((ROOT / "profiles/demo/demo.yaml").read_text(encoding="utf-8"))
    demo |= {"results": f"{tmp_path}/results", "data": f"{tmp_path}/data"}
    rows = table(Catalog(config | demo, ROOT / "figures")).loc["all", ""]
    moved = [f"{key}={demo[key]}" for key in ("results", "data")]
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--profile",
        "profiles/demo",
        "-n",
        "all",
        "--config",
        *moved,
    ]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    counts = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", printed, re.MULTILINE)}
    for kind, planned in (("train", rows.train_jobs), ("evaluate", rows.evaluate_jobs)):
        assert sum(number for name, number in counts.items() if name.startswith(kind)) == planned
    assert counts["total"] - 1 == rows.train_jobs + rows.evaluate_jobs + rows.other_jobs  # `all` is one


def measured(kind: str, **more) -> dict:
    rates = {"mnist/stdcnn": {"train": 5e9, "evaluate": 2e9}}
    median = {"train": 1e9, "evaluate": 1e9}
    return {"kind": kind, "device": "a machine", "threads": 1, "rates": rates, "median": median} | more


def test_the_plan_uses_what_was_measured(catalog, tmp_path):
    made = catalog(device="cpu")
    text = make_plan.make_plan(made, networks(made), measured("cpu"), tmp_path / "plan.csv")
    rows = pd.read_csv(tmp_path / "plan.csv").set_index(["paper", "target"])
    assert "measured by calibrate on 1 networks (a machine" in text and "not measured" not in text
    natural = 7 * 10 * (55_000 * 3 + 5_000) * OPERATIONS / 3600
    assert rows.loc["invariance", "fig1"].train_cpu_hours == pytest.approx(natural / 5e9, rel=1e-4)
    assert rows.loc["invariance", "fig3"].train_cpu_hours == pytest.approx(natural / 1e9, rel=1e-4)


def test_the_plan_says_what_was_not_measured(catalog, tmp_path):
    made = catalog()
    text = make_plan.make_plan(made, networks(made), None, tmp_path / "plan.csv")
    assert "not measured on a GPU" in text and "train_gpu_hours" in pd.read_csv(tmp_path / "plan.csv")
    assert all(target in text for _, target in made.targets)
    on_cpu = make_plan.make_plan(made, networks(made), measured("cpu"), tmp_path / "plan.csv")
    assert "CPU-hours: measured" in on_cpu and "not measured on a GPU" in on_cpu


@pytest.mark.parametrize(
    "device, calibration",
    [("cuda", measured("cpu")), ("cpu", measured("cuda")), ("cpu", measured("cpu", threads=8))],
)
def test_another_devices_measurement_is_not_used(catalog, device, calibration):
    rates = find_rates(catalog(device=device).config, calibration)
    assert rates.device == device and "not measured" in rates.source and not rates.measured


def test_a_set_of_unknown_size_is_told_and_left_out(catalog, tmp_path):
    made = catalog(overrides={"data": {"mnist": {"train": None}}})
    text = make_plan.make_plan(made, networks(made), None, tmp_path / "plan.csv")
    assert "leave mnist out" in text and "nan" not in text


def test_calibration_measures_each_network(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "SECONDS", 1.0)
    made = catalog(papers=["invariance"])
    output = tmp_path / "calibration.json"
    operations = {name: {"multiply_adds": 1e6} for name in made.networks()}
    expected = {"cpu": 1e9, "cuda": 1e13}
    data = made.registry["data"]
    settings = {"device": "cpu", "threads": 1, "expected": expected}
    calibrate.calibrate(sample_recipes(made), operations, data, output, **settings)
    found = json.loads(output.read_text())
    assert found["kind"] == "cpu" and found["threads"] == 1
    assert found["rates"].keys() <= sample_recipes(made).keys() and found["rates"]
    assert all(
        1e6 < rate < 1e15 for rates in [*found["rates"].values(), found["median"]] for rate in rates.values()
    )
    assert find_rates(made.config | {"device": "cpu"}, found).measured == found["rates"]


@pytest.mark.parametrize("precision, enabled", [("float32", {False}), ("bfloat16", {False, True})])
def test_calibration_trains_in_the_recipes_precision(catalog, monkeypatch, precision, enabled):
    import torch

    from spatial_adversarial.models import loading

    seen = set()

    def load_network(*args, **settings):
        network = unwatched(*args, **settings)
        network.register_forward_pre_hook(lambda *_: seen.add(torch.is_autocast_enabled("cpu")))
        return network

    unwatched = loading.load_network
    monkeypatch.setattr(loading, "load_network", load_network)
    made = catalog(papers=["invariance"], precision=precision)
    recipe = sample_recipes(made)["mnist/stdcnn"]
    assert recipe.get("precision", "float32") == precision
    data = made.registry["data"]["mnist"]
    speeds = calibrate.images_a_second(recipe, data, torch.device("cpu"), 8, 0.01)
    assert min(speeds.values()) > 0 and seen == enabled


def test_steps_are_timed_without_waiting_between_them(monkeypatch):
    """Of a device whose work takes 3 s a step, where the step's launch takes 1 s: all of it is 3 s a step."""
    clock = {"host": 0.0, "device": 0.0}
    monkeypatch.setattr(calibrate.time, "perf_counter", lambda: clock["host"])

    def step():
        clock["host"] += 1
        clock["device"] = max(clock["device"], clock["host"]) + 3

    def wait():
        clock["host"] = max(clock.values())

    assert calibrate.seconds_each(step, 100, wait) == pytest.approx(3, abs=0.02)
    assert calibrate.seconds_each(step, 0.5, wait) == pytest.approx(4)  # a single step, with its launch


def test_a_network_is_counted_without_its_weights_as_with_them(tmp_path, full_config):
    import torch

    import networks as script
    from spatial_adversarial import models
    from spatial_adversarial.models.counting import describe

    catalog = Catalog(full_config | {"papers": ["invariance"]}, ROOT / "figures")
    wanted = {name: network for name, network in catalog.networks().items() if name.endswith("/gcnn")}
    entries = {"mnist": catalog.registry["data"]["mnist"]}
    script.describe_all(wanted, entries, tmp_path / "networks.json")
    described = json.loads((tmp_path / "networks.json").read_text())
    assert set(described) == {"mnist/gcnn", "listed/mnist/gcnn"}
    settings = {"channels": 1, "side": 28, "classes": 10, "mean": [0.5], "std": [0.5]}
    built = models.build(wanted["mnist/gcnn"]["model"], **settings).eval()
    assert describe(built, channels=1, side=28) == described["mnist/gcnn"]
    assert described["mnist/gcnn"]["parameters"] == sum(p.numel() for p in built.parameters()) == 89_910
    assert described["listed/mnist/gcnn"].pop("equivariance_error") < 1e-6
    assert described["listed/mnist/gcnn"] == described["mnist/gcnn"]
    assert next(built.parameters()).device == torch.device("cpu")


def test_the_target_list_has_a_line_for_each_target_with_its_cost_and_state(catalog):
    made = catalog(device="cpu", papers=["invariance"])
    before = table(made).loc["invariance", "fig1"]
    (run_folder(made, 0) / "weights.pt").touch()
    folder = Path(made.config["results"]) / "figures/invariance"
    folder.mkdir(parents=True)
    for name in ("fig2.csv", "fig2.png", "fig3.csv"):
        (folder / name).touch()
    heading, *lines = target_list(plan(made)).splitlines()
    assert heading.split() == ["paper", "target", "kind", "data", "networks", "runs", "CPU-hours", "done"]
    rows = {line.split()[1]: line.split() for line in lines[: len(made.targets)]}
    assert list(rows) == [name for _, name in made.targets]
    assert rows["fig1"][:6] == ["invariance", "fig1", "figure", "mnist", "stdcnn", "1/7"]
    hours = before.train_hours + before.evaluate_hours
    assert float(rows["fig1"][6].replace(",", "")) == pytest.approx(hours, rel=0.06)  # two digits
    assert {name: row[7] for name, row in rows.items() if row[7] == "yes"} == {"fig2": "yes"}
    assert rows["theory"][2:6] == ["theory", "-", "-", "0/0"]
    assert rows["table1"][2:5] == ["table", "mnist", "stdcnn,gcnn"]


def test_a_machine_without_a_gpu_is_planned_in_cpu_hours(catalog, tmp_path):
    made = catalog(device="auto")
    assert find_rates(made.config, gpu=False).unit == "CPU-hours"
    assert find_rates(made.config, gpu=True).unit == "GPU-hours"
    assert find_rates(made.config | {"device": "cuda"}, gpu=False).unit == "GPU-hours"  # of a cluster's nodes
    text = make_plan.make_plan(made, networks(made), None, tmp_path / "plan.csv", gpu=False)
    assert "not measured on this CPU" in text and "not measured on a GPU" in text


def test_smaller_sizes_are_named_where_a_machine_would_work_for_more_than_a_week(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    rates = find_rates({"device": "cpu", "rates": {"cpu": 1e9}})
    week = 7 * 24 * 2  # hours of work in a week, two jobs at a time
    assert beyond_reach(week, rates, {"threads": 2}) == []
    (line,) = beyond_reach(10 * week, rates, {"threads": 2})
    assert "4 cores" in line and "70 days" in line
    for name in re.findall(r"profiles/[\w./]+\w", line):
        assert (ROOT / name).exists()


def test_the_targets_are_listed_before_any_network_was_built(catalog, monkeypatch):
    monkeypatch.setattr(list_targets, "machine_has_gpu", lambda: False)
    made = catalog(papers=["invariance"])
    listed = list_targets.main(made).splitlines()
    assert "CPU-hours" in listed[0]
    hours = float(listed[1].split()[6].replace(",", ""))
    described = {name: {"multiply_adds": 1e3, "parameters": 1} for name in made.networks()}
    path = Path(made.config["results"], "networks.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(described))
    assert float(list_targets.main(made).splitlines()[1].split()[6]) < hours  # what is described counts
