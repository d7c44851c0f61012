"""What a training method is: its settings, its passes for the plan, its attack and its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Criterion = Callable[[Tensor, Tensor], Tensor]

TRAIN_STEP = 3  # passes of an image: forward, and backward to the input and to the parameters

# JSON schemas of settings that may be a number or a schedule of it; records/recipe.py has their definitions
POSITIVE, SHARE, WEIGHT, COUNT = (
    {"$ref": f"#/$defs/{name}"} for name in ("positive", "share", "weight", "count")
)


class Memory:
    """What a method keeps from batch to batch; its state dict is part of the run's checkpoint."""

    def after_batch(self, network: nn.Module) -> None:
        """Called when the optimiser has moved the network."""

    def after_epoch(self) -> None:
        """Called at the end of each epoch."""

    def state_dict(self) -> dict[str, Tensor]:
        """All that it keeps."""
        raise NotImplementedError

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Keep what a `state_dict` says."""
        raise NotImplementedError


@dataclass
class Context:
    """What a method draws on besides the batch itself."""

    generator: torch.Generator  # on the device of the batch; feeds every random draw
    batch: int = 0  # number of the batch in its epoch, counted from 0
    memory: Memory | None = None  # what the method's own `memory` made


@dataclass(kw_only=True)
class Method:
    """Turns a batch into adversarial examples, and both into a loss; its fields are its settings.

    It is made anew for each batch, from numbers whose schedules are resolved. The network is in train mode, and
    stays so; x is the augmented batch, float32 [N, C, H, W] in [0, 1], and y its labels, int64 [N].

    version: raise it where what the method computes changes, and its runs get new ids. published: its name in
    figures/published. loss_passes: passes of an image through the network in `loss`, with the gradient.
    """

    version = 1
    published: ClassVar[str | None] = None
    loss_passes = TRAIN_STEP

    @property
    def attack_passes(self) -> float:
        """Passes of an image through the network in `attack`; at most, where images may leave it early."""
        return 0

    @property
    def passes(self) -> float:
        """Passes of an image in a training step."""
        return self.attack_passes + self.loss_passes

    def memory(self, network: nn.Module) -> Memory | None:
        """The memory that training with this method begins with, of a network not trained yet."""
        return None

    def attack(self, network: nn.Module, x: Tensor, y: Tensor, context: Context) -> Tensor:
        """Adversarial examples of x, detached, shaped like it; the clean images where a method has none."""
        return x

    def loss(
        self, network: nn.Module, x: Tensor, adversarial: Tensor, y: Tensor, *, criterion: Criterion
    ) -> tuple[Tensor, Tensor]:
        """The loss to descend, and the logits that the training accuracy is counted on.

        `criterion` maps (logits, y) to the mean loss. By default it is taken on the adversarial examples alone.
        """
        logits = network(adversarial)
        return criterion(logits, y), logits

    def climbed(
        self,
        network: nn.Module,
        x: Tensor,
        adversarial: Tensor,
        y: Tensor,
        *,
        reach: float,
        criterion: Criterion,
    ) -> Tensor:
        """What adversarial weight perturbation climbs: by default the loss, at the attack times `reach`."""
        return self.loss(network, x, stretched(x, adversarial, reach), y, criterion=criterion)[0]

    def after_loss(self, network: nn.Module, x: Tensor) -> None:
        """Called once the loss is taken, before the step: what else the authors' codes let batch norm see."""


def stretched(x: Tensor, adversarial: Tensor, reach: float) -> Tensor:
    """x + reach (x' - x), cut to [0, 1]."""
    return (x + reach * (adversarial - x)).clamp(0, 1)


def see_again(network: nn.Module, x: Tensor) -> None:
    """Pass images once more in train mode, so that the running statistics of batch norm move as by a further pass.

    TRADES' code, and all that come from it, take the clean prediction anew for each term of the loss. The gradients
    are those of one pass; the statistics that are evaluated are not. Nothing happens to a network without batch norm.
    """
    import torch
    from torch.nn.modules.batchnorm import _BatchNorm

    if any(isinstance(module, _BatchNorm) for module in network.modules()):
        with torch.no_grad():
            network(x)
