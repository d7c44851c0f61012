"""VGG16 as the workflow builds it, less its normalisation."""

from torch import nn

from spatial_adversarial.models.layers import Layers
from spatial_adversarial.models.vgg import vgg16


def build(channels, side, classes):
    body = nn.Sequential()
    for name, part in zip(("maps", "neck", "head"), vgg16(Layers(), channels, side, classes), strict=True):
        body.add_module(name, part)
    return body
