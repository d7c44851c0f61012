"""What PGD needs of a norm: its ball around the images, cut to the range of the pixels, and its steepest ascent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Linf:
    """max |x' - x| <= radius and low <= x' <= high. x: [N, C, H, W]; radius: [1 or N, 1, 1, 1]."""

    def __init__(self, x: Tensor, radius: Tensor, low: float, high: float):
        self.x, self.radius = x, radius
        # one clamp between clamped bounds equals the ball, then the range
        self.lower, self.upper = (x - radius).clamp_(low, high), (x + radius).clamp_(low, high)

    def project(self, x: Tensor) -> Tensor:
        """The nearest point of the ball."""
        return x.clamp(self.lower, self.upper)

    def draw(self, generator: torch.Generator) -> Tensor:
        """A point of each image's uncut ball, uniformly."""
        import torch

        unit = _random(torch.rand, self.x, generator)
        return self.x + self.radius * (2 * unit - 1)

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The step of length 1 along which the loss rises most."""
        return gradient.sign_()


class L2:
    """||x' - x|| <= radius, as `Linf`; the range is cut out of the ball afterwards."""

    def __init__(self, x: Tensor, radius: Tensor, low: float, high: float):
        self.x, self.radius, self.low, self.high = x, radius, low, high

    def project(self, x: Tensor) -> Tensor:
        """The nearest point of the ball, then of the range: in both, where `self.x` lies in the range."""
        offset = x - self.x
        share = (self.radius / _length(offset)).clamp(max=1)
        return (self.x + offset * share).clamp_(self.low, self.high)

    def draw(self, generator: torch.Generator) -> Tensor:
        """A point of each image's uncut ball, uniformly."""
        import torch

        way = self.direction(_random(torch.randn, self.x, generator))
        share = _random(torch.rand, self.x[:, :1, :1, :1], generator) ** (1 / self.x[0].numel())
        return self.x + self.radius * share * way

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The step of length 1 along which the loss rises most."""
        return gradient / _length(gradient)


BALLS: dict[str, type[Linf] | type[L2]] = {"linf": Linf, "l2": L2}


def _length(x: Tensor) -> Tensor:
    """The L2 norm of each image, [N, 1, 1, 1], never 0, so that it can divide."""
    import torch

    return torch.linalg.vector_norm(x, dim=(1, 2, 3), keepdim=True).clamp_min(1e-12)


def _random(draw, x: Tensor, generator: torch.Generator) -> Tensor:
    return draw(x.shape, dtype=x.dtype, device=generator.device, generator=generator).to(x.device)
