"""A run's resume state: everything that the next epoch depends on, in one file that is replaced whole."""

import io
import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch

from spatial_adversarial.runner.files import verify, write_checked


@dataclass
class State:
    """What training has reached: `epoch` epochs and `step` steps are done.

    `best` is (validation accuracy, weights) where the recipe keeps the best, `best_robust` the same under attack.
    All random streams start anew each epoch from a seed of their own, so none is stored, but within an epoch (`part`,
    as interrupt.py captures it).
    `made_of` is what the run was started with: a state is that run's alone.
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


def save(state: State, path: Path) -> None:
    """Replace the state file; a kill at any moment leaves the old or the new one."""
    buffer = io.BytesIO()  # torch does not say why it cannot write
    torch.save(vars(state), buffer)
    write_checked(path, buffer.getbuffer())


def load(path: Path, made_of: dict[str, str]) -> State | None:
    """The state to resume from, or None where there is none of this run that can be read; the log says why.

    Its tensors lie on the CPU: Adam's counters have to stay there, where reading them does not wait for a GPU.
    """
    if not path.exists():
        return None
    try:
        verify(path)
        state = State(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a damaged file; each means: begin again
        logging.warning(
            "%s cannot be read (%s): training starts anew", path, " ".join(str(error).split())[:200]
        )
        return None
    if other := [key for key, value in made_of.items() if state.made_of.get(key) != value]:
        logging.warning("%s was begun with another %s: training starts anew", path, " and ".join(other))
        return None
    return state
