"""Random rotations and translations of image batches, and the augmentations of the training recipes.

Nearest neighbour, black fill, one rotation and shift per image. A batch is resampled by one gather from the
images with a black border one pixel wide, on which every position outside is clamped: about three times as
fast as `grid_sample` on a CPU, free of arithmetic on the pixels, and the same for uint8 and float. Numbers are
copied to a GPU with `non_blocking`: a blocking copy would wait for all work that was queued before it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from spatial_adversarial.transforms.strengths import STRENGTHS


def _sample(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pixels of images [N, C, H, W] at float rows and columns that broadcast to [N, H, W]; black outside."""
    n, channels, height, width = images.shape
    rows = rows.round().clamp(-1, height) + 1
    columns = columns.round().clamp(-1, width) + 1
    index = (rows * (width + 2) + columns).long().reshape(n, 1, -1).expand(n, channels, -1)
    return functional.pad(images, (1, 1, 1, 1)).flatten(2).gather(2, index).view(images.shape)


def _axes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Row numbers [H, 1] and column numbers [W] as float32."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, dtype=torch.float32, device=images.device)[:, None]
    return rows, torch.arange(width, dtype=torch.float32, device=images.device)


def _per_image(values: Tensor, images: Tensor) -> Tensor:
    """Values [N, ...] as float32 [N, 1, 1, ...] on the images' device."""
    if len(values) != len(images):
        raise ValueError(f"{len(values)} parameters for {len(images)} images")
    return values.to(images.device, torch.float32)[:, None, None]


def move(images: Tensor, pixels: Tensor) -> Tensor:
    """Images moved right and down by whole pixels [N, 2] (x, y)."""
    rows, columns = _axes(images)
    pixels = _per_image(pixels, images)
    return _sample(images, rows - pixels[..., 1], columns - pixels[..., 0])


def _whole_pixels(shift: Tensor, images: Tensor) -> Tensor:
    """Shifts [N, 2] (x, y) as fractions of the side, in pixels, rounded half to even."""
    height, width = images.shape[-2:]
    return (shift * torch.tensor([width, height]).to(shift, non_blocking=True)).round()


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Rotate each image about its centre, counter-clockwise, as torchvision's `rotate` does.

    images: [N, C, H, W], uint8 or float; degrees: [N]. Returns new images of the same shape and dtype.
    """
    return rotate_translate(images, degrees, degrees.new_zeros(len(degrees), 2))


def translate(images: Tensor, shift: Tensor) -> Tensor:
    """Shift each image by a fraction of its side, rounded to whole pixels.

    images: [N, C, H, W], uint8 or float; shift: [N, 2] as (x, y), positive to the right and down.
    """
    return move(images, _whole_pixels(shift, images))


def rotate_translate(images: Tensor, degrees: Tensor, shift: Tensor) -> Tensor:
    """Rotate each image about its centre, then shift it: torchvision's `affine` at angle -degrees.

    images: [N, C, H, W], uint8 or float; degrees: [N], counter-clockwise; shift: [N, 2] as in `translate`.
    """
    height, width = images.shape[-2:]
    rows, columns = _axes(images)
    pixels = _per_image(_whole_pixels(shift, images), images)
    # cosine and sine in double, so that a right angle is exact to float32
    radians = torch.deg2rad(_per_image(degrees, images).double())
    cos, sin = radians.cos().float(), radians.sin().float()
    x = columns - (width - 1) / 2 - pixels[..., 0]
    y = rows - (height - 1) / 2 - pixels[..., 1]
    return _sample(images, x * sin + y * cos + (height - 1) / 2, x * cos - y * sin + (width - 1) / 2)


@dataclass(frozen=True)
class Kind:
    """A random transform: its strength's unit and largest value, what it draws and how it applies that."""

    unit: str
    limit: int
    spans: tuple[float, ...]  # half-width of each parameter's uniform range at strength 1
    apply: Callable[[Tensor, Tensor], Tensor]  # images and parameters [N, len(spans)] -> images


KINDS: dict[str, Kind] = {
    "rotate": Kind(*STRENGTHS["rotate"], (1.0,), lambda images, drawn: rotate(images, drawn[:, 0])),
    "translate": Kind(*STRENGTHS["translate"], (1.0, 1.0), translate),
    "rotate_translate": Kind(
        *STRENGTHS["rotate_translate"],
        (180.0, 1.0, 1.0),
        lambda images, drawn: rotate_translate(images, drawn[:, 0], drawn[:, 1:]),
    ),
}


def _kind(kind: str, strength: float) -> Kind:
    """The named kind; ValueError for an unknown name or a strength outside its range."""
    if kind not in KINDS:
        raise ValueError(f"unknown transform {kind!r}: expected one of {', '.join(KINDS)}")
    if not 0 <= strength <= KINDS[kind].limit:
        raise ValueError(f"{kind} {strength} is outside 0..{KINDS[kind].limit:g} ({KINDS[kind].unit})")
    return KINDS[kind]


def draw(
    kind: str, strength: float, n: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Draw each of n images' parameters uniformly in plus or minus its span times the strength.

    kind: a key of `KINDS`; strength: degrees 0..180 for "rotate", else a fraction of the side i in 0..1
    ("rotate_translate" turns by up to 180 i degrees and shifts by up to i). Returns float32 [n, P] on
    `device`: degrees [n, 1], shifts [n, 2] (x, y) or degrees and shifts [n, 3]. ValueError for an unknown
    kind or a strength out of range.
    """
    spans = (torch.tensor(_kind(kind, strength).spans) * strength).to(generator.device, non_blocking=True)
    unit = torch.rand(n, len(spans), generator=generator, device=generator.device)
    return ((2 * unit - 1) * spans).to(device)


def random_transform(images: Tensor, kind: str, strength: float, generator: torch.Generator) -> Tensor:
    """Transform each image by its own `draw`; strength 0 draws nothing and returns the images themselves.

    images: [N, C, H, W], uint8 or float. ValueError as `draw`.
    """
    transform = _kind(kind, strength)
    if strength == 0:
        return images
    return transform.apply(images, draw(kind, strength, len(images), generator, images.device))
