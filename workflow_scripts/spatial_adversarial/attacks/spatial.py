"""Worst-case rotations and translations over a grid (Engstrom et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import FORWARD, Perturbation, attack_mode
from spatial_adversarial.attacks.block import Block, Found
from spatial_adversarial.settings.fields import setting

if TYPE_CHECKING:
    from torch import Tensor, nn


def grid(degrees: float, turns: int, pixels: float, shifts: int) -> Tensor:
    """Every pose of a grid, float32 [turns * shifts^2, 3]: degrees counter-clockwise, pixels right, pixels down.

    `turns` rotations lie evenly in +-`degrees`, `shifts` shifts evenly in +-`pixels` in each direction; one of
    them is 0. Poses far from the identity come first: they fool most images, which then need no others.
    """
    import torch

    angles, steps = _even(degrees, turns), _even(pixels, shifts)
    poses = torch.cartesian_prod(angles, steps, steps)
    size = torch.tensor([degrees or 1, pixels or 1, pixels or 1])
    return poses[(poses / size).abs().sum(1).argsort(descending=True, stable=True)]


def _even(limit: float, count: int) -> Tensor:
    import torch

    return torch.arange(1 - count, count, 2) * (limit / max(1, count - 1))


def pose(x: Tensor, poses: Tensor, *, shift_first: bool = False) -> Tensor:
    """Each image in each pose, rotated about its centre and then shifted, or the reverse: bilinear, black outside.

    x: float [N, C, H, W]; poses: [P, 3] as `grid` gives them. Returns [P, N, C, H, W]. The corners of the
    sampling grid are the centres of the corner pixels (align_corners=True).
    """
    import torch
    from torch.nn import functional

    height, width = x.shape[-2:]
    across, down = 2 / (width - 1), 2 / (height - 1)
    matrices = []
    for degrees, right, below in poses.tolist():
        # where the pixel at (u, v) comes from: what was done last is undone first
        c, s = cos(radians(degrees)), sin(radians(degrees))
        rotation = [[c, -s * across / down], [s * down / across, c]]
        shift = [right * across, below * down]
        if not shift_first:
            shift = [row[0] * shift[0] + row[1] * shift[1] for row in rotation]
        matrices.append([[*row, -moved] for row, moved in zip(rotation, shift, strict=True)])
    theta = torch.tensor(matrices, dtype=x.dtype, device=x.device)
    places = functional.affine_grid(theta, [len(poses), *x.shape[1:]], align_corners=True)
    # the images of one pose share its places, so they are sampled as channels of one image
    sampled = functional.grid_sample(
        x.flatten(0, 1).expand(len(poses), -1, -1, -1), places, padding_mode="zeros", align_corners=True
    )
    return sampled.unflatten(1, x.shape[:2])


def worst_pose(
    model: nn.Module, x: Tensor, y: Tensor, poses: Tensor, *, batch: int, shift_first: bool = False
) -> Tensor:
    """Predictions int64 [N] in the first pose that fools the model, or in the last where none does.

    x: float [N, C, H, W] in [0, 1]; y: labels [N]; poses: [P, 3], as `pose` takes them. An image that is wrong as it
    is keeps that prediction: it needs no attack. Images already fooled leave the search, and the poses that are
    tried at once fill `batch` images with those that stay.
    """
    import torch

    with attack_mode(model), torch.no_grad():
        prediction = model(x).argmax(1)
        left = (prediction == y).nonzero().flatten()
        tried = 0
        while tried < len(poses) and len(left):
            some = poses[tried : tried + max(1, batch // len(left))]
            guess = (
                model(pose(x[left], some, shift_first=shift_first).flatten(0, 1))
                .argmax(1)
                .view(len(some), len(left))
            )
            wrong = guess != y[left]
            fooled = wrong.any(0)
            first = wrong.int().argmax(0, keepdim=True)
            prediction[left] = guess.gather(0, first)[0]  # an image that stays is right in each pose
            left, tried = left[~fooled], tried + len(some)
    return prediction


@dataclass(frozen=True, kw_only=True)
class Spatial(Perturbation):
    """The worst pose of a grid of rotations in +- the point's degrees, and of shifts."""

    name = "spatial"
    label = "Worst pose"
    unit = "degrees"
    limit = 180
    spaces = ("pixel",)
    deterministic = True
    joins_blocks = True
    turns: int = setting("Rotations, evenly in +- the point's degrees.", type="integer", minimum=1)
    pixels: float = setting("Shifts go up to so many pixels.", type="number", minimum=0)
    shifts: int = setting("Shifts in each direction, evenly.", type="integer", minimum=1)
    first: str = setting("What is done first.", default="rotation", enum=["rotation", "shift"])

    def keeps_clean(self, point: float) -> bool:
        return False  # it may shift without a rotation

    def words(self, point: float) -> list[str]:
        shifts = f" and {self.shifts} × {self.shifts} shifts of up to {self.pixels:g} px"
        return [f"worst of {self.turns} rotations in ±{point:g}°" + (shifts if self.shifts > 1 else "")]

    def passes(self, point: float, classes: int) -> float:
        # at most: an image that is fooled leaves the search
        return self.turns * self.shifts**2 * FORWARD

    def predictions(self, block: Block, point: float) -> Found:
        import torch

        poses = grid(point, self.turns, self.pixels, self.shifts)
        parts = zip(block.pixels().split(block.batch), block.labels.split(block.batch), strict=True)
        found = [
            worst_pose(block.space.model, x, y, poses, batch=block.batch, shift_first=self.first == "shift")
            for x, y in parts
        ]
        return {"prediction": torch.cat(found)}


ATTACK = Spatial
