"""What a recipe trains on: its split of the official training images, and other images mixed with them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from spatial_adversarial.data.images import ImageSet, batch_sizes, load, size, split_indices
from spatial_adversarial.transforms.pixels import to_float


def splits(path: str, split: dict, device: torch.device) -> tuple[ImageSet, ImageSet]:
    """(train, validation) on the device: a seeded permutation, `validation` of it held out, the rest cut to `limit`.

    Raises ValueError where nothing is left to train on.
    """
    chosen, held_out = split_indices(size(path, "train"), split["validation"], split["seed"])
    return (
        load(path, "train", indices=chosen, limit=split["limit"], device=device),
        load(path, "train", indices=held_out, device=device),
    )


@dataclass(frozen=True)
class Mixture(ImageSet):
    """Natural images, and after them others of which each batch holds the same `share` (D_mix of features, 2.2).

    A batch of n has floor((1 - share) n) natural images and ceil(share n) others, each drawn without replacement as
    long as there are any left. Its length, an epoch's, is the number of the natural ones.
    """

    natural: int
    share: float

    def __len__(self) -> int:
        return self.natural

    def order(self, batch: int, generator: torch.Generator) -> Tensor:
        """As `ImageSet.order`: in each batch the natural images come first."""
        sizes = torch.tensor(batch_sizes(self.natural, batch))
        place = torch.cat([torch.arange(size) for size in sizes.tolist()])
        length = sizes.repeat_interleave(sizes)
        other = place >= length - others_in(length, self.share)
        order = torch.empty_like(place)
        order[~other] = _drawn(int((~other).sum()), self.natural, generator)
        order[other] = self.natural + _drawn(int(other.sum()), len(self.labels) - self.natural, generator)
        return order.to(self.labels.device)


def mixed(natural: ImageSet, others: ImageSet, share: float) -> Mixture:
    """Both sets as one, float32; mean and std stay those of the natural images. share: in (0, 1]."""
    return Mixture(
        torch.cat([to_float(natural.images), to_float(others.images)]),
        torch.cat([natural.labels, others.labels]),
        natural.classes,
        natural.mean,
        natural.std,
        natural=len(natural),
        share=share,
    )


def others_in(batch: Tensor, share: float) -> Tensor:
    """How many of a batch's images are not natural: ceil(share * batch), exact for shares such as .7."""
    return torch.ceil(batch.double() * share - 1e-9).long()


def _drawn(count: int, available: int, generator: torch.Generator) -> Tensor:
    """`count` of `available` indices in random order, all of them once before any comes again."""
    rounds = [
        torch.randperm(available, generator=generator, device=generator.device)
        for _ in range(math.ceil(count / available))
    ]
    return torch.cat([*rounds, torch.empty(0, dtype=torch.int64, device=generator.device)])[:count].cpu()
