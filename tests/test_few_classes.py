"""AutoAttack on data with fewer than ten classes: only what is defined is run, and told."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from spatial_adversarial.attacks.autoattack import autoattack
from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.planning.costs import profile_passes
from spatial_adversarial.reporting.attack_settings import attack_words

FEW = {"steps": 5, "queries": 10}


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_autoattack_finds_what_a_linear_network_has(classes):
    """Of a linear network the least L-inf distance to the boundary is known: the margin over the L1 norm."""
    torch.manual_seed(classes)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, classes, bias=False)).eval()
    x = torch.full((40, 1, 4, 4), 0.5) + 0.2 * (torch.rand(40, 1, 4, 4) - 0.5)  # no pixel meets 0 or 1
    y = network(x).argmax(1)
    weights, logits = network[1].weight.detach(), network(x).detach()
    margins = logits.gather(1, y[:, None]) - logits
    norms = (weights[y][:, None] - weights[None]).abs().sum(2)
    distance = (margins / norms).masked_fill(torch.eye(classes)[y].bool(), torch.inf).amin(1)
    eps = distance.median().item() + 1e-4
    settings = FEW | {"targets": classes - 1, "targeted_apgd": classes > 3}
    moved = autoattack(network, x, y, eps=eps, seed=0, **settings | {"steps": 20})
    fooled = network(moved).argmax(1) != y
    assert not fooled[distance > eps + 1e-4].any()
    assert fooled[distance < 0.9 * eps].all()


@pytest.mark.parametrize(("classes", "targets", "targeted"), [(5, 9, True), (3, 2, True), (2, 2, False)])
def test_a_setting_that_cannot_be_is_told(classes, targets, targeted):
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, classes))
    x, y = torch.rand(2, 1, 2, 2), torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match=rf"but the network tells {classes} classes"):
        autoattack(network, x, y, eps=0.1, seed=0, targets=targets, targeted_apgd=targeted, **FEW)


def of_autoattack(config, folder):
    """The lines of AutoAttack of the attack check of tradeoff/fig2."""
    target = load(config, folder).targets["tradeoff", "fig2_attack_check"]
    return [line for panel in target.panels for line in panel.lines if line.label == "AutoAttack"]


def few(edited, classes: int, **profile) -> dict:
    over = {"data": {"cifar10": {"classes": classes}}, "profiles": {"check_autoattack": profile}}
    return edited({"papers": ["tradeoff"], "attack_check": ["tradeoff/fig2"], "overrides": over})


@pytest.mark.parametrize(
    ("classes", "targets", "told"),
    [
        (10, 9, "eps 2/255, standard version"),
        (5, 4, "eps 2/255, not the standard version, 100 steps, 4 targets, 5,000 queries"),
        (3, 2, "2 targets, 5,000 queries, of APGD-CE, targeted FAB and Square"),
        (2, 1, "1 targets, 5,000 queries, of APGD-CE, targeted FAB and Square"),
    ],
)
def test_the_catalog_takes_what_fits_the_classes_and_says_so(edited, specs, classes, targets, told):
    config = few(edited, classes)
    lines = of_autoattack(config, specs)
    note = load(config, specs).targets["tradeoff", "fig2_attack_check"].spec["note"]
    assert ("APGD-CE, targeted FAB and Square" in note) == (classes < 4)
    assert lines
    for line in lines:
        (path, profile), *_ = line.profiles.items()
        line = replace(line, profiles={path: profile}, at={path: line.at[path]})
        settings = profile.settings
        assert settings["targets"] == targets and settings["targeted_apgd"] == (classes > 3)
        said = attack_words(line)
        print(f"{classes} classes: {said}")
        assert told in said
        # APGD alone and by target (2 passes a step), FAB by target (2 and 1), Square (1), the clean image (1)
        apgd = 1 + targets * (classes > 3)
        assert profile_passes(settings, 1, classes) == 1 + 100 * (2 * apgd + 3 * targets) + 5000


def test_more_targets_than_classes_are_refused_before_any_job(edited, specs):
    with pytest.raises(CatalogError) as refused:
        of_autoattack(few(edited, 5, targets=7), specs)
    print(refused.value)
    assert "profiles.check_autoattack" in str(refused.value)
    assert str(refused.value).endswith(".targets: 7, but CIFAR-10 has 4 other classes")
