"""Images that show a robust network's features of other images: the data set D_R (Ilyas et al. 2019, section 3.1)."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.models.network import Network
from spatial_adversarial.runner.device import halve_when_full
from spatial_adversarial.runner.files import verify, write_checked
from spatial_adversarial.runner.seeds import derive
from spatial_adversarial.transforms.pixels import to_float

CHUNK = 250  # images between two files to resume from

Found = dict[
    str, np.ndarray
]  # images float32 [N, C, H, W], and their feature distances before and after, [N]


class Features(nn.Module):
    """A network up to its penultimate activations."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """g(x) [N, F] of pixels x."""
        return self.network.features(x)


def feature_distance(features: Tensor, target: Tensor) -> Tensor:
    """||g(x) - g(t)|| / ||g(t)|| of each image, [N], of features [N, F]."""
    return (features - target).norm(dim=1) / target.norm(dim=1).clamp_min(1e-12)


def show_features(network: Network, start: Tensor, target: Tensor, *, step: float, steps: int) -> Tensor:
    """Move the images `start` by normalised L2 gradient steps until the network's features are those of `target`.

    Both float32 [N, C, H, W] in [0, 1]; so is the result, detached. The network is attacked in eval mode, and left
    as it was.
    """
    features = Features(network)
    with attack_mode(features), torch.no_grad():
        goal = features(target)
    return pgd(
        features,
        start,
        goal,
        eps=torch.inf,
        step=step,
        steps=steps,
        random_start=False,
        generator=None,
        norm="l2",
        loss=lambda found, wanted: -feature_distance(found, wanted),
    )


def partners(count: int, seed: int) -> Tensor:
    """The image that each of `count` targets starts from, int64 [count]: drawn at random, with replacement."""
    return torch.randint(count, (count,), generator=torch.Generator().manual_seed(derive(seed, "partners")))


def build(
    network: Network, images: ImageSet, settings: dict, parts: Path, each: Callable[[range], range]
) -> Found:
    """D_R of `images`: for each of them one that shows its features, to be labelled like it.

    settings: step, steps, seed, and `images`, how many of the first images are targets (None: all). Finished chunks
    lie in the folder `parts`, where an interrupted call's are taken from. `each` wraps the chunks, to tell progress.
    """
    targets = images.images[: settings["images"]]
    starts = partners(len(targets), settings["seed"])
    found = []
    for first in each(range(0, len(targets), CHUNK)):
        path = parts / f"{first:06}.npz"
        if path.exists():
            verify(path)
        else:
            chosen = starts[first : first + CHUNK].to(targets.device)
            part = halve_when_full(
                partial(_chunk, network, targets[chosen], targets[first : first + CHUNK], settings), CHUNK
            )
            buffer = io.BytesIO()
            np.savez(buffer, **part)
            write_checked(path, buffer.getbuffer())
        with np.load(path) as part:
            found.append(dict(part))
    return {key: np.concatenate([part[key] for part in found]) for key in found[0]}


def _chunk(network: Network, starts: Tensor, targets: Tensor, settings: dict, batch: int) -> Found:
    found = []
    for start, target in zip(starts.split(batch), targets.split(batch), strict=True):
        start, target = to_float(start), to_float(target)
        moved = show_features(network, start, target, step=settings["step"], steps=settings["steps"])
        with attack_mode(network), torch.no_grad():
            goal = network.features(target)
            before, after = (feature_distance(network.features(x), goal) for x in (start, moved))
        found.append((moved, before, after))
    names = ("images", "before", "after")
    return {
        name: torch.cat(parts).cpu().numpy()
        for name, parts in zip(names, zip(*found, strict=True), strict=True)
    }
