"""Profiles of a trained network: per-image predictions at each point of a grid, on any of its attack spaces."""

import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.deepfool import deepfool
from spatial_adversarial.data.images import ImageSet, to_float
from spatial_adversarial.evaluation.finite_logits import finite_logits
from spatial_adversarial.evaluation.predictions import attacked, pictures, predict, rows, stream
from spatial_adversarial.evaluation.resume import Kept, not_kept
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.transforms.spatial import random_transform

log = logging.getLogger(__name__)

ZERO_GRADIENTS = 0.01  # the share of images without a gradient that is worth a warning

# images that a random start is drawn for at once; results do not depend on how a block is split further
BLOCK = 500

Tell = Callable[[str], None]


class Space:
    """The inputs that an attack moves in: pixels in [0, 1], or the normalised inputs of the papers' code.

    There the network is its body, an image is normalise(x), unclamped, and iterates are clamped to [-1, 1].
    `attacked` is the network whose gradients PGD climbs: `source` in a transfer attack, else the model itself.
    """

    def __init__(self, network: nn.Module, name: str, source: nn.Module | None = None):
        normalized = name == "normalized"
        self.model = network.body if normalized else network
        self.attacked = source or self.model
        self.inputs = network.normalise if normalized else lambda x: x
        self.low, self.high = (-1.0, 1.0) if normalized else (0.0, 1.0)

    def clean(self, x: Tensor) -> Tensor:
        """The clean inputs of pixels x [N, C, H, W]: what eps 0 leaves, clamp(inputs, low, high)."""
        return self.inputs(x).clamp(self.low, self.high)


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: ImageSet,
    profile: dict,
    *,
    batch: int = BLOCK,
    tell: Tell = print,
    kept: Kept = not_kept,
    source: nn.Module | None = None,
) -> Evaluation:
    """One profile of a network in eval mode; `profile` is resolved, as schemas/profile.yaml describes it.

    images: test images on the network's device. `batch` bounds the memory and changes no result. `tell` is
    called with a line of progress after each point and each attacked block, and `kept` with a block's name and
    what makes its predictions. source: the network of the profile's `source`. Both networks are left as they were.
    NonFiniteLogits where the logits are no numbers.
    """
    images = _transformed_inputs(images, profile)
    space = Space(network, profile["space"], source)
    points: list[dict[str, Tensor]] = []
    with (
        attack_mode(network),
        attack_mode(source or network),
        finite_logits(space.model, images.labels.device) as check,
    ):
        clean = predict(space.model, images.images, batch, space.clean)
        check("on clean images")
        for number, x in enumerate(profile["grid"]):
            for draw in range(profile["draws"]):
                points.append(_point(network, space, images, clean, profile, x, draw, batch, tell, kept))
                check(f"at {x:g}")
            tell(f"point {number + 1} of {len(profile['grid'])}")
    shape = (len(profile["grid"]), profile["draws"], len(images))
    found = {name: torch.stack([point[name] for point in points]).view(shape) for name in points[0]}
    if "zero_gradient" in found:
        _tell_of_zero_gradients(profile["grid"], found["zero_gradient"])
    return Evaluation(
        label=images.labels.cpu().numpy(),
        clean=clean.cpu().numpy(),
        x=np.array(profile["grid"], dtype=np.float64),
        pictures=pictures(network, images, profile) if profile["pictures"] else None,
        **{name: values.cpu().numpy() for name, values in found.items()},
    )


def _tell_of_zero_gradients(grid: list[float], zero: Tensor) -> None:
    """Warn where PGD left more than a hundredth of the images standing at a gradient of exactly 0, bool [P, D, N]."""
    share, point = zero.float().mean(dim=(1, 2)).max(dim=0)
    if share > ZERO_GRADIENTS:
        log.warning(
            "PGD left %.1f%% of the images standing at %g because their gradient is exactly 0: the network may be "
            "less robust than it looks; try an attack without gradients, such as square",
            100 * share,
            grid[point],
        )


def _transformed_inputs(images: ImageSet, profile: dict) -> ImageSet:
    """The test images, each moved at random first where the profile's `input` says so."""
    for kind, strength in profile["input"].items():
        if strength:
            generator = stream(images.images.device, profile, "input", kind, strength)
            moved = random_transform(images.images, kind, strength, generator)
            images = ImageSet(moved, images.labels, images.classes, images.mean, images.std)
    return images


def _point(network, space, images, clean, profile, x, draw, batch, tell, kept) -> dict[str, Tensor]:
    """Predictions [N] at one point and draw, and what else an `Evaluation` has of its attack."""
    if "transform" in profile:
        generator = stream(images.images.device, profile, profile["transform"], x, draw)
        moved = random_transform(images.images, profile["transform"], x, generator)
        return {"prediction": predict(network, moved, batch)}
    if profile["attack"] == "deepfool":
        found = [deepfool(space.model, space.inputs(to_float(part))) for part in images.images.split(batch)]
        return {name: torch.cat([getattr(f, name) for f in found]) for name in ("prediction", "distance")}
    names = rows(profile)
    if x == 0 and profile["attack"] != "spatial":  # which may shift without a rotation
        found = torch.stack([clean * (name != "zero_gradient") for name in names])
    else:
        found = _attacked_blocks(space, images, clean, profile, x, draw, batch, tell, kept)
    return {
        name: row.bool() if name == "zero_gradient" else row for name, row in zip(names, found, strict=True)
    }


def _attacked_blocks(space, images, clean, profile, x, draw, batch, tell, kept) -> Tensor:
    """The rows of `attacked` at one point and draw, int64 [rows, N], block after block."""
    found, parts = [], (images.images, images.labels, clean)
    for k, block in enumerate(zip(*(part.split(BLOCK) for part in parts), strict=True)):

        def make(k: int = k, block: tuple = block) -> np.ndarray:
            return attacked(space, *block, profile, x, (draw, k), batch).cpu().numpy()

        found.append(torch.from_numpy(kept(f"{x:.6f}-{draw}-{k}", make)))
        tell(f"{profile['attack']} at {x:.4f}: {min((k + 1) * BLOCK, len(images))} of {len(images)} images")
    return torch.cat(found, dim=1).to(clean.device)
