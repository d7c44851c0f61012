"""A run's checkpoint: everything that the next epoch depends on, in one file that is replaced as a whole."""

import io
import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from spatial_adversarial.data.images import ImageSet, images_digest, tensors_digest
from spatial_adversarial.records.identity import digest, identity
from spatial_adversarial.runner.files import verify, write_checked


@dataclass
class Checkpoint:
    """What training has reached: `epoch` epochs and `step` steps are done. The file holds these fields by name.

    `best` is (validation accuracy, weights) where the recipe keeps the best, `best_robust` the same under attack.
    All random streams start anew each epoch from a seed of their own, so none is stored, but within an epoch (`part`,
    as interrupt.py captures it).
    `made_of` is what the run was started with: a checkpoint is that run's alone.
    """

    made_of: dict[str, str] = field(default_factory=dict)
    epoch: int = 0
    step: int = 0
    network: dict = field(default_factory=dict)
    optimiser: dict = field(default_factory=dict)
    averaged: dict | None = None
    memory: dict | None = None  # the training method's
    best: tuple[float, dict] | None = None
    best_robust: tuple[float, dict] | None = None
    history: list[dict] = field(default_factory=list)
    part: dict | None = None
    # seconds and CPU seconds that the run has taken, those of interrupted processes too
    spent: tuple[float, float] = (0.0, 0.0)


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Replace the checkpoint's file; a kill at any moment leaves the old or the new one."""
    buffer = io.BytesIO()  # torch does not say why it cannot write
    torch.save(vars(checkpoint), buffer)
    write_checked(path, buffer.getbuffer())


def load(path: Path, made_of: dict[str, str]) -> Checkpoint | None:
    """The checkpoint to resume from, or None where there is none of this run that can be read; the log says why.

    Its tensors lie on the CPU: Adam's counters have to stay there, where reading them does not wait for a GPU.
    """
    if not path.exists():
        return None
    try:
        verify(path)
        checkpoint = Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a damaged file; each means: begin again
        logging.warning(
            "%s cannot be read (%s): training starts anew", path, " ".join(str(error).split())[:200]
        )
        return None
    if other := [key for key, value in made_of.items() if checkpoint.made_of.get(key) != value]:
        logging.warning("%s was begun with another %s: training starts anew", path, " and ".join(other))
        return None
    return checkpoint


def made_of(
    recipe: dict, seed: int, network: nn.Module, train: ImageSet, validation: ImageSet
) -> dict[str, str]:
    """All that a run's weights follow from, as digests; `network` has the weights that it begins with."""
    return {
        "recipe": digest(identity(recipe, "recipe"), 64),
        "seed": str(seed),
        "data": images_digest(train, validation),
        "start weights": tensors_digest(*network.state_dict().values()),
    }


def better(
    best: tuple[float, dict[str, Tensor]] | None, accuracy: float, network: nn.Module
) -> tuple[float, dict[str, Tensor]]:
    """The best accuracy so far with its weights; the first of equal ones stays."""
    if best and accuracy <= best[0]:
        return best
    return accuracy, {name: tensor.clone() for name, tensor in network.state_dict().items()}
