"""The DAG by dry runs: what is asked for schedules what it needs, and what is done stays done."""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import load

ROOT = Path(__file__).parents[1]
FIG1 = "results/figures/invariance/fig1.csv"


def trained(said: str) -> list[str]:
    """The runs that a dry run would train, <run>/seed<k>."""
    return [f"{run}/seed{seed}" for run, seed in re.findall(r"Job \d+: Train (\S+), seed (\d+)\.", said)]


WITH_REASONS = ("--dry-run", "--quiet", "host")  # which the default profile leaves out


def evaluated(said: str) -> list[str]:
    """The evaluation files that a dry run would make, from their reasons."""
    missing = re.findall(r"Missing output files: ([^;\n]*)", said)
    return [file for files in missing for file in files.split(", ") if "/evaluations/" in file]


def jobs(said: str) -> dict[str, int]:
    """{rule: jobs} of a dry run; empty where there is nothing to be done."""
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}


def done(answer: tuple[int, str]) -> str:
    """What Snakemake said, once it ended well."""
    status, said = answer
    assert status == 0, said
    return said


def two_members(**changes) -> dict:
    """The config of invariance with two members a family, and changes."""
    full = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return full | {"papers": ["invariance"], "budget": {"members": 2}} | changes


@pytest.fixture(scope="module")
def finished(tmp_path_factory, snakemake) -> Path:
    """A folder where invariance fig1, with two members, is done as far as Snakemake can tell."""
    folder = tmp_path_factory.mktemp("finished")
    summary = done(snakemake(folder, two_members(), "--summary", "--", FIG1))
    files = re.findall(r"^((?:results|data)/\S+)\t", summary, re.MULTILINE)
    assert FIG1 in files
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    done(snakemake(folder, two_members(), "--touch", "--forceall", "--", FIG1))
    return folder


@pytest.fixture(scope="module")
def plans(tmp_path_factory) -> dict[str, tuple[str, float]]:
    """{what is asked for: (what a dry run of the full config says, its seconds of CPU)}."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")) | {"only_data": None}
    folder = tmp_path_factory.mktemp("plans")
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def plan(asked: str) -> tuple[str, float]:
        command = [
            "-m",
            "snakemake",
            "--snakefile",
            str(ROOT / "Snakefile"),
            "--dry-run",
            "--cores",
            "1",
            asked,
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run(
            [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return said.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return {asked: plan(asked) for asked in ("results/figures/invariance/fig1.pdf", "all")}


def test_a_figure_asked_alone_schedules_its_own_runs_only(plans, full_config):
    said, _ = plans["results/figures/invariance/fig1.pdf"]
    fig1 = load(full_config, ROOT / "figures").targets["invariance", "fig1"]
    runs = [f"{path}/seed0" for path in fig1.paths()]
    assert len(runs) == 7 and sorted(trained(said)) == sorted(runs)
    assert jobs(said) == {
        "download": 1,
        "prepare": 1,
        "train": 7,
        "evaluate_profile": 21,
        "aggregate": 1,
        "draw": 1,
        "total": 32,
    }


def test_all_of_the_full_config_is_planned_in_a_few_times_the_time_of_a_figure(plans, full_config):
    (figure, of_figure), (said, of_all) = plans.values()
    catalog = load(full_config, ROOT / "figures")
    wanted = {run for target in catalog.targets.values() for run in catalog.runs(target)}
    wanted |= {f"{run}/seed0" for run, _ in catalog.robust_images}  # whose features D_R shows
    assert set(trained(said)) == wanted
    assert len(trained(said)) == len(wanted), "a run that two papers share is trained once"
    assert of_all < 6 * of_figure and jobs(said)["total"] > 50 * jobs(figure)["total"]


def test_the_demo_makes_every_target(dry_run, demo_config):
    said = done(dry_run(demo_config, "all"))
    catalog = load(demo_config, ROOT / "figures")
    drawn = re.findall(r"Job \d+: (?:Draw|Write the table) (\w+) (\w+)\.", said)
    assert sorted(drawn) == sorted(catalog.targets)
    assert jobs(said)["judge"] == sum(map(bool, catalog.claims.values()))
    assert jobs(said)["report"] == jobs(said)["claims"] == jobs(said)["claims_published"] == 1
    assert jobs(said)["site_of_all"] == 1


def test_the_site_shows_what_is_there_and_trains_nothing(dry_run, full_config):
    assert jobs(done(dry_run(full_config, "site"))) == {"site": 1, "total": 1}


def test_the_rules_to_call_by_name_are_there(dry_run, full_config):
    listed = done(dry_run(full_config, "--list-rules")).split()
    assert {"all", "plan", "calibrate", "site", *full_config["papers"]} <= set(listed)


def test_the_results_move_with_the_config_and_the_data_stay(dry_run, full_config):
    config = full_config | {"papers": ["invariance"], "only_data": ["mnist"], "results": "elsewhere/demo"}
    summary = done(dry_run(config, "--summary", "invariance"))
    files = re.findall(r"^(\S+)\t.*\t", summary, re.MULTILINE)[1:]
    assert len(files) > 100
    assert {file.split("/")[0] for file in files} == {"elsewhere", "data"}
    assert {file for file in files if file.startswith("data/")} == {"data/mnist.h5", "data/raw/mnist.json"}


def test_an_unchanged_config_schedules_nothing(finished, snakemake):
    said = done(snakemake(finished, two_members(), "--dry-run", "--", FIG1))
    assert "Nothing to be done" in said and not jobs(said)


def test_another_device_schedules_nothing(finished, snakemake):
    other = two_members(device="cpu", threads=3, jobs_per_gpu=2, rates={"cpu": 1})
    said = done(snakemake(finished, other, "--dry-run", "--", FIG1))
    assert "Nothing to be done" in said and not jobs(said)


def test_a_longer_family_trains_the_new_members_only(finished, snakemake):
    longer = two_members(budget={"members": {"rotate": [0, 60, 180]}})
    said = done(snakemake(finished, longer, *WITH_REASONS, "--", FIG1))
    (run,) = trained(said)
    assert run.startswith("mnist/stdcnn/rotate60-")
    assert len(evaluated(said)) == 3 and all(run in file for file in evaluated(said))


def test_another_seed_trains_that_seed_only(finished, snakemake):
    said = done(snakemake(finished, two_members(seeds=[0, 1]), "--dry-run", "--", FIG1))
    assert len(trained(said)) == 2 and all(run.endswith("/seed1") for run in trained(said))
    assert jobs(said)["aggregate"] == jobs(said)["draw"] == 1


def test_a_longer_grid_evaluates_that_profile_only(finished, snakemake):
    grid = {"profiles": {"rotation": {"grid": [0, 10, 30, 60, 120, 180]}}}
    said = done(snakemake(finished, two_members(overrides=grid), *WITH_REASONS, "--", FIG1))
    assert not trained(said)
    assert len(evaluated(said)) == 2 and all("/rotation-" in file for file in evaluated(said))
    assert jobs(said)["aggregate"] == 1


def test_another_paper_trains_only_what_is_not_there(finished, snakemake):
    both = two_members(papers=["invariance", "tradeoff"])
    said = done(snakemake(finished, both, "--dry-run", "--", "results/figures/tradeoff/fig6.csv"))
    fig1, fig6 = (
        load(both, ROOT / "figures").targets[key] for key in (("invariance", "fig1"), ("tradeoff", "fig6"))
    )
    assert {run.rpartition("/")[0] for run in trained(said)} == set(fig6.paths()) - set(fig1.paths())


def test_prepared_data_that_are_newer_retrain_nothing(finished, snakemake):
    os.utime(finished / "data/mnist.h5")
    assert "Nothing to be done" in done(snakemake(finished, two_members(), "--dry-run", "--", FIG1))


MOVED = {"data_mirror": "elsewhere"}
RELABELLED = {"overrides": {"data": {"mnist": {"label": "digits by hand", "urls": {"a.gz": "http://b"}}}}}
OTHER_DATA = {"overrides": {"data": {"mnist": {"train": 6000}}}}
ONE_MADE = {"aggregate": 1, "draw": 1}
ALL_MADE = ONE_MADE | {"train": 2, "evaluate_profile": 6}
FETCHED = {"download": 1, "prepare": 1}


@pytest.fixture
def prepared_only(finished, tmp_path) -> Path:
    """The finished folder with its data only, as `--until prepare` leaves it."""
    folder = Path(shutil.copytree(finished, tmp_path / "prepared"))
    shutil.rmtree(folder / "results")
    return folder


@pytest.mark.parametrize(
    ("changes", "arguments", "fetched"),
    [
        ({}, (), {}),
        (MOVED, (), {}),
        (RELABELLED, (), {}),
        ({}, ("--forcerun", "download"), FETCHED),
        (OTHER_DATA, (), FETCHED),
    ],
    ids=["nothing", "mirror", "label", "forced", "content"],
)
def test_one_call_makes_what_is_asked_after_the_data_were_prepared(
    prepared_only, snakemake, changes, arguments, fetched
):
    said = done(snakemake(prepared_only, two_members(**changes), "--dry-run", *arguments, "--", FIG1))
    found = jobs(said)
    print(changes, *arguments, found)  # the fault planned {"download": 1, "total": 1}
    assert found.pop("total") == sum(found.values()) and found == fetched | ALL_MADE


def test_of_two_figures_both_are_made_after_a_forced_download(finished, snakemake):
    other = "results/figures/invariance/fig6.csv"
    said = done(snakemake(finished, two_members(), "--dry-run", "-R", "download", "--", FIG1, other))
    found = jobs(said)
    assert found["draw"] == found["aggregate"] == 1 and len(trained(said)) > 0
    assert FETCHED.keys() <= found.keys()


@pytest.mark.parametrize("changes", [MOVED, RELABELLED], ids=["mirror", "label"])
def test_where_data_lie_and_what_they_are_called_makes_no_number_again(finished, snakemake, changes):
    found = jobs(done(snakemake(finished, two_members(**changes), "--dry-run", "--", FIG1)))
    assert found.keys() <= {"aggregate", "draw", "total"}, "a printed label is drawn, and nothing else made"


def test_a_forced_download_retrains_nothing(finished, snakemake):
    said = done(snakemake(finished, two_members(), "--dry-run", "--forcerun", "download", "--", FIG1))
    assert jobs(said) == FETCHED | {"total": 2}


def test_other_images_in_a_data_set_make_all_of_it_again_in_one_call(finished, snakemake):
    said = done(snakemake(finished, two_members(**OTHER_DATA), "--dry-run", "--", FIG1))
    assert jobs(said) == FETCHED | ALL_MADE | {"total": 12}


def test_released_images_that_are_not_there_are_told_before_any_job(snakemake, tmp_path):
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config |= {"papers": ["features"], "robust_images": "both", "data_mirror": str(tmp_path)}
    fig3 = "results/figures/features/{}.csv"
    done(snakemake(tmp_path, config, "-n", "--quiet", "--", fig3.format("fig3")))
    folder = tmp_path / "robust_CIFAR"
    folder.mkdir()
    (folder / "CIFAR_ims").touch()
    status, said = snakemake(tmp_path, config, "-n", "--quiet", "--", fig3.format("fig3_released"))
    assert status and f"robust_images: both: there is no {folder / 'CIFAR_lab'} (released" in said
    (folder / "CIFAR_lab").touch()
    said = done(snakemake(tmp_path, config, "-n", "--", fig3.format("fig3_released")))
    assert jobs(said)["convert_released_images"] == 1 and "build_robust_images" not in jobs(said)
