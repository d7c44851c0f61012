"""What every attack shares: the state in which a network is attacked."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def attack_mode(model: nn.Module, *, train_mode: bool = False) -> Iterator[nn.Module]:
    """Put the model in eval mode with frozen parameters; restore each module and parameter on the way out.

    With `train_mode` the modules keep the mode they are in, so that batch-norm statistics move as they do
    in training, and only the parameters are frozen. Restores after an exception too.
    """
    modes = [(module, module.training) for module in model.modules()]
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        if not train_mode:
            model.eval()
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield model
    finally:
        for module, training in modes:
            module.training = training
        for parameter in trainable:
            parameter.requires_grad_(True)
