"""AutoAugment on batches: torchvision's policies and operations, one sub-policy an image."""

import torch
from torch import Tensor
from torchvision.transforms.autoaugment import AutoAugment, AutoAugmentPolicy, InterpolationMode, _apply_op

CIFAR = AutoAugment(AutoAugmentPolicy.CIFAR10)
BINS = 10


def autoaugment(images: Tensor, generator: torch.Generator) -> Tensor:
    """CIFAR's policies (Cubuk et al. 2018) on uint8 images [N, C, H, W]; new images of the same shape and dtype.

    Each image draws one sub-policy, and for each of its two operations whether it is done and its sign; the images
    that drew alike are moved together. Black fill, nearest neighbour, as torchvision's own class, which draws once
    for the whole batch. ValueError for images that are not uint8.
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"autoaugment takes uint8 images, not {images.dtype}")
    images = images.clone()
    size = (len(images), 2)
    policies = torch.randint(
        len(CIFAR.policies), (len(images),), generator=generator, device=generator.device
    )
    chances = torch.rand(size, generator=generator, device=generator.device)
    signs = torch.randint(0, 2, size, generator=generator, device=generator.device)
    drawn = torch.cat([policies[:, None], signs], 1).cpu()
    chances = chances.cpu()
    for k, policy in enumerate(CIFAR.policies):
        for place, operation in enumerate(policy):
            for sign in (0, 1):
                done = (
                    (drawn[:, 0] == k) & (drawn[:, 1 + place] == sign) & (chances[:, place] <= operation[1])
                )
                chosen = done.nonzero()[:, 0].to(images.device)
                if len(chosen):
                    images[chosen] = apply(images[chosen], operation, negative=not sign)
    return images


def apply(images: Tensor, operation: tuple[str, float, int | None], negative: bool) -> Tensor:
    """One operation (name, probability, magnitude's bin or None) on uint8 images; `negative` turns its sign."""
    name, _, level = operation
    magnitudes, signed = CIFAR._augmentation_space(BINS, images.shape[-2:])[name]
    magnitude = float(magnitudes[level]) if level is not None else 0.0
    if signed and negative:
        magnitude = -magnitude
    return _apply_op(images, name, magnitude, interpolation=InterpolationMode.NEAREST, fill=None)
