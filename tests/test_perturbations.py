"""What attacks and random transforms say of themselves: keys, words, ranges; and that none needs torch for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from spatial_adversarial.attacks import ATTACKS, PERTURBATIONS, perturbation
from spatial_adversarial.catalog.profiles import complete
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.reading import CatalogError, schema
from spatial_adversarial.settings.fields import properties
from spatial_adversarial.transforms.spatial import KINDS

ROOT = Path(__file__).parents[1]
EACH = [(key, name) for key, named in PERTURBATIONS.items() for name in named]
# the keys of a profile's YAML that are an attack's, those that it has to give first
KEYS = {
    "pgd": (
        {"step", "steps"},
        {"norm", "random_start", "keep", "loss", "source", "pictures", "restarts"},
    ),
    "gama": ({"steps"}, {"restarts", "survivors_of"}),
    "square": ({"queries"}, {"restarts", "survivors_of"}),
    "autoattack": ({"steps", "queries", "targets"}, {"targeted_apgd", "restarts", "survivors_of"}),
    "deepfool": (set(), set()),
    "spatial": ({"turns", "pixels", "shifts"}, {"first"}),
}
GIVEN = {"step": 0.01, "steps": 2, "queries": 5, "targets": 3, "turns": 3, "pixels": 1, "shifts": 2}
WITHOUT_TORCH = """
import sys

for name in ("torch", "torchvision", "pyautoattack"):
    sys.modules[name] = None
import yaml
from spatial_adversarial.catalog import load
from spatial_adversarial.planning import plan
from spatial_adversarial.planning.costs import profile_bytes, profile_passes
from spatial_adversarial.reporting import attack_settings, captions
from spatial_adversarial import plots

config = yaml.safe_load(open("config.yaml", encoding="utf-8"))
catalog = load(config | {"attack_check": ["tradeoff/fig2"], "papers": ["tradeoff", "oaat"]}, "figures")
for profiles in catalog.profiles.values():
    for settings in profiles.values():
        assert profile_passes(settings, 10, 10) > 0 and profile_bytes(settings, 10) > 0
for target in catalog.targets.values():
    print(captions.caption(catalog, target))
    print(*(captions.table(catalog, target)["notes"] if target.kind == "results" else []))
"""


def minimal(name: str, **more) -> dict:
    return {"attack": name, "grid": [0.1]} | {key: GIVEN[key] for key in sorted(KEYS[name][0])} | more


def refused(settings: dict) -> str:
    with pytest.raises(CatalogError) as error:
        complete(settings, "a.yaml: profiles.p")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("other", [{"norm": "l2", "random_start": False}, {"keep": "best"}, {"loss": "kl"}])
def test_pictures_are_refused_of_an_attack_that_they_would_not_show(other):
    complete(minimal("pgd", pictures=1), "p")
    said = refused(minimal("pgd", pictures=1, **other))
    assert any(key in said for key in other)


def test_the_catalog_the_plan_and_captions_read_attacks_without_torch():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        cwd=ROOT,
        env={"PYTHONPATH": "workflow_scripts", "PATH": "/usr/bin:/bin", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Attacks climb the true label." in done.stdout and "standard version" in done.stdout


def test_each_attack_stands_in_the_file_of_its_name():
    assert {name: kind.name for name, kind in ATTACKS.items()} == {name: name for name in KEYS}


@pytest.mark.parametrize("name", KEYS)
def test_a_profile_has_its_attacks_keys_alone(name):
    required, optional = KEYS[name]
    assert properties(PERTURBATIONS["attack"][name]).keys() == required | optional
    full = complete(minimal(name), "p")
    assert full["attack"] == name and full.keys() == schema("profile")["properties"].keys() - {
        "transform",
        *set().union(*(keys[0] for keys in KEYS.values())) - required,
    }
    for key in required:
        assert f"{key!r} is a required property" in refused(
            {other: value for other, value in minimal(name).items() if other != key}
        )
    strange = next(iter(set().union(*(keys[0] for keys in KEYS.values())) - required))
    assert refused(minimal(name, **{strange: GIVEN[strange]})) == (
        f"a.yaml: profiles.p: {strange}: the attack {name!r} has no such key"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attack": "pdg", "grid": [0]}, "attack: unknown attack 'pdg' (did you mean 'pgd'?)"),
        (
            {"transform": "rotat", "grid": [0]},
            "transform: unknown transform 'rotat' (did you mean 'rotate'?)",
        ),
        ({"attack": ["pgd"], "grid": [0]}, "unknown attack"),
        ({"grid": [0]}, "give exactly one of transform, attack"),
        ({"attack": "pgd", "transform": "rotate", "grid": [0]}, "give exactly one of transform, attack"),
        (minimal("pgd", gird=[0]), "unknown key 'gird' (did you mean 'grid'?)"),
        (minimal("gama", space="normalized"), "space: 'pixel' was expected"),
        (minimal("spatial", grid=[181]), "grid.0: 181 is greater than the maximum of 180"),
        (minimal("square", grid=[2]), "grid.0: 2 is greater than the maximum of 1"),
        (minimal("spatial", draws=2), "draws: 1 was expected"),
        (minimal("pgd", norm="l2"), "random_start: False was expected"),
        (minimal("pgd", source="a/b", pictures=1), "pictures: 1 is greater than the maximum of 0"),
        (minimal("pgd", pictures=1, space="normalized"), "space: 'pixel' was expected"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line_that_names_file_and_key(settings, words):
    said = refused(settings)
    assert said.startswith("a.yaml: profiles.p: ") and words in said


@pytest.mark.parametrize(("key", "name"), EACH)
def test_each_says_what_it_is(key, name):
    kind = PERTURBATIONS[key][name]
    assert kind.label and kind.unit and kind.__doc__
    assert all(rule["description"].endswith(".") for rule in properties(kind).values())
    settings = {key: name, "grid": [1]} | {k: v for k, v in GIVEN.items() if k in properties(kind)}
    made = ProfileSettings.of(settings).perturbation
    assert type(made) is kind
    words = ", ".join(made.words(1))
    assert words or name == "deepfool"
    assert made.words(0) == [] or not made.keeps_clean(0)
    if key == "transform":
        assert (kind.unit, kind.limit) == (KINDS[name].unit, KINDS[name].limit)


def test_the_words_of_restarts_and_of_the_standard_version():
    standard = {"attack": "autoattack", "steps": 100, "targets": 9, "queries": 5000}
    words = {restarts: perturbation(standard | {"restarts": restarts}).words(0.1) for restarts in (1, 3)}
    assert words == {
        1: ["eps 0.1", "standard version"],
        3: ["eps 0.1", "standard version", "3 restarts"],
    }
    pgd = {"attack": "pgd", "steps": 1000, "step": "relative", "restarts": 2, "norm": "l2"}
    assert perturbation(pgd).words(8 / 255) == [
        "L2 eps 8/255",
        "1,000 steps of 2.5 eps / steps",
        "2 restarts",
    ]
