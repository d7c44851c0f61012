"""Passes of one image, counted by hand: a forward pass is 1, a step of an attack 2, a training step 3."""

import pytest
from small import recipe_of

from spatial_adversarial.methods import METHODS
from spatial_adversarial.planning.costs import profile_passes, training_passes

BALL = {"eps": 0.1, "step": 0.02}
OAAT = {"beta": 2, "alpha": 1, "lpips": 1, "start": 0.01, "imperceptible": 0.05, "largest": 0.1}
OAAT |= {
    "eps": {"schedule": "linear", "from": 0, "to": 0.06},
    "steps": {"schedule": "steps", "values": [5, 10], "at": [2]},
}
COUNTED = {  # (method, passes of a step, of the loss alone, which adversarial weight perturbation takes once more)
    "natural": ({}, 3, 3),
    "pgd": ({"pgd": BALL | {"steps": 7}}, 7 * 2 + 3, 3),
    # its target, the loss of two images, batch norm's pass
    "trades": ({"trades": BALL | {"steps": 10, "beta": 5}}, 1 + 10 * 2 + 2 * 3 + 1, 6),
    "fat": ({"fat": BALL | {"steps": 10, "tau": 1}}, 10 * 2 + 3, 3),
    "ates": ({"ates": BALL | {"steps": 10, "threshold": 0.5}}, 10 * 2 + 3, 3),
    "oaat": ({"oaat": OAAT}, (10 * 2 + 2 * 3 + 1) * 1.25, 6),
}


@pytest.mark.parametrize(("spec", "passes", "of_loss"), COUNTED.values(), ids=COUNTED)
def test_each_training_method_costs_what_it_passes(spec, passes, of_loss):
    phase = {"epochs": 2, "method": spec, "split": {"validation": 10}}
    assert training_passes(recipe_of(**phase), 100) == 200 * passes + 2 * 10
    moved = recipe_of(**phase, awp={"gamma": 0.005})
    assert training_passes(moved, 100) == 200 * (passes + of_loss) + 2 * 10


def test_every_training_method_is_counted():
    assert COUNTED.keys() == METHODS.keys()


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
