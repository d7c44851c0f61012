"""Pre-activation residual networks: WideResNet-34-10 (TRADES), Madry's w32-10, and the narrow ResNet32.

Initialised as in their authors' code: convolutions by a normal of variance 2 / (k^2 C_out), linear bias 0.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from torch import Tensor, nn
from torch.nn import functional as F

from spatial_adversarial.models.layers import Layers, Parts, he_normal_
from spatial_adversarial.models.network import Stage

WIDE = (16, 160, 320, 640)
NARROW = (16, 16, 32, 64)


@dataclass(frozen=True)
class Style:
    """What the two codes' networks differ in."""

    slope: float  # of the leaky ReLU; 0: ReLU
    pad: bool  # shortcuts that change the shape: average pool and zeros, or a 1x1 convolution
    eps: float  # of batch norm
    head_bound: float  # of the linear layer's weights U(+-bound / sqrt(inputs))


TRADES = Style(slope=0.0, pad=False, eps=1e-5, head_bound=1.0)  # PyTorch's defaults
MADRY = Style(slope=0.1, pad=True, eps=1e-3, head_bound=sqrt(3))  # TensorFlow's


class PadShortcut(nn.Module):
    """Average pool by `stride`, then zeros for the missing channels, half each side (Madry et al. 2018)."""

    def __init__(self, missing: int, stride: int):
        super().__init__()
        self.missing, self.stride = missing, stride

    def forward(self, x: Tensor) -> Tensor:
        """Bring x, [N, C, H, W], to [N, C + missing, H/stride, W/stride]."""
        before = self.missing // 2
        # Rounding up as the padded stride-2 convolution beside it does, also at odd sides.
        pooled = F.avg_pool2d(x, self.stride, ceil_mode=True)
        return F.pad(pooled, (0, 0, 0, 0, before, self.missing - before))


class Unit(nn.Module):
    """A pre-activation unit: shortcut plus two convolutions, each after batch norm and activation.

    With `activate_first` the shortcut, too, reads the activated input.
    """

    def __init__(
        self, first: nn.Sequential, branch: nn.Sequential, shortcut: nn.Module, activate_first: bool
    ):
        super().__init__()
        self.first, self.branch, self.shortcut = first, branch, shortcut
        self.activate_first = activate_first

    def forward(self, x: Tensor) -> Tensor:
        """Map x, [N, C, H, W], to [N, C', H/stride, W/stride]."""
        active = self.first(x)
        return self.shortcut(active if self.activate_first else x) + self.branch(active)


def wideresnet34_10(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """WideResNet-34-10: 5 units a stage, ReLU, 1x1 convolutions of the activated input as shortcuts."""
    return _pre_activation(layers, channels, classes, WIDE, TRADES)


def madry_resnet(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """Madry's w32-10 ResNet: 5 units a stage, leaky ReLU .1, zero-padded average-pool shortcuts."""
    return _pre_activation(layers, channels, classes, WIDE, MADRY)


def narrow_resnet32(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """The narrow 32-layer ResNet of features' Question 1: Madry's, at widths 16, 16, 32, 64."""
    return _pre_activation(layers, channels, classes, NARROW, MADRY)


def _pre_activation(
    layers: Layers, channels: int, classes: int, widths: tuple[int, ...], style: Style
) -> Parts:
    counts = [layers.channels(width) for width in widths]
    maps = nn.Sequential(layers.conv(channels, counts[0], 3, padding=1, lift=True))
    for stage, (before, outputs) in enumerate(pairwise(counts)):
        units = Stage()
        for number, inputs in enumerate([before] + [outputs] * 4):
            stride = 2 if stage > 0 and number == 0 else 1
            units.append(_unit(layers, inputs, outputs, stride, style, opening=stage == number == 0))
        maps.append(units)
    maps.append(_activation(layers, counts[-1], style))
    he_normal_(maps, mode="fan_out")
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.Linear(counts[-1] * layers.order, classes)
    bound = style.head_bound / sqrt(head.in_features)
    nn.init.uniform_(head.weight, -bound, bound)
    nn.init.zeros_(head.bias)
    return maps, neck, head


def _unit(layers: Layers, inputs: int, outputs: int, stride: int, style: Style, opening: bool) -> Unit:
    changes = stride > 1 or inputs != outputs
    if not changes:
        shortcut = nn.Identity()
    elif style.pad:
        shortcut = PadShortcut((outputs - inputs) * layers.order, stride)
    else:
        shortcut = layers.conv(inputs, outputs, 1, stride=stride)
    branch = nn.Sequential(
        layers.conv(inputs, outputs, 3, stride=stride, padding=1),
        *_activation(layers, outputs, style),
        layers.conv(outputs, outputs, 3, padding=1),
    )
    activate_first = opening if style.pad else changes
    return Unit(_activation(layers, inputs, style), branch, shortcut, activate_first)


def _activation(layers: Layers, channels: int, style: Style) -> nn.Sequential:
    relu = nn.LeakyReLU(style.slope) if style.slope else nn.ReLU()
    return nn.Sequential(layers.norm(channels, style.eps), relu)
