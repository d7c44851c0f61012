"""Two-dimensional slices of input space through the decision boundaries of two models (tradeoff fig13)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.deepfool import deepfool
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.transforms.pixels import to_float

SIDE = 61  # points along each axis: odd, so that the test image lies on the grid
REACH = 1.5  # how far the grid goes, in L2 distances to the farther boundary
IMAGES = 4  # that a plane is cut through
MEASURED = 200  # images whose distance to both boundaries is found


class Slice(NamedTuple):
    """x, y: L2 coordinates [SIDE], the test image at 0; margin: float [2, SIDE (y), SIDE (x)], positive where
    a model gives the image's own class; image: the test image's number."""

    x: Tensor
    y: Tensor
    margin: Tensor
    image: int


@torch.no_grad()
def cut(networks: list[nn.Module], images: ImageSet, count: int = 1) -> list[Slice]:
    """The planes through `count` test images that both networks get right and their two DeepFool points, in pixels.

    The x axis points to the second network's boundary; the y axis is the first one's direction, made orthogonal. Later
    images near which DeepFool finds no boundary are left out. Raises ValueError where no test image is right in both,
    or where DeepFool finds no boundary near the first.
    """
    pixels, right = _right_in_all(networks, images)
    if not len(right):
        raise ValueError("no test image is classified right by both models")
    found: list[Slice] = []
    for number in right.tolist():
        plane = _through(networks, pixels[number : number + 1], int(images.labels[number]), number)
        if plane is None and not found:
            raise ValueError("DeepFool found no boundary near the test image")
        found += [] if plane is None else [plane]
        if len(found) == count:
            break
    return found


def distances(networks: list[nn.Module], images: ImageSet, most: int = MEASURED) -> Tensor:
    """DeepFool's L2 distance of the first `most` images that all networks get right [networks, N], in pixels.

    inf where it finds no boundary.
    """
    pixels, right = _right_in_all(networks, images)
    found = [deepfool(network, pixels[right[:most]]) for network in networks]
    return torch.stack([one.distance.masked_fill(~one.fooled, torch.inf) for one in found])


@torch.no_grad()
def _right_in_all(networks: list[nn.Module], images: ImageSet) -> tuple[Tensor, Tensor]:
    """All images in pixels, and the numbers of those that all networks get right."""
    for network in networks:
        network.eval()
    pixels = to_float(images.images)
    right = torch.stack([network(pixels).argmax(1) == images.labels for network in networks]).all(dim=0)
    return pixels, right.nonzero().flatten()


def _through(networks: list[nn.Module], x0: Tensor, label: int, number: int) -> Slice | None:
    """The plane through one image; None where DeepFool finds no boundary near it."""
    found = [deepfool(network, x0) for network in networks]
    if not all(result.fooled.item() for result in found):
        return None
    axes = _orthonormal(*[(result.perturbed - x0).flatten() for result in reversed(found)])
    span = REACH * max(result.distance.item() for result in found)
    line = torch.linspace(-span, span, SIDE, device=x0.device)
    plane = line[:, None, None] * axes[1] + line[None, :, None] * axes[0]
    points = x0 + plane.view(-1, *x0.shape[1:])
    margin = torch.stack([_margin(network(points), label).view(SIDE, SIDE) for network in networks])
    return Slice(line, line, margin, number)


def _orthonormal(first: Tensor, second: Tensor) -> Tensor:
    """Two orthonormal vectors [2, D] that span the given ones."""
    first = first / first.norm()
    second = second - (second @ first) * first
    return torch.stack([first, second / second.norm()])


def _margin(logits: Tensor, label: int) -> Tensor:
    """The logit of `label` less the largest other one [N]."""
    others = logits.clone()
    others[:, label] = -torch.inf
    return logits[:, label] - others.amax(1)
