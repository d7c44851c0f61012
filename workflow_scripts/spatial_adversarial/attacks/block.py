"""What an attack is handed: test images, the inputs that it moves in, and the networks behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from spatial_adversarial.runner.seeds import derive

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

# images that a random start is drawn for at once; results do not depend on how a block is split further
BLOCK = 500

ROWS = ("images", "labels", "clean", "before")  # of a block, with an entry for each image

Found = dict[str, "Tensor"]  # an attack's rows of a block


class Space(Protocol):
    """The inputs that an attack moves in.

    model: what is evaluated; attacked: the network whose gradients are climbed, another one in a transfer attack;
    inputs: from pixels in [0, 1] to inputs; low, high: the range that inputs are clamped to.
    """

    model: nn.Module
    attacked: nn.Module
    inputs: Callable[[Tensor], Tensor]
    low: float
    high: float


@dataclass(frozen=True)
class Block:
    """Test images that are perturbed together.

    images: [n, C, H, W], uint8 or float32 in [0, 1]; labels, clean: int64 [n], the true classes and those predicted
    on the clean images; before: int64 [n], those under the same attack at a smaller eps, where that came before, else
    `clean`. batch: how many images a network may take at once; it changes no result. seed: the profile's; names: of the
    draw and of the block among all images, which name its random streams. parts: the blocks that it was joined of.
    """

    space: Space
    images: Tensor
    labels: Tensor
    clean: Tensor
    before: Tensor
    batch: int
    seed: int
    names: tuple = ()
    parts: tuple[Block, ...] = ()

    def pixels(self, chosen: Tensor | None = None) -> Tensor:
        """The images, or the chosen ones, bool [n], as float32 in [0, 1]."""
        from spatial_adversarial.transforms.pixels import to_float

        return to_float(self.images if chosen is None else self.images[chosen])

    def derived_seed(self, *names) -> int:
        """The seed of the random stream of that name."""
        return derive(self.seed, *names)

    def generator(self, *names) -> torch.Generator:
        """The random stream of that name, on the images' device."""
        import torch

        return torch.Generator(self.images.device).manual_seed(derive(self.seed, *names))

    def uniform(self, *before, after: tuple = ()) -> Tensor:
        """Numbers in [0, 1] in the shape of the images, of the random stream of its name between other names."""
        import torch

        if self.parts:
            return torch.cat([part.uniform(*before, after=after) for part in self.parts])
        generator = self.generator(*before, *self.names, *after)
        return torch.rand(self.images.shape, generator=generator, device=self.images.device)

    def predict(self, images: Tensor) -> Tensor:
        """The classes, int64 [N], that the space's model sees in images of the space, uint8 or float."""
        return predict(self.space.model, images, self.batch)


def joined(blocks: list[Block]) -> Block:
    """Blocks of one draw as one, which goes through the network at once; what is random stays each block's own."""
    import torch

    if len(blocks) == 1:
        return blocks[0]
    rows: dict[str, Any] = {name: torch.cat([getattr(block, name) for block in blocks]) for name in ROWS}
    return replace(blocks[0], **rows, parts=tuple(blocks))


def predict(model: nn.Module, images: Tensor, batch: int, inputs: Callable = lambda x: x) -> Tensor:
    """Predicted classes int64 [N] of images that are turned into the model's inputs batch by batch."""
    import torch

    from spatial_adversarial.transforms.pixels import to_float

    return torch.cat([model(inputs(to_float(part))).argmax(1) for part in images.split(batch)])


def in_parts(network: nn.Module, batch: int) -> nn.Module:
    """The network, taking at most `batch` images at once, also backwards, so that a block fits the memory."""
    import torch
    from torch import nn
    from torch.utils.checkpoint import checkpoint

    class InParts(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            if len(x) <= batch:
                return self.network(x)
            return torch.cat([checkpoint(self.network, part, use_reentrant=False) for part in x.split(batch)])

    return InParts()
