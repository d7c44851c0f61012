"""The exponential mean of a run's weights."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def average(averaged: AveragedModel, network: nn.Module, decay: float) -> None:
    """Let the mean see the weights that a step has left; at decay 0 it is the network itself."""
    averaged.multi_avg_fn = get_ema_multi_avg_fn(decay)
    averaged.update_parameters(network)
    if not decay:  # the mean begins with the weights after the next step
        averaged.n_averaged.zero_()
