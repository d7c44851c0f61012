"""Pixels as numbers."""

import torch
from torch import Tensor


def to_float(images: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]; float32 images as they are."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images
