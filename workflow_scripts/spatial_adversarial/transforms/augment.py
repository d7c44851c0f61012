"""The augmentations of the training recipes: crops, shifts, flips, jitter, AutoAugment, and random transforms."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from spatial_adversarial.transforms.pixels import to_float
from spatial_adversarial.transforms.spatial import KINDS, move, random_transform


def random_crop(images: Tensor, pad: int, generator: torch.Generator) -> Tensor:
    """Crop each image at its own offset from itself with `pad` black pixels on every side.

    images: [N, C, H, W], uint8 or float; offsets are uniform over the (2 pad + 1)^2 positions. pad 0
    changes nothing.
    """
    if pad < 0:
        raise ValueError(f"crop {pad} is negative (pixels)")
    if pad == 0:
        return images
    pixels = torch.randint(-pad, pad + 1, (len(images), 2), generator=generator, device=generator.device)
    return move(images, pixels)


def shift(images: Tensor, pixels: Tensor) -> Tensor:
    """Images float [N, C, H, W] moved right and down by pixels [N, 2] (x, y), not rounded: bilinear, black outside."""
    height, width = images.shape[-2:]
    theta = torch.eye(2, 3, dtype=images.dtype, device=images.device).repeat(len(images), 1, 1)
    # of a sampling grid with aligned corners a pixel is 2 / (side - 1)
    theta[:, :, 2] = (
        -2 * pixels.to(images) / torch.tensor([width - 1, height - 1]).to(images, non_blocking=True)
    )
    places = functional.affine_grid(theta, list(images.shape), align_corners=True)
    return functional.grid_sample(images, places, align_corners=True)


def random_shift(images: Tensor, pixels: float, generator: torch.Generator) -> Tensor:
    """Shift each image by U(-pixels, pixels) of its own in either direction, as `shift` does.

    images: uint8 or float32 in [0, 1]; returns float32. 0 pixels draw nothing and return the images themselves.
    """
    if pixels == 0:
        return images
    unit = torch.rand(len(images), 2, generator=generator, device=generator.device)
    return shift(to_float(images), pixels * (2 * unit - 1))


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image [N, C, H, W] left to right with probability one half."""
    flipped = torch.rand(len(images), generator=generator, device=generator.device) < 0.5
    return torch.where(flipped.to(images.device)[:, None, None, None], images.flip(3), images)


def jitter(images: Tensor, amounts: Tensor) -> Tensor:
    """Multiply each image's brightness, then its contrast, then its saturation, as torchvision's functions do.

    images: float [N, C, H, W] in [0, 1], C 1 or 3; amounts: [N, 3], each 0 or more, 1 changing nothing. Contrast
    is taken about the image's mean grey, saturation about each pixel's; each step is cut to [0, 1].
    """
    brightness, contrast, saturation = amounts.to(images.device, images.dtype)[:, :, None, None, None].unbind(
        1
    )
    images = (images * brightness).clamp(0, 1)
    images = torch.lerp(_grey(images).mean((1, 2, 3), keepdim=True), images, contrast).clamp(0, 1)
    return torch.lerp(_grey(images), images, saturation).clamp(0, 1)


def _grey(images: Tensor) -> Tensor:
    """The images' luma [N, 1, H, W] (ITU-R 601)."""
    if images.shape[1] == 1:
        return images
    weights = torch.tensor([0.2989, 0.587, 0.114], dtype=images.dtype).to(images.device, non_blocking=True)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


def random_jitter(images: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Jitter each image's brightness, contrast and saturation by factors U(1 - amount, 1 + amount) of its own.

    images: uint8 or float32 in [0, 1]; returns float32. amount 0 draws nothing and returns the images themselves.
    """
    if amount == 0:
        return images
    unit = torch.rand(len(images), 3, generator=generator, device=generator.device)
    return jitter(to_float(images), 1 + amount * (2 * unit - 1))


def augment(images: Tensor, augmentation: Mapping[str, float], generator: torch.Generator) -> Tensor:
    """Augment a training batch: crop, flip, AutoAugment, jitter, shift, then the spatial transforms, in this order.

    images: [N, C, H, W], uint8 or float32 in [0, 1]. augmentation: "crop" (pixels of padding), "flip" (bool),
    "autoaugment" (the share of the batch that it is done to; of uint8 alone), "jitter", "shift" (pixels) and the
    strengths of any of `KINDS`; what is missing is left out. Returns float32 in [0, 1]. ValueError for an unknown key
    or a value out of range.
    """
    known = ("crop", "flip", "autoaugment", "jitter", "shift", *KINDS)
    for name in augmentation:
        if name not in known:
            raise ValueError(f"unknown augmentation {name!r}: expected one of {', '.join(known)}")
    images = random_crop(images, augmentation.get("crop", 0), generator)
    if augmentation.get("flip"):
        images = random_flip(images, generator)
    if share := augmentation.get("autoaugment"):
        from spatial_adversarial.transforms.autoaugment import (
            autoaugment,  # torchvision takes a second to import
        )

        some = round(share * len(images))
        images = torch.cat([autoaugment(images[:some], generator), images[some:]])
    images = random_jitter(images, augmentation.get("jitter", 0), generator)
    images = random_shift(images, augmentation.get("shift", 0), generator)
    for name in KINDS:
        images = random_transform(images, name, augmentation.get(name, 0), generator)
    return to_float(images)
