"""AutoAugment on batches: torchvision's policies and operations, one sub-policy an image."""

import math

import torch
from torch import Tensor
from torchvision.transforms import AutoAugment, AutoAugmentPolicy
from torchvision.transforms import functional as image

CIFAR = AutoAugment(AutoAugmentPolicy.CIFAR10)
BINS = 10
SIGNED = {
    "ShearX": 0.3,
    "ShearY": 0.3,
    "Rotate": 30.0,
}  # what the last bin is, of operations that draw a sign
SIGNED |= dict.fromkeys(("Brightness", "Color", "Contrast", "Sharpness"), 0.9)
TRANSLATED = 150 / 331  # the same of translations, as a share of the image
ENHANCED = {
    "Brightness": image.adjust_brightness,
    "Color": image.adjust_saturation,
    "Contrast": image.adjust_contrast,
    "Sharpness": image.adjust_sharpness,
}
PLAIN = {"AutoContrast": image.autocontrast, "Equalize": image.equalize, "Invert": image.invert}


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
    if name in PLAIN:
        return PLAIN[name](images)
    if name == "Posterize":
        return image.posterize(images, 8 - round(level / ((BINS - 1) / 4)))
    if name == "Solarize":
        return image.solarize(images, _bin(0.0, level, start=255.0))
    if name.startswith("Translate"):
        last = TRANSLATED * images.shape[-1 if name == "TranslateX" else -2]
    else:
        last = SIGNED[name]
    magnitude = _bin(last, level) * (-1 if negative else 1)
    if name in ENHANCED:
        return ENHANCED[name](images, 1 + magnitude)
    if name == "Rotate":
        return image.rotate(images, magnitude)
    vertical = name.endswith("Y")
    if name.startswith("Translate"):
        shift = [0, int(magnitude)] if vertical else [int(magnitude), 0]
        return image.affine(images, angle=0.0, translate=shift, scale=1.0, shear=[0.0, 0.0])
    angle = math.degrees(math.atan(magnitude))
    shear = [0.0, angle] if vertical else [angle, 0.0]
    # a shear leaves the first pixel where it is, as in the authors' code
    return image.affine(images, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, center=[0, 0])


def _bin(last: float, level: int, *, start: float = 0.0) -> float:
    """The magnitude of a bin, of BINS between `start` and `last`, in float32 as torchvision has it."""
    return float(torch.linspace(start, last, BINS)[level])
