"""Profiles of a trained network: per-image predictions at each point of a grid, on any of its attack spaces."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from spatial_adversarial.attacked import attacked, pictures, predict, stream
from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.deepfool import deepfool
from spatial_adversarial.blocks import Kept, not_kept
from spatial_adversarial.data.images import ImageSet, to_float
from spatial_adversarial.store import Evaluation
from spatial_adversarial.transforms import random_transform

# images that a random start is drawn for at once; results do not depend on how a block is split further
BLOCK = 500

Tell = Callable[[str], None]


class Space:
    """The inputs that an attack moves in: pixels in [0, 1], or the normalised inputs of the papers' code.

    There the network is its body, an image is normalise(x), unclamped, and iterates are clamped to [-1, 1].
    """

    def __init__(self, network: nn.Module, name: str):
        normalized = name == "normalized"
        self.model = network.body if normalized else network
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
) -> Evaluation:
    """One profile of a network in eval mode; `profile` is resolved, as schemas/profile.yaml describes it.

    images: test images on the network's device. `batch` bounds the memory and changes no result. `tell` is
    called with a line of progress after each point and each attacked block, and `kept` with a block's name and
    what makes its predictions. The network is left as it was.
    """
    images = _transformed_inputs(images, profile)
    space = Space(network, profile["space"])
    predictions, distances = [], []
    with attack_mode(network):
        clean = predict(space.model, images.images, batch, space.clean)
        for number, x in enumerate(profile["grid"]):
            for draw in range(profile["draws"]):
                prediction, distance = _point(
                    network, space, images, clean, profile, x, draw, batch, tell, kept
                )
                predictions.append(prediction)
                distances.append(distance)
            tell(f"point {number + 1} of {len(profile['grid'])}")
    shape = (len(profile["grid"]), profile["draws"], len(images))
    return Evaluation(
        label=images.labels.cpu().numpy(),
        clean=clean.cpu().numpy(),
        x=np.array(profile["grid"], dtype=np.float64),
        prediction=torch.stack(predictions).view(shape).cpu().numpy(),
        distance=None if distances[0] is None else torch.stack(distances).view(shape).cpu().numpy(),
        pictures=pictures(network, images, profile) if profile["pictures"] else None,
    )


def _transformed_inputs(images: ImageSet, profile: dict) -> ImageSet:
    """The test images, each moved at random first where the profile's `input` says so."""
    for kind, strength in profile["input"].items():
        if strength:
            generator = stream(images.images.device, profile, "input", kind, strength)
            moved = random_transform(images.images, kind, strength, generator)
            images = ImageSet(moved, images.labels, images.classes, images.mean, images.std)
    return images


def _point(
    network, space, images, clean, profile, x, draw, batch, tell, kept
) -> tuple[Tensor, Tensor | None]:
    """Predictions [N] at one point and draw, and distances [N] where the attack has them."""
    if "transform" in profile:
        generator = stream(images.images.device, profile, profile["transform"], x, draw)
        moved = random_transform(images.images, profile["transform"], x, generator)
        return predict(network, moved, batch), None
    if profile["attack"] == "deepfool":
        found = [deepfool(space.model, space.inputs(to_float(part))) for part in images.images.split(batch)]
        return torch.cat([f.prediction for f in found]), torch.cat([f.distance for f in found])
    if x == 0 and profile["attack"] != "spatial":  # which may shift without a rotation
        return clean, None
    labels = clean if profile["attacked_label"] == "predicted" else images.labels
    predictions, device = [], images.images.device
    for k, block in enumerate(zip(images.images.split(BLOCK), labels.split(BLOCK), strict=True)):

        def make(k: int = k, block: tuple = block) -> np.ndarray:
            return attacked(space, *block, profile, x, (draw, k), batch).cpu().numpy()

        predictions.append(torch.from_numpy(kept(f"{x:.6f}-{draw}-{k}", make)).to(device))
        tell(f"{profile['attack']} at {x:.4f}: {min((k + 1) * BLOCK, len(images))} of {len(images)} images")
    return torch.cat(predictions), None
