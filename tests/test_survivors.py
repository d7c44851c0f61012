"""Attacks on what withstood a smaller eps: known answers, what they look at, refusals, jobs and costs."""

import json
import re
import subprocess
import sys
from itertools import pairwise

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT
from snakemake.iocontainers import Wildcards
from torch import nn

from evaluate import evaluate as evaluate_run
from spatial_adversarial.catalog import Catalog, CatalogError, load
from spatial_adversarial.catalog.survivors import check
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.evaluation import profiles
from spatial_adversarial.evaluation.profiles import evaluate
from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.job_inputs import JobInputs
from spatial_adversarial.planning.plan import Plan
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.survivors import in_order, smaller, smaller_file
from spatial_adversarial.results.store import read_evaluation, write_evaluation
from spatial_adversarial.runner.paths import Paths
from train import train

ON = {
    "gama_12": {"survivors_of": "gama_8"},
    "gama_16": {"survivors_of": "gama_12"},
    "square_12": {"survivors_of": "square_8"},
    "square_16": {"survivors_of": "square_12"},
    "autoattack_12": {"survivors_of": "autoattack_8"},
    "autoattack_16": {"survivors_of": "autoattack_12"},
}
EPS = (0.05, 0.1, 0.15)
N, SIDE = 60, 4
MARGINS = torch.linspace(-0.02, 0.18, N)  # what the mean of an image may lose before its class changes
ATTACKS = {
    "gama": {"attack": "gama", "steps": 8},
    "square": {"attack": "square", "queries": 20},
    "autoattack": {"attack": "autoattack", "steps": 5, "targets": 1, "queries": 20, "targeted_apgd": False},
}


class Brightness(nn.Module):
    """Two classes by the mean of the pixels: an attack fools an image if, and only if, eps is above its margin."""

    def __init__(self):
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x):
        self.seen.append(len(x))
        score = 20 * (x.mean((1, 2, 3)) - 0.5)
        return torch.stack([score, -score], 1)


@pytest.fixture
def images() -> ImageSet:
    pixels = (0.5 + MARGINS)[:, None, None, None].expand(N, 1, SIDE, SIDE)
    return ImageSet(pixels.contiguous(), torch.zeros(N, dtype=torch.int64), 2, (0.5,), (0.5,))


def chain(attack: str, **more) -> list[dict]:
    """The canonical settings of an attack at each eps, each on the survivors of the last."""
    made: list[dict] = []
    for eps in EPS:
        settings = {"grid": [eps], "sample": None, "survivors_of": None, "space": "pixel"}
        settings |= ATTACKS[attack] | more
        if made:
            kept = {key: made[-1][key] for key in ("grid", "sample", "survivors_of")}
            settings["survivors_of"] = {"profile": f"{attack}_{len(made)}"} | kept
        made.append(settings)
    return made


def measure(images: ImageSet, settings: dict, before: Evaluation | None = None):
    """(the evaluation, how many images each pass of the network had)."""
    network = Brightness()
    quiet = {"tell": lambda line: None}
    return evaluate(network, images, ProfileSettings.of(settings), smaller=before, **quiet), network.seen


def test_survivors_alone_are_attacked_and_a_deterministic_attack_finds_the_same(images):
    before = None
    for settings in chain("gama"):
        eps = settings["grid"][0]
        found, seen = measure(images, settings, before)
        alone, _ = measure(images, settings | {"survivors_of": None})
        known = torch.le(MARGINS, eps).long()  # class 1 where eps takes all of the margin
        assert found.prediction.tolist() == alone.prediction.tolist() == [[known.tolist()]]
        attacked = int(torch.gt(MARGINS, 0 if before is None else before.x[0]).sum())
        # the clean predictions; the start, each step and the result of those that are attacked
        assert seen == [N] + [attacked] * (1 + 8 + 1)
        before = found


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("restarts", [1, 2])
def test_what_was_fooled_stays_fooled_and_is_not_looked_at_again(images, attack, restarts):
    before = None
    for settings in chain(attack, restarts=restarts):
        found, seen = measure(images, settings, before)
        if before is not None:
            fooled = before.prediction != before.label
            assert (found.prediction[fooled] == before.prediction[fooled]).all()
            assert max(seen[1:]) == (~fooled).sum() < N
        before = found
    assert (before.prediction == 0).any() or attack != "square"


def test_a_restart_of_pgd_attacks_only_what_still_stands(images):
    right = torch.gt(MARGINS, 0)  # those that are wrong would be attacked on the predicted label too
    margins, count = MARGINS[right], int(right.sum())
    images = ImageSet(images.images[right], images.labels[right], 2, (0.5,), (0.5,))
    pgd = {"attack": "pgd", "grid": [0.1], "step": 0.1, "steps": 2, "restarts": 3}
    found, seen = measure(images, pgd)
    assert found.prediction.tolist() == [[torch.le(margins, 0.1).long().tolist()]]
    stand, passes = int(torch.gt(margins, 0.1).sum()), 2 + 1  # of each start: the steps and the result
    assert seen == [count] * (1 + passes) + [stand] * 2 * passes
    assert measure(images, pgd | {"grid": [0.5], "step": 0.5})[1] == [count] * (1 + passes), (
        "none is left for a restart"
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_point_draw_block_and_start_has_random_numbers_of_its_own(images, monkeypatch, attack):
    settings = ProfileSettings.of(chain(attack, grid=[0.01, 0.02], draws=2, restarts=2)[0])
    seeds = []

    def nothing(self, model, x, y, *, eps, seed):
        seeds.append(seed)
        return x

    monkeypatch.setattr(type(settings.perturbation), "examples", nothing)
    monkeypatch.setattr(profiles, "BLOCK", N // 2)
    evaluate(Brightness(), images, settings, tell=lambda line: None)
    assert len(set(seeds)) == len(seeds) == 2 * 2 * 2 * 2


def test_each_draw_and_block_goes_on_from_its_own(images, monkeypatch):
    monkeypatch.setattr(profiles, "BLOCK", 7)
    first, second, _ = chain("gama", draws=2)
    before, _ = measure(images, first)
    other = before.prediction.copy()
    other[0, 1] = 1  # as if the second draw had fooled all
    found, _ = measure(images, second, Evaluation(before.label, before.clean, before.x, other))
    assert found.prediction[0, 0].tolist() == torch.le(MARGINS, 0.1).long().tolist()
    assert (found.prediction[0, 1] == 1).all()


def test_the_smaller_eps_may_have_more_images_but_no_others(images):
    first, second, _ = chain("gama")
    before, _ = measure(images, first)
    few = ImageSet(images.images[:20], images.labels[:20], 2, (0.5,), (0.5,))
    found, _ = measure(few, second, before)
    assert found.prediction[0, 0].tolist() == torch.le(MARGINS[:20], 0.1).long().tolist()
    with pytest.raises(ValueError, match="of other images"):
        measure(few, second, Evaluation(1 - before.label, before.clean, before.x, before.prediction))
    for settings, given in ((second, None), (first, before)):
        with pytest.raises(ValueError, match="go together"):
            measure(images, settings, given)


# From the YAML to profiles


def oaat(config: dict, over: dict, **more) -> Catalog:
    return load(config | {"papers": ["oaat"], "overrides": {"profiles": over}} | more, ROOT / "figures")


@pytest.fixture(scope="module")
def on() -> Catalog:
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return oaat(config, ON)


def test_only_profiles_of_survivors_get_new_names_and_bring_those_that_they_need(full_config, on):
    off = oaat(full_config, {})
    names = [set(one.targets["oaat", "table2"].evaluations()) for one in (off, on)]
    gone, new = (
        {file.split("-")[0] for _, file in found} for found in (names[0] - names[1], names[1] - names[0])
    )
    assert gone == {"square_12", "square_16", "autoattack_12", "autoattack_16"}
    assert new == gone | {"square_8"}  # which the table itself does not show
    for run, files in on.profiles.items():
        for file, settings in files.items():
            assert smaller(settings) is None or smaller_file(settings) in files, (run, file)


def test_a_row_says_so_and_is_the_papers(on):
    run, files = next(
        (run, files) for run, files in on.profiles.items() if any("gama_16" in f for f in files)
    )
    settings = next(settings for file, settings in files.items() if file.startswith("gama_16"))
    words = ProfileSettings.of(settings).perturbation.words(settings["grid"][0])
    assert words == ["eps 16/255", "100 steps", "of images that withstand eps 12/255"]
    assert on.status("oaat", run, settings) == "run"


REFUSED = {
    "unknown": ({"gama_12": {"survivors_of": "gama_7"}}, "unknown profile 'gama_7' (did you mean 'gama_8'?)"),
    "another attack": ({"gama_12": {"survivors_of": "square_8"}}, "'square_8' has attack: square, not gama"),
    "other settings": (
        {"gama_12": {"survivors_of": "gama_8", "steps": 50}},
        "'gama_8' has steps: 100, not 50",
    ),
    "a larger eps": (
        {"gama_12": {"survivors_of": "gama_16"}},
        "the grid of 'gama_16', 16/255, is not one eps below 12/255",
    ),
    "itself": ({"gama_12": {"survivors_of": "gama_12"}}, "'gama_12' comes back to itself"),
    "a ring": (
        {"gama_12": {"survivors_of": "gama_16"}, "gama_16": {"survivors_of": "gama_12"}},
        "comes back to itself",
    ),
    "no such key": ({"steps_100": {"survivors_of": "steps_10"}}, "the attack 'pgd' has no such key"),
    "no name": ({"gama_12": {"survivors_of": 8}}, "8 is not of type 'string', 'null'"),
}


@pytest.mark.parametrize(("over", "line"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_profile_is_refused_in_one_line(full_config, over, line):
    with pytest.raises(CatalogError) as refused:
        oaat(full_config, over)
    said = str(refused.value)
    assert line in said and "survivors_of" in said and "\n" not in said
    assert "profiles." in said


def test_several_points_or_a_moved_image_more_are_refused():
    first, second, _ = chain("gama", input={})
    second["survivors_of"]["profile"] = "gama_1"
    check(second, "here", first)
    with pytest.raises(
        CatalogError, match="here: the grid of 'gama_1', 0.01, 0.05, is not one eps below 0.1"
    ):
        check(second, "here", first | {"grid": [0.01, 0.05]})
    check(second | {"sample": 10}, "here", first)
    turned = {"input": {"rotate": 30}}  # drawn for all images at once
    with pytest.raises(CatalogError, match="'gama_1' is evaluated on all images, and this on 10"):
        check(second | turned | {"sample": 10}, "here", first | turned)


def test_fewer_images_at_the_smaller_eps_are_refused(full_config):
    few = {"budget": {"test_images": {"gama_8": 1000, "gama_12": 2000}}}
    with pytest.raises(CatalogError, match="'gama_8' is evaluated on 1,000 images, and this on 2,000"):
        oaat(full_config, {"gama_12": {"survivors_of": "gama_8"}}, **few)
    few["budget"]["test_images"] = {"gama_8": 2000, "gama_12": 1000}
    oaat(full_config, {"gama_12": {"survivors_of": "gama_8"}}, **few)


def test_null_attacks_all_images_again(full_config):
    off = oaat(full_config, {"gama_12": {"survivors_of": None}})
    assert off.profiles == oaat(full_config, {}).profiles


# Jobs


def small(config: dict, **more) -> dict:
    """A config with one row of table2, whose attacks are on survivors."""
    budget = {"rows": {"oaat/table2": ["awp_18"], "default": []}, "panels": {"default": []}}
    return config | {"papers": ["oaat"], "overrides": {"profiles": ON}, "budget": budget} | more


@pytest.mark.parametrize("evaluate", ["by_profile", "by_run"])
def test_a_job_takes_the_smaller_eps_unless_it_makes_it(full_config, evaluate):
    catalog = load(small(full_config, evaluate=evaluate), ROOT / "figures")
    inputs, paths = JobInputs(catalog, Paths.of(catalog.config)), Paths.of(catalog.config)
    (run,) = catalog.profiles
    made = {file.split("-")[0]: file for file in catalog.profiles[run]}
    attacks = {f"{attack}_{eps}" for attack in ("square", "autoattack") for eps in (8, 12, 16)}
    assert made.keys() == attacks | {"clean"}
    wildcards = Wildcards(fromdict={"run": run, "seed": "0"})
    for files, _ in catalog.bundles().values():
        if evaluate == "by_run":
            assert inputs.smaller_eps(files, wildcards) == [] and sorted(made.values()) == files
            order = [file.split("-")[0] for file in in_order(catalog.profiles[run])]
            assert all(
                order.index(f"{a}_8") < order.index(f"{a}_12") < order.index(f"{a}_16")
                for a in ("square", "autoattack")
            )
        else:
            needs = {"square_8": None, "square_12": "square_8", "autoattack_16": "autoattack_12"}
            for name, before in needs.items():
                asked = Wildcards(fromdict={"run": run, "seed": "0", "profile": made[name]})
                expected = [paths.evaluation(run, made[before], 0)] if before else []
                assert inputs.smaller_eps(files, asked) == expected


def test_snakemake_evaluates_the_smaller_eps_first(dry_run, full_config):
    config = small(full_config)
    catalog = load(config, ROOT / "figures")
    ((run, files),) = catalog.profiles.items()
    file = next(name for name in files if name.startswith("square_16"))
    status, said = dry_run(config, "--", Paths.of(config).evaluation(run, file, 0))
    assert status == 0, said
    assert re.search(r"evaluate_profile +3\n", said), said


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    spec = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 400, "test": 60}
    data, run = prepared("digits", spec), tmp_path_factory.mktemp("run")
    recipe = {"data": "digits", "model": {"name": "stdcnn", "width": 0.5}, "batch": 40, "epochs": 12}
    recipe |= {"optimiser": {"name": "sgd", "lr": 0.05, "momentum": 0.9}}
    train(canonical(recipe, "test"), 0, data, run, device="cpu", threads=1)
    return run, data


@pytest.mark.parametrize("together", [True, False])
def test_the_script_makes_the_smaller_eps_first_or_reads_it(trained, tmp_path, together):
    run, data = trained
    settings = chain("gama", draws=1, seed=0, input={}, source=None, version=1, restarts=1)
    # each lies where the next one looks for it
    files = [*(tmp_path / f"{smaller_file(one)}.h5" for one in settings[1:]), tmp_path / "last.h5"]
    outputs = {str(file): one for file, one in zip(files, settings, strict=True)}
    if together:
        evaluate_run(run, data, dict(reversed(outputs.items())), device="cpu", threads=1)
    else:
        with pytest.raises(ValueError, match=files[0].name) as missing:
            evaluate_run(run, data, {str(files[1]): settings[1]}, device="cpu", threads=1)
        assert "\n" not in str(missing.value)
        for output, one in outputs.items():
            evaluate_run(run, data, {output: one}, device="cpu", threads=1)
    found = [read_evaluation(file) for file in files]
    for before, after in pairwise(found):
        fooled = before.prediction != before.label
        assert fooled.any() and (after.prediction[fooled] == before.prediction[fooled]).all()
        assert (after.prediction != after.label).sum() > fooled.sum()
    with h5py.File(files[1]) as file:
        assert json.loads(file.attrs["made_of"]).keys() == {"run", "weights", "data", "survivors_of"}


@pytest.mark.parametrize("wider", [None, 40])
def test_survivors_of_more_images_are_those_of_the_sample(trained, tmp_path, wider):
    """The attack on a sample finds what it finds where the smaller eps was evaluated on the sample alone."""
    run, data = trained
    common = {"draws": 1, "seed": 0, "input": {}, "source": None, "version": 1, "restarts": 1}
    first, second, _ = chain("gama", **common)
    found = []
    for sample in (30, wider):
        before, after = first | {"sample": sample}, second | {"sample": 30}
        after["survivors_of"] = second["survivors_of"] | {"sample": sample}
        folder = tmp_path / str(sample)
        outputs = {str(folder / f"{smaller_file(after)}.h5"): before, str(folder / "after.h5"): after}
        evaluate_run(run, data, outputs, device="cpu", threads=1)
        found.append(read_evaluation(folder / "after.h5"))
    alone, among_more = found
    fooled = alone.prediction != alone.label
    assert len(alone.label) == 30 and fooled.any() and not fooled.all()
    assert alone.label.tolist() == among_more.label.tolist()
    # float sums depend on an image's neighbours: on some machine, an image at a boundary falls to another class
    assert (alone.prediction != among_more.prediction).sum() <= 1


def test_the_benchmark_runs(trained, tmp_path):
    run, data = trained
    command = [sys.executable, ROOT / "benchmarks/survivors.py", run, "--data", data, "--output", tmp_path]
    command += ["--images", 30, "--attacks", "gama", "square", "--steps", 3, "--queries", 5]
    said = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    (file,) = tmp_path.glob("survivors_cpu_*.csv")
    rows = pd.read_csv(file).set_index(["attack", "eps_255", "way"])
    assert len(rows) == 2 * 3 * 2 and "| Square | 16/255 |" in said
    for attack in ("gama", "square"):
        of = rows.loc[attack]
        assert of.loc[(8, "all")].equals(of.loc[(8, "survivors")])
        stood = [of.loc[(eps, "survivors"), "accuracy"] for eps in (8, 12, 16)]
        assert stood == sorted(stood, reverse=True)
        assert of.loc[(16, "survivors"), "attacked"] == round(30 * stood[1])
    assert (
        rows.loc[("gama", 12, "survivors"), "passes"]
        == 30 + 5 * rows.loc[("gama", 12, "survivors"), "attacked"]
    )


def test_the_plan_counts_survivors_once_they_are_known(full_config, tmp_path):
    catalog = load(small(full_config, results=str(tmp_path)), ROOT / "figures")
    ((run, files),) = catalog.profiles.items()
    sizes = {name: {"multiply_adds": 1000, "parameters": 10} for name in catalog.networks()}
    plan = Plan(catalog, sizes, find_rates(catalog.config))
    name = next(file for file in files if file.startswith("square_12"))
    named = smaller_file(files[name])
    before = plan.evaluation(run, (name,), 0).hours
    assert plan.unknown_survivors() == 4
    label = np.arange(10_000) % 10
    prediction = np.where(np.arange(10_000) < 4000, label, label + 1)[None, None]
    there = Evaluation(label, label, np.array([8 / 255]), prediction)
    write_evaluation(plan.paths.evaluation(run, named, 0), there, x_unit="eps", profile={}, made_of={})
    assert plan.unknown_survivors() == 3
    after = plan.evaluation(run, (name,), 0).hours
    assert after / before == pytest.approx((10_000 + 4000 * 5000) / (10_000 + 10_000 * 5000))
