"""Networks that first resample their input: spatial and polar transformers before a ResNet."""

from math import log, pi

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial.models.layers import Layers, Parts, PolarLayers
from spatial_adversarial.models.resnet import resnet18, resnet34

LOCALISATION, HIDDEN = 32, 1024  # channels and hidden units of the spatial transformer's localisation net
ORIGIN = 32  # channels of the polar transformer's origin predictor
NEAREST = 1.0  # pixels from the origin to the innermost circle of the polar sampling


class SpatialTransformer(nn.Module):
    """Resample each image by an affine map that a small network reads off it (Jaderberg et al. 2015).

    Images [N, C, side, side] in and out: bilinear, 0 outside. Four 3x3 convolutions without bias, a max-pool after
    each of the last three, and two linear layers find the map's six numbers; it starts as the identity.
    """

    def __init__(self, channels: int, side: int, width: int, hidden: int):
        super().__init__()
        convolutions = nn.Sequential()
        for number in range(4):
            inputs = channels if number == 0 else width
            convolutions.extend([nn.Conv2d(inputs, width, 3, padding=1, bias=False), nn.ReLU()])
            if number > 0:
                convolutions.append(nn.MaxPool2d(2))
        last = nn.Linear(hidden, 6)
        nn.init.zeros_(last.weight)
        last.bias.data = torch.eye(2, 3).flatten()
        inputs = width * (side // 8) ** 2
        self.localisation = nn.Sequential(
            convolutions, nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), last
        )

    def forward(self, x: Tensor) -> Tensor:
        """Resample x."""
        theta = self.localisation(x).view(-1, 2, 3)
        places = functional.affine_grid(theta, list(x.shape), align_corners=True)
        return functional.grid_sample(x, places, align_corners=True)


class PolarTransformer(nn.Module):
    """Resample each image in log-polar coordinates about an origin that a small network predicts (Esteves et al. 2018).

    Images [N, C, side, side] in and out. The origin is the centroid of the network's heat map, so that it moves
    with what is seen; see `log_polar` for the sampling.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.heat = nn.Sequential(
            nn.Conv2d(channels, width, 5, padding=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, padding=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 1, 1),
        )

    def origin(self, x: Tensor) -> Tensor:
        """The predicted origins [N, 2], (right, down) of the centre, in [-1, 1]: corner pixels are at +-1."""
        heat = self.heat(x)
        share = heat.flatten(1).softmax(1).view(len(x), *heat.shape[2:])
        rows, columns = (
            torch.linspace(-1, 1, count, dtype=x.dtype, device=x.device) for count in heat.shape[2:]
        )
        return torch.stack([share.sum(1) @ columns, share.sum(2) @ rows], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Resample x about its origin."""
        return log_polar(x, self.origin(x))


def log_polar(x: Tensor, origin: Tensor) -> Tensor:
    """Images [N, C, side, side] in log-polar coordinates: row k is the ray at 360 k / side degrees.

    origin: [N, 2] as (right, down) in [-1, 1]. Angles count counter-clockwise from the right. Columns are the
    radii, whose logarithms rise evenly from a pixel to half the diagonal. Bilinear, 0 outside. A rotation of x
    by 360 k / side degrees about the origin moves the rows by k, cyclically; a scaling moves the columns.
    """
    side = x.shape[-1]
    pixel = 2 / (side - 1)
    angle = torch.arange(side, dtype=x.dtype, device=x.device) * (2 * pi / side)
    radius = torch.linspace(log(NEAREST * pixel), log(2**0.5), side, dtype=x.dtype, device=x.device).exp()
    rays = torch.stack([angle.cos(), -angle.sin()], dim=1)  # down is positive
    places = origin[:, None, None] + rays[:, None] * radius[:, None]
    return functional.grid_sample(x, places, align_corners=True)


def stn_resnet18(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """A spatial transformer, then ResNet18."""
    return _spatial(resnet18, layers, channels, side, classes)


def stn_resnet34(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """A spatial transformer, then ResNet34."""
    return _spatial(resnet34, layers, channels, side, classes)


def ptn_resnet18(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """A polar transformer, then ResNet18, whose convolutions close the circle of angles."""
    return _polar(resnet18, layers, channels, side, classes)


def ptn_resnet34(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """A polar transformer, then ResNet34, whose convolutions close the circle of angles."""
    return _polar(resnet34, layers, channels, side, classes)


def _spatial(backbone, layers: Layers, channels: int, side: int, classes: int) -> Parts:
    maps, neck, head = backbone(layers, channels, side, classes)
    transformer = SpatialTransformer(channels, side, layers.units(LOCALISATION), layers.units(HIDDEN))
    return nn.Sequential(transformer, maps), neck, head


def _polar(backbone, layers: Layers, channels: int, side: int, classes: int) -> Parts:
    maps, neck, head = backbone(PolarLayers(**vars(layers)), channels, side, classes)
    return nn.Sequential(PolarTransformer(channels, layers.units(ORIGIN)), maps), neck, head
