"""A recipe's split of the official training images."""

import torch

from spatial_adversarial.data.images import ImageSet, load, size, split_indices


def splits(path: str, split: dict, device: torch.device) -> tuple[ImageSet, ImageSet]:
    """(train, validation) on the device: a seeded permutation, `validation` of it held out, the rest cut to `limit`.

    Raises ValueError where nothing is left to train on.
    """
    chosen, held_out = split_indices(size(path, "train"), split["validation"], split["seed"])
    return (
        load(path, "train", indices=chosen, limit=split["limit"], device=device),
        load(path, "train", indices=held_out, device=device),
    )
