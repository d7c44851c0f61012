"""What the papers' files ask for: every figure in its arrangement, and which runs are shared."""

import json
from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import CatalogError, load

ROOT = Path(__file__).parents[1]
PANELS = {  # {target: panels in pixel space}, as the papers arrange them
    "invariance": dict.fromkeys(["fig1", "fig2", "fig3", "fig4", "fig5", "fig6"], 2),
    "tradeoff": dict.fromkeys(["fig2", "fig3", "fig4", "fig5", "fig6"], 16)
    | {
        "fig1": 4,
        "fig7": 12,
        "fig8": 14,
        "fig9": 12,
        "fig10": 4,
        "fig11": 4,
        "fig12": 2,
        "fig13": 1,
        "fig14": 12,
    },
    "cusp": dict.fromkeys(["fig1", "fig8", "fig9", "fig10", "fig11"], 16)
    | {
        "fig2": 12,
        "fig3": 4,
        "fig4": 4,
        "fig5": 4,
        "fig7": 4,
        "fig12": 14,
        "fig13": 11,
        "fig14": 2,
        "fig15": 1,
    }
    | {"fig16": 12},
    "features": {"fig1": 1, "fig2": 1, "fig3": 4, "figB": 2},
}
PRIMED = [("invariance", "fig1", "a'"), ("invariance", "fig3", "a'"), ("tradeoff", "fig2", "b'")]
PRIMED += [("tradeoff", "fig6", f"{letter}'") for letter in "bdfhlp"]
PRIMED += [("tradeoff", "fig14", f"{letter}'") for letter in "abcdefghijkl"]
PRIMED += [("cusp", "fig5", f"{letter}'") for letter in "abcd"]
REPEATS = {  # of cusp, the same runs and evaluations under other numbers
    "fig1": "fig2", "fig2": "fig7", "fig3": "fig10", "fig4": "fig11", "fig7": "fig1", "fig8": "fig6", "fig9": "fig4",
    "fig10": "fig5", "fig11": "fig3", "fig12": "fig8", "fig14": "fig12", "fig15": "fig13", "fig16": "fig14",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog():
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return load(config | {"only_data": None}, ROOT / "figures")


@pytest.mark.parametrize(
    ("paper", "figure"), [(paper, name) for paper, found in PANELS.items() for name in found]
)
def test_a_figure_has_its_panels_in_order(catalog, paper, figure):
    letters = [panel.letter for panel in catalog.targets[paper, figure].panels if "'" not in panel.letter]
    assert "".join(letters) == "abcdefghijklmnop"[: PANELS[paper][figure]]
    assert not any(panel.reason for panel in catalog.targets[paper, figure].panels)


@pytest.mark.parametrize(("paper", "figure", "letter"), PRIMED)
def test_what_is_attacked_in_both_spaces_has_a_primed_panel(catalog, paper, figure, letter):
    panels = {panel.letter: panel for panel in catalog.targets[paper, figure].panels}
    primed, plain = panels[letter], panels[letter.rstrip("'")]
    assert (primed.space, plain.space) == ("normalized", "pixel")
    assert primed.members == plain.members


@pytest.mark.parametrize(("repeat", "original"), REPEATS.items())
def test_a_repeated_figure_asks_for_nothing_new(catalog, repeat, original):
    again, first = catalog.targets["cusp", repeat], catalog.targets["tradeoff", original]
    assert again.paths() == first.paths()
    assert again.evaluations() == first.evaluations() and again.slices() == first.slices()
    assert [panel.title for panel in again.panels] == [panel.title for panel in first.panels]


def test_what_cusp_leaves_out_or_draws_apart_asks_for_nothing_new_either(catalog):
    of = {name: set(catalog.targets[name].evaluations()) for name in catalog.targets}
    assert of["cusp", "fig13"] < of["tradeoff", "fig9"]
    assert of["cusp", "fig5"] < of["tradeoff", "fig14"]
    assert catalog.targets["cusp", "fig5"].paths() == catalog.targets["tradeoff", "fig14"].paths()[:28]


def test_runs_are_shared_where_their_recipes_agree_and_nowhere_else(catalog):
    asked = {path: catalog.recipes[path] for target in catalog.targets.values() for path in target.paths()}
    recipes = {json.dumps(recipe, sort_keys=True) for recipe in asked.values()}
    assert len(recipes) == len({path.rsplit("-", 1)[1] for path in asked}) == len(asked)
    apart = sum(len(panel.members) for target in catalog.targets.values() for panel in target.panels)
    assert len(asked) == 435 and apart > 4 * len(asked)


def test_the_eps_0_member_is_shared_with_natural_training_but_not_with_trades_settings(catalog):
    paths = {figure: catalog.targets["tradeoff", figure].paths() for figure in ("fig2", "fig10", "fig11")}
    assert paths["fig10"][0] == paths["fig2"][0]
    natural = catalog.recipes[paths["fig11"][0]]
    assert natural["phases"][0]["method"] == {} and natural["batch"] == 64
    others = {
        path
        for key, target in catalog.targets.items()
        if key[1] not in ("fig11", "fig4")
        for path in target.paths()
    }
    assert not others & set(paths["fig11"])


@pytest.mark.parametrize(("letter", "kept"), [("a", False), ("b", False), ("a'", True), ("b'", True)])
def test_adversarial_training_starts_from_the_translated_model_of_the_same_range(catalog, letter, kept):
    """Without translations of its own, as the text says, or with those of the first stage."""
    translated = catalog.targets["tradeoff", "fig2"].panels[4].members
    (panel,) = (panel for panel in catalog.targets["tradeoff", "fig12"].panels if panel.letter == letter)
    assert [m.recipe["start"] for m in panel.members] == [
        m.path for m in translated
    ] and panel.space == "pixel"
    for member in panel.members:
        (phase,) = member.recipe["phases"]
        assert phase["augment"]["translate"] == (member.strength if kept else 0) and phase["augment"]["flip"]
        assert phase["method"]["pgd"]["eps"] == pytest.approx(8 / 255) and phase["epochs"] == 120


def test_every_claim_that_is_asked_for_is_there(catalog):
    assert set(catalog.claims["invariance"]) >= {f"I{k}" for k in range(1, 8)}
    assert set(catalog.claims["tradeoff"]) >= {f"T{k}" for k in (*range(1, 11), 12, 13)}
    assert {"C9", "T14"} <= set(catalog.claims["cusp"])
    spaces = catalog.claims["tradeoff"]["T1"]["tests"]["number"]["panels"]
    assert spaces == ["b", "b'"]


def test_what_a_claim_compares_with_is_aggregated_for_it(catalog, full_config, specs, edit):
    assert {"fig2", "fig12"} <= set(catalog.claimed_targets("tradeoff"))
    edit("tradeoff.yaml", {"claims": {"T": {"says": "", "in": "fig12", "tests": {"kept": {"panels": ["a"], "below": 1,
        "kept": {"strengths": [0, 0.4], "other": "fig2.e"}}}}}})  # fmt: skip
    assert load(full_config, specs).claimed_targets("tradeoff") == ["fig12", "fig2"]


@pytest.mark.parametrize("other", ["fig2.z", "fig99.a", "z"])
def test_a_claim_that_compares_with_a_panel_that_is_not_there_is_refused(full_config, specs, edit, other):
    edit("tradeoff.yaml", {"claims.T7.tests.most of the gain lost.kept.other": other})
    with pytest.raises(CatalogError, match=r"^.*tradeoff\.yaml: claims\.T7\..*(no panel|no figure)[^\n]*$"):
        load(full_config, specs)


def test_a_boundary_and_a_history_tell_clean_accuracy_by_what_other_figures_evaluate(catalog):
    for paper, name in (("tradeoff", "fig13"), ("features", "figB")):
        target = catalog.targets[paper, name]
        others = {
            pair
            for (of, other), one in catalog.targets.items()
            if of == paper and other != name
            for pair in one.evaluations()
        }
        asked = target.evaluations()
        assert set(asked) <= others, "no evaluation is made for it"
        assert {path for path, _ in asked} == {m.path for panel in target.panels for m in panel.members}
        for panel in target.panels:
            for profile in panel.lines[0].profiles.values():
                assert not any(profile.settings["input"].values()) and profile.settings["space"] == "pixel"


def test_a_figure_of_two_papers_has_its_numbers_from_the_first(catalog):
    twins = {key: catalog.twin(target) for key, target in catalog.targets.items()}
    found = {key: (twin.paper, twin.name) for key, twin in twins.items() if twin}
    assert found == {("cusp", name): ("tradeoff", first) for name, first in REPEATS.items()}
