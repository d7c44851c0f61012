"""Passes of one image, counted by hand: a forward pass is 1, a step of an attack 2, a training step 3."""

import pytest

from spatial_adversarial.planning.costs import example_passes, profile_passes, training_passes

COUNTED = {
    "natural": ({}, 3),
    "pgd": ({"pgd": {"steps": 7}}, 7 * 2 + 3),
    "trades": (
        {"trades": {"steps": 10}},
        1 + 10 * 2 + 2 * 3 + 1,
    ),  # its target, the loss of two images, BN's pass
    "fat": ({"fat": {"steps": 10}}, 10 * 2 + 3),
    "ates": ({"ates": {"steps": 10}}, 10 * 2 + 3),
    "oaat": ({"oaat": {"steps": {"values": [5, 10]}}}, (10 * 2 + 2 * 3 + 1) * 1.25),
}


@pytest.mark.parametrize(("spec", "passes"), COUNTED.values(), ids=COUNTED)
def test_each_training_method_costs_what_it_passes(spec, passes):
    assert example_passes(spec) == passes
    phase = {"epochs": 2, "method": spec}
    recipe = {"batch": 50, "split": {"validation": 10}, "phases": [phase]}
    assert training_passes(recipe, 100) == 200 * passes + 2 * 10
    clean_too = (
        2 if {"trades", "oaat"} & spec.keys() else 1
    )  # weights are perturbed by the whole loss once more
    recipe["phases"] = [phase | {"awp": {"gamma": 0.005}}]
    assert training_passes(recipe, 100) == 200 * (passes + 3 * clean_too) + 2 * 10


@pytest.mark.parametrize(
    ("profile", "classes", "passes"),
    [
        ({"transform": "rotate", "grid": [0, 30], "draws": 5}, 10, 1 + 5 * 2),
        ({"attack": "deepfool", "grid": [0]}, 4, 1 + 3 * (2 + 4)),
        ({"attack": "deepfool", "grid": [0]}, 100, 1 + 3 * (2 + 10)),
        ({"attack": "spatial", "grid": [30], "turns": 5, "shifts": 3, "pixels": 1}, 10, 1 + 5 * 3 * 3),
        ({"attack": "square", "grid": [0.1], "queries": 20}, 10, 1 + 20),
        (
            {"attack": "pgd", "grid": [0, 0.1], "step": 0.1, "steps": 5, "restarts": 2},
            10,
            1 + 2 * 1.25 * (5 * 2 + 1),
        ),
        (
            {"attack": "pgd", "grid": [0.1], "step": 0.1, "steps": 5, "restarts": 1, "loss": "kl"},
            10,
            1 + 5 * 2 + 1,
        ),
        ({"attack": "gama", "grid": [0.1], "steps": 5, "restarts": 1}, 10, 1 + 5 * 2 + 1),
    ],
)
def test_each_profile_costs_what_it_passes(profile, classes, passes):
    assert profile_passes({"draws": 1} | profile, 100, classes) == 100 * passes
