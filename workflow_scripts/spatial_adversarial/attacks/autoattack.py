"""AutoAttack and Square, run by the authors' code in the package pyautoattack, with fixed seeds."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from spatial_adversarial.attacks.base import attack_mode


class InParts(nn.Module):
    """A network that takes at most `batch` images at once, also backwards, so that a block fits the memory."""

    def __init__(self, network: nn.Module, batch: int):
        super().__init__()
        self.network, self.batch = network, batch

    def forward(self, x: Tensor) -> Tensor:
        if len(x) <= self.batch:
            return self.network(x)
        return torch.cat(
            [checkpoint(self.network, part, use_reentrant=False) for part in x.split(self.batch)]
        )


def autoattack(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    seed: int,
    steps: int = 100,
    targets: int = 9,
    queries: int = 5000,
    targeted_apgd: bool = True,
) -> Tensor:
    """L-inf AutoAttack (Croce and Hein 2020): APGD-CE, targeted APGD and FAB, Square, each on what is left.

    x: float32 [N, C, H, W] in [0, 1]; y: int64 [N]. With the default budget this is its standard version; `steps`
    of APGD and FAB, target classes and Square's queries make it smaller. Returns adversarial examples, x itself
    where none was found. The model is attacked in eval mode and left as it was, torch's global generator too.
    Targeted APGD's loss (DLR) takes the four largest logits: without four classes, `targeted_apgd` has to be False.
    ValueError for more targets than there are other classes.
    """
    with _attacked(model, x):
        with torch.no_grad():
            classes = model(x[:1]).shape[1]
        if targets >= classes or (targeted_apgd and classes < 4):
            wanted = f"targets: {targets}" if targets >= classes else "targeted APGD"
            raise ValueError(f"AutoAttack: {wanted}, but the network tells {classes} classes")
        attack = _package().AutoAttack(model, eps=eps, seed=seed, device=x.device, version="standard")
        attack.apgd.n_iter = attack.apgd_targeted.n_iter = attack.fab.n_iter = steps
        attack.apgd_targeted.n_target_classes = attack.fab.n_target_classes = targets
        attack.square.n_queries = queries
        if not targeted_apgd:
            attack.attacks_to_run.remove("apgd-t")
        return attack.run_standard_evaluation(x, y, batch_size=len(x))[0]


def square(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int, queries: int = 5000) -> Tensor:
    """The L-inf Square attack (Andriushchenko et al. 2020), p = .8, as AutoAttack runs it, `queries` at most.

    Arguments and result are those of `autoattack`.
    """
    _package()
    from pyautoattack.square import SquareAttack

    with _attacked(model, x), torch.no_grad():
        # it asks once for its start, and once an image at each query after that
        attack = SquareAttack(
            model, eps=eps, n_queries=queries - 1, p_init=0.8, seed=seed, device=x.device, resc_schedule=False
        )
        return attack.perturb(x, y)


def _package():
    import pyautoattack

    # the package tells its progress at this level
    logging.getLogger("auto-attack").setLevel(logging.DEBUG)
    return pyautoattack


@contextmanager
def _attacked(model: nn.Module, x: Tensor) -> Iterator[None]:
    """Eval mode, and torch's global generators, which the package seeds, put back afterwards."""
    devices = [x.device] if x.is_cuda else []
    with attack_mode(model), torch.random.fork_rng(devices=devices):
        yield
