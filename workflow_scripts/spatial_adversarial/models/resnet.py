"""ResNet18, 34 and 50 with the stem for small images: one 3x3 convolution at stride 1, no pooling."""

from collections.abc import Callable

from torch import Tensor, nn

from spatial_adversarial.models.layers import Layers, Parts
from spatial_adversarial.models.network import Stage

STAGES = (64, 128, 256, 512)


class Residual(nn.Module):
    """ReLU of a branch plus its input, [N, C, H, W] to [N, C', H/stride, W/stride] (He et al. 2016)."""

    def __init__(self, branch: nn.Sequential, shortcut: nn.Module):
        super().__init__()
        self.branch, self.shortcut, self.relu = branch, shortcut, nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Add the branch to the shortcut."""
        return self.relu(self.branch(x) + self.shortcut(x))


def resnet18(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """ResNet18: 2, 2, 2, 2 basic blocks."""
    return _resnet(layers, channels, classes, (2, 2, 2, 2), _basic, expansion=1)


def resnet34(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """ResNet34: 3, 4, 6, 3 basic blocks."""
    return _resnet(layers, channels, classes, (3, 4, 6, 3), _basic, expansion=1)


def resnet50(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """ResNet50: 3, 4, 6, 3 bottlenecks, four times as wide outside as inside."""
    return _resnet(layers, channels, classes, (3, 4, 6, 3), _bottleneck, expansion=4)


def _resnet(
    layers: Layers, channels: int, classes: int, depths: tuple[int, ...], branch: Callable, expansion: int
) -> Parts:
    width = layers.channels(STAGES[0])
    stem = [layers.conv(channels, width, 3, padding=1, lift=True), layers.norm(width), nn.ReLU()]
    maps = nn.Sequential(nn.Sequential(*stem))
    for stage, depth in enumerate(depths):
        inner = layers.channels(STAGES[stage])
        blocks = Stage()
        for block in range(depth):
            stride, outputs = 2 if stage > 0 and block == 0 else 1, inner * expansion
            shortcut = _shortcut(layers, width, outputs, stride)
            blocks.append(Residual(nn.Sequential(*branch(layers, width, inner, outputs, stride)), shortcut))
            width = outputs
        maps.append(blocks)
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return maps, neck, nn.Linear(width * layers.order, classes)


def _basic(layers: Layers, inputs: int, inner: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        layers.conv(inputs, inner, 3, stride=stride, padding=1),
        layers.norm(inner),
        nn.ReLU(),
        layers.conv(inner, outputs, 3, padding=1),
        layers.norm(outputs),
    ]


def _bottleneck(layers: Layers, inputs: int, inner: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        layers.conv(inputs, inner, 1),
        layers.norm(inner),
        nn.ReLU(),
        layers.conv(inner, inner, 3, stride=stride, padding=1),
        layers.norm(inner),
        nn.ReLU(),
        layers.conv(inner, outputs, 1),
        layers.norm(outputs),
    ]


def _shortcut(layers: Layers, inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(layers.conv(inputs, outputs, 1, stride=stride), layers.norm(outputs))
