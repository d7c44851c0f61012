"""DenseNet121 with the stem for small images: one 3x3 convolution at stride 1, no pooling."""

import torch
from torch import Tensor, nn

from spatial_adversarial.models.layers import Layers, Parts, he_normal_

BLOCKS = (6, 12, 24, 16)
STEM, GROWTH, BOTTLENECK = 64, 32, 4


class Dense(nn.Module):
    """Append a branch's channels to its input: [N, C, H, W] to [N, C + growth, H, W] (Huang et al. 2017)."""

    def __init__(self, branch: nn.Sequential):
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """Concatenate x and the branch of x."""
        return torch.cat([x, self.branch(x)], 1)


def densenet121(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """DenseNet121: dense blocks of 6, 12, 24 and 16 layers of growth 32; transitions halve the channels."""
    width, growth = layers.channels(STEM), layers.channels(GROWTH)
    maps = nn.Sequential(layers.conv(channels, width, 3, padding=1, lift=True))
    maps.extend([layers.norm(width), nn.ReLU()])
    for number, depth in enumerate(BLOCKS):
        if number > 0:
            maps.append(nn.Sequential(*_narrow(layers, width, width // 2, 1), nn.AvgPool2d(2)))
            width //= 2
        maps.append(nn.Sequential(*(_dense(layers, width + i * growth, growth) for i in range(depth))))
        width += depth * growth
    maps.extend([layers.norm(width), nn.ReLU()])
    he_normal_(maps)
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return maps, neck, nn.Linear(width * layers.order, classes)


def _dense(layers: Layers, inputs: int, growth: int) -> Dense:
    inner = BOTTLENECK * growth
    return Dense(nn.Sequential(*_narrow(layers, inputs, inner, 1), *_narrow(layers, inner, growth, 3)))


def _narrow(layers: Layers, inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    return [
        layers.norm(inputs),
        nn.ReLU(),
        layers.conv(inputs, outputs, kernel, padding=kernel // 2),
    ]
