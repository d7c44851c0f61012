"""Attack checks: a line of the config adds a figure of stronger attacks, which trains nothing new."""

import re
from pathlib import Path

import pytest

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.reporting.captions import caption, figure

ROOT = Path(__file__).parents[1]
ATTACKS = {"pgd", "check_restarts", "check_relative", "check_autoattack"}


@pytest.fixture
def checked(full_config):
    return lambda *figures: load(full_config | {"attack_check": list(figures)}, ROOT / "figures")


def test_it_is_off_in_the_full_configuration(full_config):
    assert full_config["attack_check"] == []
    assert not [name for _, name in load(full_config, ROOT / "figures").targets if "attack_check" in name]


def test_each_network_and_family_that_pgd_attacks_in_pixels_is_a_panel(checked):
    catalog = checked("tradeoff/fig2")
    fig2, added = (catalog.targets["tradeoff", name] for name in ("fig2", "fig2_attack_check"))
    assert [panel.letter for panel in added.panels] == ["b", "d", "f", "h", "l", "p"]  # b' is b, normalised
    attacked = {
        (p.data, p.model, p.family) for p in fig2.panels if p.lines[0].metric == "one_minus_fooling_rate"
    }
    assert {(p.data, p.model, p.family) for p in added.panels} == attacked
    assert set(added.paths()) == set(fig2.paths()), "no other run"
    assert set(added.evaluations()) & set(fig2.evaluations()), "the figure's PGD is not made again"


def test_the_attacks_are_restarts_relative_steps_and_autoattack_at_one_eps(checked):
    for name, eps in (("invariance/fig1", 0.1), ("invariance/fig2", 2 / 255)):
        paper, target = name.split("/")
        for panel in checked(name).targets[paper, f"{target}_attack_check"].panels:
            path = panel.members[0].path
            profiles = {line.profiles[path].key: line.profiles[path].settings for line in panel.lines}
            assert profiles.keys() == ATTACKS
            assert {line.metric for line in panel.lines} == {"robust_accuracy"}
            assert {x for line in panel.lines for x in line.at.values()} == {eps}
            assert profiles["check_restarts"] == profiles["pgd"] | {"restarts": 10, "grid": [eps]}
            assert profiles["check_relative"] == profiles["pgd"] | {"step": "relative", "grid": [eps]}
            standard = {"attack": "autoattack", "steps": 100, "targets": 9, "queries": 5000, "grid": [eps]}
            assert profiles["check_autoattack"].items() >= standard.items()


def test_the_same_panel_in_two_metrics_is_checked_once_and_the_caption_tells_eps(checked):
    catalog = checked("tradeoff/fig1")
    target = catalog.targets["tradeoff", "fig1_attack_check"]
    assert [panel.letter for panel in target.panels] == ["a"]
    assert "at eps 2/255" in caption(catalog, target) and "climb the true label" in caption(catalog, target)
    (panel,) = figure(catalog, target).panels
    assert panel.kind == "strength" and len(panel.lines) == 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tradeoff/fig22", "config: attack_check: unknown figure 'tradeoff/fig22'"),
        ("tradeoff/theory", "config: attack_check: tradeoff/theory has no panels"),
        ("cusp/fig5", "config: attack_check: cusp/fig5 has no panel of PGD in pixels"),
    ],
)
def test_a_figure_without_pgd_is_one_line(checked, name, message):
    with pytest.raises(CatalogError, match=message):
        checked(name)


def test_a_users_own_model_is_checked_beside_the_papers(full_config, tmp_path):
    (tmp_path / "mine.py").write_text("")
    mine = {"label": "Mine", "file": str(tmp_path / "mine.py"), "builder": "build", "data": "mnist"}
    config = full_config | {"own": {"mine": mine | {"figures": ["invariance/fig1"]}}}
    catalog = load(config | {"attack_check": ["invariance/fig1"]}, ROOT / "figures")
    target = catalog.targets["invariance", "fig1_attack_check"]
    assert [(panel.model, panel.family) for panel in target.panels] == [
        ("stdcnn", "rotate"),
        ("mine", "given"),
    ]


def test_a_dry_run_plans_it(dry_run, demo_config):
    config = demo_config | {"attack_check": ["invariance/fig1"], "papers": ["invariance"]}
    config |= {"evaluate": "by_profile", "budget": config["budget"] | {"members": {"rotate": [0, 180]}}}
    wanted = f"{demo_config['results']}/figures/invariance/fig1_attack_check.pdf"
    status, said = dry_run(config, "--", wanted)
    assert status == 0, said
    jobs = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    assert (jobs["train"], jobs["evaluate_profile"], jobs["aggregate"], jobs["draw"]) == (2, 8, 1, 1)
