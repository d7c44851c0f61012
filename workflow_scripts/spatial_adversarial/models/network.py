"""What every model is: a normalisation of the pixels, then a body that ends in logits."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class DatasetNormalise(nn.Module):
    """Subtract the data set's mean and divide by its deviation, per channel: float32 [N, C, H, W] in and out.

    `mean` and `std` have C numbers in pixel units of [0, 1] and are saved with the weights.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor([float(v) for v in values]).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the pixels x."""
        return (x - self.mean) / self.std


class PerImageNormalise(nn.Module):
    """Give each image mean 0 and deviation 1 over all its numbers: float32 [N, C, H, W] in and out.

    As TensorFlow's per_image_standardization, the deviation is at least 1/sqrt(C H W).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the pixels x."""
        variance, mean = torch.var_mean(x, (1, 2, 3), correction=0, keepdim=True)
        # The floor comes before the root, whose gradient at 0 would be infinite.
        return (x - mean) / variance.clamp_min(1 / x[0].numel()).sqrt()


class Stage(nn.Sequential):
    """The blocks of a residual network between two changes of its feature maps' size."""


class Network(nn.Module):
    """A classifier of pixels: images float32 [N, C, H, W] in [0, 1] to logits float32 [N, K].

    `normalise` maps pixels to the body's input; `body` is `maps` (its convolutions: feature maps [N, C' *
    |G|, H', W']), `neck` (to penultimate activations [N, F]) and `head` (the linear classifier). `group` is
    "z2", "p4" or "p4m".
    """

    def __init__(self, normalise: nn.Module, maps: nn.Module, neck: nn.Module, head: nn.Linear, group: str):
        super().__init__()
        self.normalise = normalise
        self.body = nn.Sequential()
        for name, part in (("maps", maps), ("neck", neck), ("head", head)):
            self.body.add_module(name, part)
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits [N, K] of the pixels x."""
        # As float32 also under autocast: losses are no place for half precision.
        return self.body(self.normalise(x)).to(x.dtype)

    def features(self, x: Tensor) -> Tensor:
        """Return the penultimate activations [N, F] of the pixels x."""
        return self.body.neck(self.feature_maps(x))

    def feature_maps(self, x: Tensor) -> Tensor:
        """Return the last feature maps [N, C' * |G|, H', W'] of the pixels x; of an MLP, its input."""
        return self.body.maps(self.normalise(x))

    def stages(self, x: Tensor) -> list[Tensor]:
        """Return what each residual stage makes of the pixels x, [N, C' * |G|, H', W'] each; [] without stages."""
        maps, found = self.normalise(x), []
        for part in self.body.maps:
            maps = part(maps)
            if isinstance(part, Stage):
                found.append(maps)
        return found
