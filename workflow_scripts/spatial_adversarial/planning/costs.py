"""What training and evaluation cost: passes of one image through a network, and how fast a device makes them."""

from dataclasses import dataclass, field

from spatial_adversarial.records.climbed_label import climbs_labels

FORWARD = 1
INPUT_GRADIENT = 2  # a step of an attack: forward, and backward to the input alone
TRAIN_STEP = 3  # forward, and backward to the input and to the parameters
DEEPFOOL_STEPS = 3  # that an image takes on average: the method's authors saw fewer
DEEPFOOL_CLASSES = 10
WRONG = 1 / 4  # assumed share of images that are wrong when clean, which PGD attacks a second time

EXAMPLES = {
    "pgd": lambda method: method["steps"] * INPUT_GRADIENT + TRAIN_STEP,
    "trades": lambda method: FORWARD + method["steps"] * INPUT_GRADIENT + 2 * TRAIN_STEP + FORWARD,
    "fat": lambda method: method["steps"] * INPUT_GRADIENT + TRAIN_STEP,  # at most, as the next one
    "ates": lambda method: method["steps"] * INPUT_GRADIENT + TRAIN_STEP,
    # a quarter of the batches, at the end, see a third image or a second network
    "oaat": lambda method: (_most(method["steps"]) * INPUT_GRADIENT + 2 * TRAIN_STEP + FORWARD) * 5 / 4,
}
CLEAN_TOO = {"trades", "oaat"}  # methods whose loss is of the clean image as well


def _most(number) -> float:
    """A number, or the largest that a schedule of steps takes."""
    return max(number["values"]) if isinstance(number, dict) else number


def example_passes(examples: dict) -> float:
    """Passes that a recipe's `examples` take for each training image seen; {} is natural training.

    Raises ValueError for a training method that EXAMPLES does not count.
    """
    if not examples:
        return TRAIN_STEP
    name, method = next(iter(examples.items()))
    if name not in EXAMPLES:
        raise ValueError(f"costs.EXAMPLES does not count the passes of the training method {name!r}")
    return EXAMPLES[name](method)


def training_passes(recipe: dict, images: float) -> float:
    """Passes of a whole run of a canonical recipe on `images` training images, each epoch's validation with them."""
    total = 0.0
    for phase in recipe["phases"]:
        seen = phase["steps"] * recipe["batch"] if "steps" in phase else phase["epochs"] * images
        validated = seen / images * recipe["split"]["validation"]
        passes = example_passes(phase["method"])
        if phase.get("awp", {}).get("gamma"):  # the loss once more
            passes += TRAIN_STEP * (2 if phase["method"].keys() & CLEAN_TOO else 1)
        total += seen * passes + validated * FORWARD
    return total


def profile_passes(profile: dict, images: float, classes: int) -> float:
    """Passes of a resolved profile on `images` test images: the clean predictions, then each point and draw."""
    return images * (FORWARD + profile["draws"] * sum(_point(profile, x, classes) for x in profile["grid"]))


def _point(profile: dict, x: float, classes: int) -> float:
    """Passes of one image at a point; of the attacks that leave fooled images alone, at most."""
    if "transform" in profile:
        return FORWARD
    if profile["attack"] == "deepfool":  # each step: a gradient for each class, and a look at the prediction
        return DEEPFOOL_STEPS * (2 * FORWARD + min(classes, DEEPFOOL_CLASSES))
    if profile["attack"] == "spatial":  # at most: an image that is fooled leaves the search
        return profile["turns"] * profile["shifts"] ** 2
    if profile["attack"] == "square":
        return profile["queries"] * FORWARD
    if profile["attack"] == "autoattack":  # APGD alone and by target; FAB's steps look at the prediction too
        fab = profile["targets"]
        apgd = 1 + fab * profile["targeted_apgd"]
        steps = apgd * INPUT_GRADIENT + fab * (INPUT_GRADIENT + FORWARD)
        return profile["steps"] * steps + profile["queries"] * FORWARD
    attacks = profile["restarts"] * (1 + WRONG * climbs_labels(profile))
    return attacks * (profile["steps"] * INPUT_GRADIENT + FORWARD) if x else 0


def profile_bytes(profile: dict, images: float) -> float:
    """Bytes of a profile's evaluation file: one for each compressed prediction, four for each distance.

    The second predictions of PGD, nearly equal to the first, are counted whole; its gradients of 0 are rare.
    """
    values = len(profile["grid"]) * profile["draws"] * images
    each = 5 if profile.get("attack") == "deepfool" else 1 + climbs_labels(profile)
    return 16_000 + 2 * images + values * each


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
