"""What training and evaluation cost: passes of one image through a network, and how fast a device makes them."""

from dataclasses import dataclass, field

from spatial_adversarial import methods
from spatial_adversarial.attacks import perturbation
from spatial_adversarial.attacks.base import FORWARD
from spatial_adversarial.records.recipe import Recipe
from spatial_adversarial.training.schedules import largest

BYTES = {
    "prediction": 1,
    "prediction_predicted": 1,
    "distance": 4,
    "zero_gradient": 0,
}  # of a row of an evaluation


def training_passes(recipe: Recipe, images: float) -> float:
    """Passes of a run's training on `images` training images, each epoch's validation with them."""
    total = 0.0
    for phase in recipe.phases:
        seen = (phase.epochs or 0) * images + (phase.steps or 0) * recipe.batch  # it has one of the two
        validated = seen / images * recipe.split.validation
        method = methods.make(largest(phase.method))
        passes = method.passes
        if phase.awp.gamma:  # the loss once more
            passes += method.loss_passes
        total += seen * passes + validated * FORWARD
    return total


def profile_passes(profile: dict, images: float, classes: int, perturbed: float | None = None) -> float:
    """Passes of a resolved profile on `images` test images: the clean predictions, then each point and draw.

    perturbed: how many of the images the points are made of; None for all.
    """
    done = perturbation(profile)
    passes = sum(done.passes(x, classes) for x in profile["grid"] if not done.keeps_clean(x))
    perturbed = images if perturbed is None else perturbed
    return images * FORWARD + perturbed * profile["draws"] * passes


def profile_bytes(profile: dict, images: float) -> float:
    """Bytes of a profile's evaluation file: one for each compressed prediction, four for each distance.

    The second predictions of PGD, nearly equal to the first, are counted whole; its gradients of 0 are rare.
    """
    values = len(profile["grid"]) * profile["draws"] * images
    return 16_000 + 2 * images + values * sum(BYTES[row] for row in perturbation(profile).rows)


@dataclass(frozen=True)
class Rates:
    """Multiply-adds a second on a `device`, "cpu" or "cuda", by the kind of work: {"train": ..., "evaluate": ...}.

    `measured` is by network (<data>/<model>), `default` serves the others, `source` tells where they come from.
    """

    device: str
    default: dict[str, float]
    source: str
    measured: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        return "GPU-hours" if self.device == "cuda" else "CPU-hours"

    def hours(self, network: str, work: str, multiply_adds: float) -> float:
        return multiply_adds / self.measured.get(network, self.default)[work] / 3600


def find_rates(config: dict, calibration: dict | None = None, *, gpu: bool = True) -> Rates:
    """What calibration.json holds, where it is of the config's device and CPU threads; else the config's `rates`.

    `device: auto` is whatever was measured; where nothing was, the GPU of a machine that has one (`gpu`), else its CPU.
    """
    wanted = config["device"]
    if calibration and wanted in ("auto", calibration["kind"]) and _same_threads(config, calibration):
        machine = f"{calibration['device']}, {calibration['threads']} CPU threads a job"
        source = f"measured by calibrate on {len(calibration['rates'])} networks ({machine})"
        return Rates(calibration["kind"], calibration["median"], source, calibration["rates"])
    device = wanted if wanted != "auto" else "cuda" if gpu else "cpu"
    name = {"cpu": "this CPU", "cuda": "a GPU"}[device]
    rate = config["rates"][device]
    source = f"{rate:.1e} multiply-adds a second, not measured on {name} (the rule calibrate does)"
    return Rates(device, {"train": rate, "evaluate": rate}, source)


def _same_threads(config: dict, calibration: dict) -> bool:
    return calibration["kind"] != "cpu" or calibration["threads"] == config["threads"]
