"""The layers that every network is built from, over one group and at one width."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial.models.groups import GroupBatchNorm2d, GroupConv2d, order

# What a network's builder returns: the feature maps' part, the neck and the classifier of its body.
Parts = tuple[nn.Module, nn.Module, nn.Linear]


def scaled(count: int, factor: float) -> int:
    """Return `count` times `factor` as the nearest whole number, at least 1."""
    return max(1, round(count * factor))


@dataclass(frozen=True)
class Layers:
    """Makes the layers of a network: the ordinary ones over "z2", their group twins over "p4" and "p4m".

    `width` multiplies every number of channels and hidden units. With `matched`, channels over a group are
    divided by sqrt(|G|) besides, which keeps the number of parameters. Channels in and out of `conv` and
    `norm` are counted per group element, as `channels` returns them.
    """

    group: str = "z2"
    width: float = 1.0
    matched: bool = False
    planar: ClassVar[type[nn.Conv2d]] = nn.Conv2d  # the convolution over z2

    @property
    def order(self) -> int:
        """The size |G| of the group."""
        return order(self.group)

    def channels(self, count: int) -> int:
        """Return the published number of channels at this width and group."""
        return scaled(count, self.width / sqrt(self.order) if self.matched else self.width)

    def units(self, count: int) -> int:
        """Return the published number of fully connected units at this width; the group leaves it alone."""
        return scaled(count, self.width)

    def conv(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = False,
        lift: bool = False,
    ) -> nn.Conv2d:
        """Return a convolution; `lift` marks the first one, which reads an image."""
        options = {"stride": stride, "padding": padding, "bias": bias}
        if self.order == 1:
            return self.planar(inputs, outputs, kernel, **options)
        return GroupConv2d(inputs, outputs, kernel, group=self.group, lift=lift, **options)

    def norm(self, channels: int, eps: float = 1e-5) -> nn.Module:
        """Return a batch norm whose statistics are shared over the group; `eps` is added to the variance."""
        kind = nn.BatchNorm2d if self.order == 1 else GroupBatchNorm2d
        return kind(channels, eps=eps)


class PolarConv2d(nn.Conv2d):
    """A convolution of log-polar maps [N, C, angle, radius]: padding wraps round the angles, and is 0 at the radii."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x."""
        down, across = self.padding
        wrapped = functional.pad(x, (0, 0, down, down), mode="circular") if down else x
        return functional.conv2d(wrapped, self.weight, self.bias, self.stride, (0, across))


@dataclass(frozen=True)
class PolarLayers(Layers):
    """The layers of a network that reads log-polar maps; ValueError over another group than z2."""

    planar = PolarConv2d

    def __post_init__(self) -> None:
        if self.order > 1:
            raise ValueError(f"a polar transformer has no twin over {self.group}")


# Initialisations other than PyTorch's own, from torch's global generator. A convolution over a group keeps its own.


def he_normal_(module: nn.Module, mode: str = "fan_in") -> None:
    """Draw planar convolutions' weights from N(0, 2 / (k^2 C_in)), with mode "fan_out" from N(0, 2 / (k^2 C_out))."""
    for part in _planar(module, nn.Conv2d):
        nn.init.kaiming_normal_(part.weight, mode=mode)


def truncated_normal_(module: nn.Module, deviation: float, bias: float) -> None:
    """Draw planar convolutions' and linear layers' weights from a normal cut off at two deviations, TensorFlow's."""
    for part in _planar(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(part.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
        nn.init.constant_(part.bias, bias)


def _planar(module: nn.Module, kinds) -> list[nn.Module]:
    return [m for m in module.modules() if isinstance(m, kinds) and not isinstance(m, GroupConv2d)]
