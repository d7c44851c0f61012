"""The catalog: identities, budgets, repeats, fingerprints."""

import subprocess
import sys
from pathlib import Path

import pytest

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.catalog.budget import thin
from spatial_adversarial.records.identity import canonical, completed, identity, released, run_path
from spatial_adversarial.records.reading import (
    choose,
    known_to_be_valid,
    merge,
    numbers,
    schema,
    validate,
)
from spatial_adversarial.reporting.captions import caption
from spatial_adversarial.settings.numbers import number_text

ROOT = Path(__file__).parents[1]
# A default is left out of a run's identity: one that changes makes old results pass for new ones.
RECIPE_DEFAULTS = {
    "version": 1,
    "split": {},
    "split.validation": 0,
    "split.seed": 0,
    "split.limit": None,
    "model.version": 1,
    "model.group": "z2",
    "model.width": 1,
    "model.channels": "same",
    "model.normalise": "none",
    "start": None,
    "mix": None,
    "mix.images": None,
    "mix.seed": 0,
    "optimiser.momentum": 0,
    "optimiser.nesterov": False,
    "optimiser.weight_decay": 0,
    "optimiser.decayed": "all",
    "optimiser.anew": [],
    "label_smoothing": 0,
    "averaging": None,
    "keep": "last",
    "selection": {},
    "selection.eps": 8 / 255,
    "selection.step": 2 / 255,
    "selection.steps": 10,
    "selection.images": 300,
    "precision": "float32",
    "phases.augment": {},
    "phases.augment.crop": 0,
    "phases.augment.flip": False,
    "phases.augment.jitter": 0,
    "phases.augment.shift": 0,
    "phases.augment.rotate": 0,
    "phases.augment.translate": 0,
    "phases.augment.rotate_translate": 0,
    "phases.augment.autoaugment": 0,
    "phases.awp": {},
    "phases.awp.gamma": 0,
    "phases.awp.reach": 1,
    "phases.method": {},
    "phases.method.pgd.random_start": True,
    "phases.method.pgd.norm": "linf",
    "phases.method.trades.first": "clean",
    "phases.method.fat.omega": 0.001,
    "phases.method.oaat.batches": ["sensitive", "invariant"],
    "phases.method.oaat.average": 0.995,
    "phases.method.oaat.climb": "ce",
    "phases.method.oaat.reverse": False,
    "phases.method.oaat.train_mode": True,
}
PROFILE_DEFAULTS = {
    "version": 1,
    "draws": 1,
    "seed": 0,
    "sample": None,
    "space": "pixel",
    "loss": "cross_entropy",
    "norm": "linf",
    "random_start": True,
    "keep": "last",
    "first": "rotation",
    "restarts": 1,
    "pictures": 0,
    "input": {},
    "input.rotate": 0,
    "input.translate": 0,
    "input.rotate_translate": 0,
    "targeted_apgd": True,
    "source": None,
    "survivors_of": None,
}
RELEASED_RUNS = {
    ("mnist", "stdcnn", "rotate", 0): "mnist/stdcnn/natural-c166770d",
    ("mnist", "stdcnn", "rotate", 60): "mnist/stdcnn/rotate60-2b10b769",
    ("mnist", "gcnn", "rotate", 60): "mnist/gcnn/rotate60-0a611480",
    ("mnist", "stdcnn", "translate", 0.2): "mnist/stdcnn/translate0.2-6ca368f2",
    ("mnist", "gcnn", "rotate_translate", 0.2): "mnist/gcnn/rotate_translate0.2-0c8e1f9b",
    ("mnist", "madry_lenet", "pgd", 0.3): "mnist/madry_lenet/pgd0.3-e2aa3154",
    ("cifar10", "vgg16", "rotate", 60): "cifar10/vgg16/rotate60-c9d0fa15",
    ("cifar10", "madry_resnet", "pgd", 8 / 255): "cifar10/madry_resnet/pgd8-255-3fec6cf9",
}
RECIPE = {
    "data": "mnist",
    "model": {"name": "stdcnn"},
    "optimiser": {"name": "sgd", "lr": 0.1},
    "batch": 64,
    "epochs": 10,
}


def defaults_in(rule: dict, key: str = "") -> dict:
    """{dotted key: default} of a schema, at every depth."""
    found = {key: rule["default"]} if "default" in rule else {}
    for name, sub in rule.get("properties", {}).items():
        found |= defaults_in(sub, f"{key}.{name}".lstrip("."))
    return found | (defaults_in(rule["items"], key) if "items" in rule else {})


def members_of(catalog) -> dict:
    """{(data, model, family, strength): run} over all targets."""
    panels = [panel for target in catalog.targets.values() for panel in target.panels]
    return {(p.data, p.model, p.family, m.strength): m.path for p in panels for m in p.members}


def path_of(recipe=RECIPE, **changes) -> str:
    return run_path(canonical(merge(recipe, changes), "a test"), "stdcnn")


def evaluations_of(catalog) -> set:
    return {pair for target in catalog.targets.values() for pair in target.evaluations()}


def shuffled(tree):
    """The tree with the keys of every mapping in reverse order."""
    if isinstance(tree, dict):
        return {key: shuffled(tree[key]) for key in reversed(tree)}
    return [shuffled(item) for item in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize(("name", "pinned"), [("recipe", RECIPE_DEFAULTS), ("profile", PROFILE_DEFAULTS)])
def test_defaults_never_change(name, pinned):
    found = defaults_in(schema(name))
    new = found.keys() - pinned.keys()
    assert not new, f"a new key with a default: release its value here: {sorted(new)}"
    assert found == pinned


def test_released_runs_keep_their_ids(full_config):
    members = members_of(load(full_config, ROOT / "figures"))
    assert {key: members.get(key) for key in RELEASED_RUNS} == RELEASED_RUNS


def test_the_id_of_a_recipe_knows_neither_key_order_nor_written_defaults():
    full = canonical(RECIPE, "a test")
    assert full != RECIPE
    assert path_of(full) == path_of(shuffled(full)) == path_of()
    assert path_of(keep="last", start=None, optimiser={"momentum": 0}, augment={"rotate": 0}) == path_of()
    phased = {key: value for key, value in RECIPE.items() if key != "epochs"} | {"phases": [{"epochs": 10}]}
    assert path_of(phased) == path_of()
    assert path_of(optimiser={"lr": 0.1, "weight_decay": 0.0}, batch=64.0) == path_of()


@pytest.mark.parametrize(
    "change",
    [
        {"data": "digits"},
        {"batch": 32},
        {"epochs": 11},
        {"keep": "best"},
        {"averaging": 0.99},
        {"split": {"seed": 1}},
        {"model": {"width": 2}},
        {"model": {"group": "p4"}},
        {"optimiser": {"momentum": 0.9}},
        {"augment": {"flip": True}},
        {"start": "mnist/stdcnn/natural-00000000"},
    ],
    ids=str,
)
def test_a_recipe_that_differs_has_an_id_of_its_own(change):
    assert path_of(**change) != path_of()


def test_eps_zero_is_natural_training():
    adversarial = {"pgd": {"eps": 0, "step": 0.01, "steps": 40}}
    assert path_of(method=adversarial) == path_of()
    assert path_of(method=merge(adversarial, {"pgd": {"eps": 0.1}})) != path_of()


def test_the_zero_members_of_the_augmented_families_are_one_run_on_mnist_only(full_config):
    members = members_of(load(full_config, ROOT / "figures"))
    for model in ("stdcnn", "gcnn"):
        zeros = [members["mnist", model, family, 0] for family in ("rotate", "translate", "rotate_translate")]
        assert len(set(zeros)) == 1


def test_crop_and_flip_tell_the_zero_members_apart_on_colour_data(full_config, edit, specs):
    profiles = {"data": "cifar10", "model": "vgg16", "profile": "rotation"}
    families = ("rotate", "translate", "rotate_translate")
    panels = {letter: profiles | {"family": name} for letter, name in zip("abc", families, strict=True)}
    edit("invariance.yaml", {"figures": {"fig2": {"panels": panels}}, "claims": {}})
    members = members_of(load(full_config | {"papers": ["invariance"]}, specs))
    rotate, translate, both = (members["cifar10", "vgg16", name, 0] for name in families)
    assert rotate == translate != both


def test_two_papers_share_the_runs_that_both_ask_for(full_config):
    catalog = load(full_config, ROOT / "figures")
    fig1, fig6 = catalog.targets["invariance", "fig1"], catalog.targets["tradeoff", "fig6"]
    assert len(fig1.paths()) == 7
    assert set(fig1.paths()) < set(fig6.paths())
    assert set(fig1.evaluations()) < set(fig6.evaluations())
    alone = load(full_config | {"papers": ["invariance"]}, ROOT / "figures")
    assert alone.targets["invariance", "fig1"].evaluations() == fig1.evaluations()


def test_like_exchanges_data_and_models_and_nothing_else(full_config):
    catalog = load(full_config | {"papers": ["invariance"]}, ROOT / "figures")
    fig1, fig2, fig3 = (catalog.targets["invariance", name] for name in ("fig1", "fig2", "fig3"))
    assert [panel.letter for panel in fig2.panels] == ["a", "b"]  # `only`
    assert {(panel.data, panel.model) for panel in fig2.panels} == {("cifar10", "vgg16")}
    assert {(panel.data, panel.model) for panel in fig3.panels} == {("mnist", "gcnn")}
    for ours, theirs in zip(fig3.panels, fig1.panels, strict=True):
        assert (ours.letter, ours.family, ours.space) == (theirs.letter, theirs.family, theirs.space)
        assert [m.strength for m in ours.members] == [m.strength for m in theirs.members]


def test_like_another_papers_figure_asks_for_its_runs(full_config, edit, specs):
    edit("tradeoff.yaml", {"figures": {"again": {"like": "invariance/fig1"}}, "claims": {}})
    catalog = load(full_config | {"papers": ["invariance", "tradeoff"]}, specs)
    first, again = catalog.targets["invariance", "fig1"], catalog.targets["tradeoff", "again"]
    assert again.evaluations() == first.evaluations()
    assert catalog.fingerprint(again) != catalog.fingerprint(first)


def test_a_stand_in_changes_the_data_and_with_it_the_runs(full_config):
    config = full_config | {"papers": ["invariance"]}
    full = load(config, ROOT / "figures")
    small = load(config | {"stand_ins": {"mnist": "digits"}}, ROOT / "figures")
    fig1, stand_in = full.targets["invariance", "fig1"], small.targets["invariance", "fig1"]
    assert {panel.data for panel in stand_in.panels} == {"digits"}
    assert all(path.startswith("digits/stdcnn/") for path in stand_in.paths())
    assert {small.recipe(path)["data"] for path in stand_in.paths()} == {"digits"}
    assert len(stand_in.paths()) == len(fig1.paths())
    assert not full.reduced()
    assert "digits stands in for mnist" in small.reduced()


def test_titles_tell_what_a_stand_in_replaces(full_config):
    stand_ins = {"mnist": "digits", "cifar10": "digits_colour", "cifar100": "digits_two_hues"}
    catalog = load(
        full_config | {"papers": ["invariance", "tradeoff", "oaat"], "stand_ins": stand_ins}, ROOT / "figures"
    )
    titles = {f"{paper}/{name}": target.title for (paper, name), target in catalog.targets.items()}
    assert titles["invariance/fig1"] == "digits in place of MNIST, StdCNN trained with random rotations"
    first, last = "digits in colour in place of CIFAR-10", "digits in two hues in place of CIFAR-100"
    assert titles["oaat/table1"].startswith(f"{first} and {last}, ResNet18")
    assert titles["tradeoff/fig3"].startswith(f"{last}, ResNet18")
    assert (
        titles["tradeoff/fig7"] == f"Adversarially trained models (digits in place of MNIST, {first}, {last})"
    )
    assert titles["tradeoff/fig8"].startswith("Tiny ImageNet, ResNet18")
    assert titles["invariance/table1"].endswith("used for the MNIST experiments")  # it trains nothing
    assert "in place" not in titles["invariance/theory"]


def test_budgets_of_training_make_runs_of_their_own(full_config):
    config = full_config | {"papers": ["invariance"]}
    full = set(load(config, ROOT / "figures").recipes)
    for budget in ({"epochs": 0.5}, {"train_images": 1000}, {"validation_images": 100}):
        assert not full & set(load(config | {"budget": budget}, ROOT / "figures").recipes), budget


def test_budgets_of_members_points_and_images_keep_the_runs(full_config):
    config = full_config | {"papers": ["invariance"]}
    full = load(config, ROOT / "figures")
    fewer = load(config | {"budget": {"members": {"rotate": [0, 60]}}}, ROOT / "figures")
    fig1 = fewer.targets["invariance", "fig1"]
    assert [m.strength for m in fig1.panels[0].members] == [0, 60]
    assert evaluations_of(fewer) < evaluations_of(full)
    for budget in ({"points": 4}, {"test_images": 100}):
        small = load(config | {"budget": budget}, ROOT / "figures")
        assert set(small.recipes) == set(full.recipes)
        assert not evaluations_of(small) & evaluations_of(full)
    pgd = load(config | {"budget": {"test_images": {"pgd": 100}}}, ROOT / "figures")
    changed = {file for _, file in evaluations_of(pgd) - evaluations_of(full)}
    assert changed and all(file.startswith("pgd") for file in changed)


def test_a_budget_keeps_both_ends():
    values = [0, 30, 60, 90, 120, 150, 180]
    assert thin(values, 3, "rotate", "") == [0, 90, 180]
    assert thin(values, 99, "rotate", "") == thin(values, None, "rotate", "") == values
    assert thin(values, {"rotate": [0, 60]}, "rotate", "") == [0, 60]
    assert thin(values, {"rotate": 2}, "rotate", "") == [0, 180]
    assert thin(values, {"pgd": [0]}, "rotate", "") == values


def test_ramps_and_phases_scale_with_the_share_of_the_epochs(full_config):
    config = full_config | {"papers": ["invariance"], "budget": {"epochs": 0.1}}
    catalog = load(config, ROOT / "figures")
    members = members_of(catalog)
    vgg = catalog.recipe(members["cifar10", "vgg16", "rotate", 60])
    assert [phase["epochs"] for phase in vgg["phases"]] == [12]
    assert vgg["optimiser"]["lr"]["at"] == [5, 10]
    assert vgg["optimiser"]["lr"]["from"] == 0.1
    madry = catalog.recipe(members["cifar10", "madry_resnet", "pgd", 8 / 255])
    assert madry["phases"][0]["steps"] == 8000
    assert madry["phases"][0]["method"]["pgd"]["steps"] == 10, "of an attack, not of the training"


def test_bundles_by_run_and_by_profile_make_the_same_files(demo_config):
    by_run = load(demo_config | {"evaluate": "by_run"}, ROOT / "figures")
    made = [(run, file) for files, runs in by_run.bundles().values() for file in files for run in runs]
    assert len(made) == len(set(made))
    by_profile = load(demo_config | {"evaluate": "by_profile"}, ROOT / "figures")
    ((files, runs),) = by_profile.bundles().values()
    assert files == ["{profile}"]
    assert set(made) == evaluations_of(by_profile) == evaluations_of(by_run)
    assert {run for run, _ in made} == set(runs)
    asked = {(run, file): by_run.profiles[run][file] for run, file in made}
    assert all(settings["grid"] for settings in asked.values())


def test_an_evaluation_file_holds_one_setting_only(full_config):
    found = {}
    for profiles in load(full_config, ROOT / "figures").profiles.values():
        for file, settings in profiles.items():
            assert found.setdefault(file, settings) == settings


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": [0, 1]},
        {"budget": {"points": 5}},
        {"budget": {"members": 3}},
        {"budget": {"test_images": 100}},
        {"bootstrap": {"replicates": 200, "level": 0.95, "seed": 0}},
        {"overrides": {"profiles": {"pgd": {"grid": {"by_data": {"mnist": [0, 0.3]}}}}}},
        {"overrides": {"recipes": {"mnist_sgd": {"epochs": 11}}}},
        {"only_data": ["cifar10"]},
    ],
    ids=str,
)
def test_a_fingerprint_knows_what_the_numbers_depend_on(full_config, change):
    config = full_config | {"papers": ["invariance"]}
    assert fig1_fingerprint(config | change) != fig1_fingerprint(config)


@pytest.mark.parametrize(
    "change",
    [
        {"device": "cpu"},
        {"threads": 4},
        {"evaluate": "by_run"},
        {"results": "elsewhere", "data": "/elsewhere"},
        {"rates": {"cpu": 1}},
        {"papers": ["invariance", "tradeoff"]},
        {"only_data": ["mnist"]},
    ],
    ids=str,
)
def test_a_fingerprint_knows_nothing_else(full_config, change):
    config = full_config | {"papers": ["invariance"]}
    assert fig1_fingerprint(config | change) == fig1_fingerprint(config)


def fig1_fingerprint(config: dict) -> str:
    catalog = load(config, ROOT / "figures")
    return catalog.fingerprint(catalog.targets["invariance", "fig1"])


def test_another_figures_edit_leaves_a_fingerprint_alone(full_config, edit, specs):
    config = full_config | {"papers": ["invariance"]}
    before = load(config, specs)
    edit("invariance.yaml", {"figures.fig5.panels.a b.profile": ["pgd", "rotation"]})
    after = load(config, specs)
    changed = {
        key
        for key in before.targets
        if before.fingerprint(before.targets[key]) != after.fingerprint(after.targets[key])
    }
    assert changed == {("invariance", "fig5"), ("invariance", "fig6")}  # fig6 is like fig5


def test_panels_on_data_that_is_not_trained_on_need_nothing(full_config):
    catalog = load(full_config | {"papers": ["invariance"], "only_data": ["mnist"]}, ROOT / "figures")
    fig2 = catalog.targets["invariance", "fig2"]
    assert all("CIFAR-10" in panel.reason for panel in fig2.panels)
    assert fig2.paths() == fig2.evaluations() == []
    assert {run.split("/")[0] for run, _ in evaluations_of(catalog)} == {"mnist"}


def test_the_recipe_of_an_unknown_run_is_refused(full_config):
    with pytest.raises(CatalogError, match="no figure or table asks for the run 'mnist/stdcnn/rotate45-0'"):
        load(full_config, ROOT / "figures").recipe("mnist/stdcnn/rotate45-0")


@pytest.mark.parametrize(
    ("value", "text"),
    [(8 / 255, "8/255"), (1 / 255, "1/255"), (0.3, "0.3"), (60, "60"), (0.05, "0.05"), (1, "1"), (0, "0")],
)
def test_strengths_are_written_as_people_write_them(value, text):
    assert number_text(value) == text


def test_numbers_are_read_the_same_however_they_are_written():
    assert numbers({"a": ["8/255", "2 / 4", 60.0, "1e-3", "60"]}) == {"a": [8 / 255, 0.5, 60, 0.001, 60]}
    assert isinstance(numbers(60.0), int) and isinstance(numbers("60"), int)
    kept = ["fig1/a", "1/0", "n/a", "md5:12", "8/255 of it", True, None]
    assert numbers(kept) == kept


def test_merge_lays_mappings_over_mappings_and_leaves_its_arguments():
    base, over = {"a": {"x": 1, "y": [1, 2]}, "b": 1}, {"a": {"y": [3]}, "c": {"z": 1}}
    assert merge(base, over) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": {"z": 1}}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert merge(base, {"a": 0}) == {"a": 0, "b": 1}


def test_choose_takes_the_entry_given_or_the_default_at_any_depth():
    tree = {
        "step": {"by_data": {"mnist": 1, "default": {"by_model": {"gcnn": 2, "default": 3}}}},
        "grid": [4],
    }
    assert choose(tree, {"by_data": "mnist", "by_model": "gcnn"}, "") == {"step": 1, "grid": [4]}
    assert choose(tree, {"by_data": "cifar10", "by_model": "gcnn"}, "") == {"step": 2, "grid": [4]}
    assert choose(tree, {"by_data": "cifar10", "by_model": "vgg16"}, "") == {"step": 3, "grid": [4]}
    with pytest.raises(CatalogError, match="here.x.by_data: no entry for 'cifar10' and no default"):
        choose({"x": {"by_data": {"mnist": 1}}}, {"by_data": "cifar10", "by_model": "vgg16"}, "here")


def test_the_registry_names_the_networks_and_sources_that_there_are():
    from spatial_adversarial.data.sources import SOURCES
    from spatial_adversarial.models import BUILDERS

    entry = {
        kind: schema("registry")["properties"][kind]["additionalProperties"] for kind in ("data", "models")
    }
    assert set(entry["models"]["properties"]["network"]["enum"]) == {*BUILDERS, "own"}
    assert set(entry["data"]["properties"]["source"]["enum"]) == set(SOURCES)


def test_the_catalog_and_captions_load_neither_torch_nor_matplotlib():
    code = "import sys, spatial_adversarial.catalog, spatial_adversarial.reporting.captions; "
    code += "print(bool({'torch', 'matplotlib'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "workflow_scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_an_identity_names_schedules_and_methods_as_released_results_do():
    falling = {"schedule": "cosine", "from": 0.1, "to": 0}
    settings = {"steps": 2, "step": 0.1, "eps": falling}
    recipe = canonical(
        RECIPE | {"optimiser": {"name": "sgd", "lr": falling}, "method": {"pgd": settings}}, ""
    )
    given = identity(recipe, "recipe")
    assert given["optimiser"]["lr"] == {"ramp": "cosine", "from": 0.1, "to": 0}
    assert given["phases"] == [
        {"epochs": 10, "examples": {"pgd": settings | {"eps": given["optimiser"]["lr"]}}}
    ]
    assert completed(given, "recipe") == recipe
    assert released(recipe)["phases"][0]["examples"]["pgd"]["eps"]["ramp"] == "cosine"


def test_what_a_rule_is_given_of_a_recipe_or_profile_holds_no_default_and_gives_it_whole(demo_config):
    catalog = load(demo_config, ROOT / "figures")
    for recipe in catalog.recipes.values():
        given = identity(recipe, "recipe")
        assert completed(given, "recipe") == recipe
        assert "label_smoothing" not in given
        methods = {name for phase in recipe["phases"] for name in phase["method"]}
        assert given.get("version") == (2 if methods & {"trades", "fat", "oaat"} else None)
    for profile in (settings for run in catalog.profiles.values() for settings in run.values()):
        assert completed(identity(profile, "profile"), "profile") == profile
        labelled = profile.get("attack") == "pgd" and profile["loss"] == "cross_entropy"
        assert identity(profile, "profile").get("version") == (2 if labelled else None)


def test_tables_of_architectures_are_of_the_full_size_networks_in_the_demo_too(demo_config):
    catalog = load(demo_config, ROOT / "figures")
    table = catalog.targets["invariance", "table1"]
    assert table.spec["data"] == "mnist" and catalog.recipe(table_member(catalog))["model"]["width"] == 0.5
    widths = {
        name: entry["model"]["width"] for name, entry in catalog.networks().items() if "listed/" in name
    }
    assert widths == {"listed/mnist/stdcnn": 1, "listed/mnist/gcnn": 1}
    assert "Reduced" not in caption(catalog, table) and "Reduced" in caption(
        catalog, catalog.targets["invariance", "fig1"]
    )


def table_member(catalog) -> str:
    """A run of the demo's narrow GCNN."""
    return next(path for path in catalog.recipes if path.startswith("digits/gcnn/"))


def test_lines_of_yaml_are_at_most_120_characters():
    files = [file for kind in ("*.yaml", "*.yml") for file in ROOT.rglob(kind)]
    ours = [
        file for file in files if not {"results", ".snakemake", ".venv"} & set(file.relative_to(ROOT).parts)
    ]
    assert len(ours) > 20
    long = [
        f"{file}:{k}"
        for file in ours
        for k, line in enumerate(file.open(encoding="utf-8"), 1)
        if len(line) > 121
    ]
    assert long == []


def test_a_job_reads_what_the_plan_has_checked_without_checking_it_again(full_config):
    with pytest.raises(CatalogError, match="nonsense"):
        validate("config", {"nonsense": 1}, "config")
    with known_to_be_valid():
        validate("config", {"nonsense": 1}, "config")
        unchecked = load(full_config, ROOT / "figures", "invariance")
    with pytest.raises(CatalogError, match="nonsense"):
        validate("config", {"nonsense": 1}, "config")
    checked = load(full_config, ROOT / "figures", "invariance")
    assert {key: unchecked.fingerprint(target) for key, target in unchecked.targets.items()} == {
        key: checked.fingerprint(target) for key, target in checked.targets.items()
    }
