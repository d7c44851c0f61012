"""What a training method is."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

Criterion = Callable[[Tensor, Tensor], Tensor]


class Method(ABC):
    """Turns a batch into a loss. It holds numbers only: the loop makes it anew whenever a ramp moves one."""

    @abstractmethod
    def loss(
        self, network: nn.Module, x: Tensor, y: Tensor, *, criterion: Criterion, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """The loss to descend and the logits that the training accuracy is counted on.

        x: augmented images, float32 [N, C, H, W] in [0, 1]; y: int64 [N]; `criterion` maps (logits, y) to the
        mean loss; `generator` lives on the device of x and feeds every random draw of the method.
        The network is in train mode, and stays so.
        """
