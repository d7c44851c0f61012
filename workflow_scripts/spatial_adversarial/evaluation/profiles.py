"""Profiles of a trained network: per-image predictions at each point of a grid, on any of its attack spaces."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.block import BLOCK, ROWS, Block, Found, joined, predict
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.evaluation.finite import finite
from spatial_adversarial.evaluation.resume import Kept, not_kept
from spatial_adversarial.records.evaluation import Evaluation, Pictures
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.runner.seeds import derive
from spatial_adversarial.transforms.pixels import to_float
from spatial_adversarial.transforms.spatial import random_transform

log = logging.getLogger(__name__)

# the rows of an evaluation that are true or false: false where the images are clean
FLAGS = ("zero_gradient",)

Tell = Callable[[str], None]
Attacked = Callable[[Block, float], Found]  # the predictions of a block at a point


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

    def watched(self) -> dict[str, nn.Module]:
        """Its networks, by whose logits they give, in words."""
        source = {" of the network that the attack is made on": self.attacked}
        return {"": self.model} | (source if self.attacked is not self.model else {})

    def clean(self, x: Tensor) -> Tensor:
        """The clean inputs of pixels x [N, C, H, W]: what eps 0 leaves, clamp(inputs, low, high)."""
        return self.inputs(x).clamp(self.low, self.high)


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: ImageSet,
    profile: ProfileSettings,
    *,
    batch: int = BLOCK,
    tell: Tell = print,
    kept: Kept = not_kept,
    source: nn.Module | None = None,
    smaller: Evaluation | None = None,
) -> Evaluation:
    """One profile of a network in eval mode.

    images: test images on the network's device. `batch`, how many of them a network takes at once, bounds the memory
    and changes no result; where it holds several blocks, an attack may take them together. `tell` is called with a line
    of progress after each point and each attacked block, and `kept` with a block's name and what makes its predictions.
    source: the network of the profile's `source`. Both networks are left as they were. smaller: the evaluation of the
    profile that `survivors_of` names. NotFinite where logits or gradients are no numbers; ValueError for a `smaller`
    that is missing or of other images.
    """
    done = profile.perturbation
    _check_smaller(profile, images, smaller)
    images = _transformed_inputs(images, profile)
    space = Space(network, profile.space, source)
    points: list[Found] = []
    with (
        attack_mode(network),
        attack_mode(source or network),
        finite(space.watched(), images.labels.device) as check,
    ):
        clean = predict(space.model, images.images, batch, space.clean)
        check("on clean images")
        parts = images.images, images.labels, clean, clean
        everything = Block(space, *parts, batch=batch, seed=profile.seed)

        def attacked(block: Block, x: float) -> Found:
            rows = done.predictions(block, x)
            check(f"at {x:g}")  # before a block is kept: the next attempt would take it as it is
            return rows

        for number, x in enumerate(profile.grid):
            for draw in range(profile.draws):
                before = clean if smaller is None else _before(smaller, draw, clean)
                drawn = replace(everything, before=before, names=(draw,))
                points.append(_point(drawn, profile, x, attacked, tell, kept))
            tell(f"point {number + 1} of {len(profile.grid)}")
    shape = (len(profile.grid), profile.draws, len(images))
    found = {name: torch.stack([point[name] for point in points]).view(shape) for name in done.rows}
    found = {name: (row.bool() if name in FLAGS else row).cpu().numpy() for name, row in found.items()}
    if remark := done.remark(profile.grid, found):
        log.warning("%s", remark)
    return Evaluation(
        label=images.labels.cpu().numpy(),
        clean=clean.cpu().numpy(),
        x=np.array(profile.grid, dtype=np.float64),
        pictures=pictures(network, images, profile) if done.pictures else None,
        **found,
    )


def _check_smaller(profile: ProfileSettings, images: ImageSet, smaller: Evaluation | None) -> None:
    if (smaller is not None) != bool(profile.perturbation.survivors_of):
        raise ValueError("`survivors_of` and the evaluation of the profile that it names go together")
    labels = images.labels.cpu().numpy()
    if smaller is not None and not np.array_equal(smaller.label[: len(labels)], labels):
        raise ValueError("the evaluation that `survivors_of` names is of other images")


def _before(smaller: Evaluation, draw: int, clean: Tensor) -> Tensor:
    """The predictions of a draw at the one point of the smaller eps, of as many images as `clean` has."""
    return torch.as_tensor(smaller.prediction[0, draw, : len(clean)]).to(clean)


def _transformed_inputs(images: ImageSet, profile: ProfileSettings) -> ImageSet:
    """The test images, each moved at random first where the profile's `input` says so."""
    for kind, strength in profile.input.items():
        if strength:
            generator = stream(images.images.device, profile, "input", kind, strength)
            moved = random_transform(images.images, kind, strength, generator)
            images = ImageSet(moved, images.labels, images.classes, images.mean, images.std)
    return images


def _point(
    images: Block, profile: ProfileSettings, x: float, attacked: Attacked, tell: Tell, kept: Kept
) -> Found:
    """The rows of the profile's attack or transform at one point and draw, [N] each; `images` are all of them."""
    done = profile.perturbation
    if done.keeps_clean(x):
        return {name: images.clean * (name not in FLAGS) for name in done.rows}
    if not done.in_blocks:
        return attacked(images, x)
    found, blocks = [], _split(images)
    together = max(1, images.batch // BLOCK) if done.joins_blocks else 1
    ahead: dict[int, np.ndarray] = {}  # rows of blocks that went through the network with an earlier one
    for k, block in enumerate(blocks):

        def make(k: int = k) -> np.ndarray:
            if k not in ahead:
                rows = attacked(joined(blocks[k : k + together]), x)
                table = torch.stack([rows[name].long() for name in done.rows]).cpu()
                ahead.update(enumerate((part.numpy() for part in table.split(BLOCK, dim=1)), start=k))
            return ahead.pop(k)

        draw, _ = block.names
        found.append(torch.from_numpy(kept(f"{x:.6f}-{draw}-{k}", make)))
        so_far = min((k + 1) * BLOCK, len(images.labels))
        tell(f"{done.name} at {x:.4f}: {so_far} of {len(images.labels)} images")
    rows = torch.cat(found, dim=1).to(images.clean.device)
    return dict(zip(done.rows, rows, strict=True))


def _split(images: Block) -> list[Block]:
    parts = zip(*(getattr(images, name).split(BLOCK) for name in ROWS), strict=True)
    return [
        replace(images, **dict(zip(ROWS, part, strict=True)), names=(*images.names, k))
        for k, part in enumerate(parts)
    ]


def pictures(network: nn.Module, images: ImageSet, profile: ProfileSettings) -> Pictures:
    """The first images after the attack at each point of the grid, with what the network takes them for."""
    done = profile.perturbation
    x, y = to_float(images.images[: done.pictures]), images.labels[: done.pictures]
    kept, found = [], []
    for point in profile.grid:
        generator = stream(x.device, profile, "pictures", point)
        with attack_mode(network):
            moved = done.picture(network, x, y, point, generator)
            found.append(network(moved).softmax(1).max(1))
        kept.append((255 * moved).round().to(torch.uint8))
    return Pictures(
        images=torch.stack(kept).cpu().numpy(),
        prediction=torch.stack([best.indices for best in found]).cpu().numpy(),
        probability=torch.stack([best.values for best in found]).cpu().numpy(),
    )


def stream(device: torch.device, profile: ProfileSettings, *names) -> torch.Generator:
    """The random stream of that name for a profile."""
    return torch.Generator(device).manual_seed(derive(profile.seed, *names))
