"""The exponential mean of a network, as OA-AT looks through it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from spatial_adversarial.methods.base import Memory

if TYPE_CHECKING:
    from torch import Tensor, nn


class AveragedNetwork(Memory):
    """The exponential mean of the network's weights and statistics; `saved` is it at the end of the last epoch.

    `saved` is in eval mode and takes no gradients; until the first epoch ends it is the untrained network.
    With decay 0 there is no averaging: `saved` is the network as the last epoch left it.
    """

    def __init__(self, network: nn.Module, decay: float):
        from torch import nn
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.saved = deepcopy(network).eval().requires_grad_(False)
        self._both = nn.ModuleDict({"average": self.average, "saved": self.saved})

    def after_batch(self, network: nn.Module) -> None:
        self.average.update_parameters(network)

    def after_epoch(self) -> None:
        self.saved.load_state_dict(self.average.module.state_dict())

    def state_dict(self) -> dict[str, Tensor]:
        return self._both.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._both.load_state_dict(state)
