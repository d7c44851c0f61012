"""What a profile may do to test images, an attack a file; the registry finds the files by itself.

No file imports torch before it computes: the catalog, the plan and captions read settings, passes and words from here.
"""

from spatial_adversarial.attacks.base import Perturbation
from spatial_adversarial.attacks.random_transforms import TRANSFORMS
from spatial_adversarial.settings.fields import made
from spatial_adversarial.settings.registry import discover

ATTACKS = discover(__name__, "ATTACK", path=__path__)
PERTURBATIONS: dict[str, dict[str, type[Perturbation]]] = {  # {key of a profile: {name: class}}
    "transform": {kind.name: kind for kind in TRANSFORMS},
    "attack": {kind.name: kind for kind in ATTACKS.values()},
}


def perturbation(settings: dict) -> Perturbation:
    """What a canonical profile does to test images."""
    key = next(key for key in PERTURBATIONS if key in settings)
    return made(PERTURBATIONS[key][settings[key]], settings)
