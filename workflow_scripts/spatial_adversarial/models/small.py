"""The small networks: StdCNN and GCNN on MNIST, Madry's LeNet, and the LeNet and MLPs of CuSP's Table 8.

Every builder of this package takes (layers, channels, side, classes) and returns (maps, neck, head), the
parts of a `Network`'s body.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from spatial_adversarial.models.layers import Layers, Parts, truncated_normal_


def stdcnn(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """StdCNN, over p4 the GCNN (Table 1 of tradeoff and of invariance): 3x3 valid convolutions, FC50."""
    narrow, wide = layers.channels(10), layers.channels(20)
    maps = nn.Sequential(
        layers.conv(channels, narrow, 3, bias=True, lift=True),
        nn.ReLU(),
        layers.conv(narrow, narrow, 3, bias=True),
        nn.ReLU(),
        nn.MaxPool2d(2),
        layers.conv(narrow, wide, 3, bias=True),
        nn.ReLU(),
        layers.conv(wide, wide, 3, bias=True),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
    side = ((side - 4) // 2 - 4) // 2
    hidden = layers.units(50)
    neck = _fully_connected(wide * layers.order * _area(side), hidden)
    neck.append(nn.Dropout(0.5))
    return maps, neck, nn.Linear(hidden, classes)


def madry_lenet(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """Madry's MNIST network: 5x5 convolutions of 32 and 64 channels that keep the side, FC1024.

    Initialised as his: weights by a truncated normal of deviation .1, biases .1.
    """
    parts = _lenet(layers, channels, classes, (32, 64, 1024), padding=2, side=side // 2 // 2)
    for part in parts:
        truncated_normal_(part, 0.1, bias=0.1)
    return parts


def lenet(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """LeNet of CuSP's Table 8: two valid 5x5 convolutions of 20 and 50 channels (widths ours), FC500."""
    return _lenet(layers, channels, classes, (20, 50, 500), padding=0, side=((side - 4) // 2 - 4) // 2)


def mlp_a(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """The first MLP of CuSP's Table 8: 4 linear layers, hidden units 512, 512, 512 (widths ours)."""
    return _mlp(layers, channels, side, classes, (512, 512, 512))


def mlp_b(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """The second MLP of CuSP's Table 8: 4 linear layers, hidden units 2048, 1024, 512 (widths ours)."""
    return _mlp(layers, channels, side, classes, (2048, 1024, 512))


def _lenet(
    layers: Layers, channels: int, classes: int, widths: tuple[int, int, int], padding: int, side: int
) -> Parts:
    first, second, hidden = layers.channels(widths[0]), layers.channels(widths[1]), layers.units(widths[2])
    maps = nn.Sequential(
        layers.conv(channels, first, 5, padding=padding, bias=True, lift=True),
        nn.ReLU(),
        nn.MaxPool2d(2),
        layers.conv(first, second, 5, padding=padding, bias=True),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
    neck = _fully_connected(second * layers.order * _area(side), hidden)
    return maps, neck, nn.Linear(hidden, classes)


def _mlp(layers: Layers, channels: int, side: int, classes: int, widths: Sequence[int]) -> Parts:
    if layers.order > 1:
        raise ValueError(f"an MLP has no convolutions to put over the group {layers.group}")
    sizes = [channels * side * side, *map(layers.units, widths)]
    return nn.Identity(), _fully_connected(*sizes), nn.Linear(sizes[-1], classes)


def _fully_connected(*sizes: int) -> nn.Sequential:
    neck = nn.Sequential(nn.Flatten())
    for inputs, outputs in pairwise(sizes):
        neck.extend([nn.Linear(inputs, outputs), nn.ReLU()])
    return neck


def _area(side: int) -> int:
    if side < 1:
        raise ValueError(f"too small images: their side is {side} before the first fully connected layer")
    return side * side
