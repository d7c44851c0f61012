"""VGG16 for small images: thirteen 3x3 convolutions with batch norm, one linear layer."""

from torch import nn

from spatial_adversarial.models.layers import Layers, Parts

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def vgg16(layers: Layers, channels: int, side: int, classes: int) -> Parts:
    """VGG16 (Simonyan and Zisserman 2014), CIFAR variant; its twins are exactly equivariant at side 32."""
    maps, inputs = nn.Sequential(), channels
    for width, depth in BLOCKS:
        outputs = layers.channels(width)
        for _ in range(depth):
            maps.append(layers.conv(inputs, outputs, 3, padding=1, bias=True, lift=len(maps) == 0))
            maps.extend([layers.norm(outputs), nn.ReLU()])
            inputs = outputs
        # Rounding up changes nothing at sides 32 and 64 and leaves a pixel for the fifth pool at side 28.
        maps.append(nn.MaxPool2d(2, ceil_mode=True))
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return maps, neck, nn.Linear(inputs * layers.order, classes)
