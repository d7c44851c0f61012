"""PGD that stops early, image by image, as friendly (FAT) and early-stopped (ATES) adversarial training use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.losses import cross_entropy_sum

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def probability_margin(logits: Tensor, y: Tensor) -> Tensor:
    """The largest probability of another class less that of the label, [N] in [-1, 1]; above 0 is a mistake."""
    from torch.nn import functional

    probability = logits.softmax(1)
    others = probability.masked_fill(functional.one_hot(y, logits.shape[1]).bool(), -1)
    return others.amax(1) - probability.gather(1, y[:, None])[:, 0]


def early_stopped_pgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    step: float,
    steps: int,
    generator: torch.Generator,
    threshold: float = 0.0,
    patience: int = 0,
    noise: float = 0.0,
) -> Tensor:
    """L-inf PGD from a random start that leaves an image once it was past `threshold` `patience` + 1 times.

    An iterate is past the threshold where its `probability_margin` is above it; at 0 that is a mistake of the
    network. Each step adds `noise` N(0, 1), as FAT's code does. x: float32 [N, C, H, W] in [0, 1]; y: int64 [N];
    eps, step, noise: in pixels of [0, 1]. The model is attacked in eval mode and left as it was. Returns the last
    iterates, detached.
    """
    import torch

    lower, upper = (x - eps).clamp(min=0), (x + eps).clamp(max=1)
    unit = torch.rand(x.shape, generator=generator, device=x.device)
    moved = (x + eps * (2 * unit - 1)).clamp(lower, upper)
    left = torch.full((len(x),), patience, device=x.device)
    active = torch.arange(len(x), device=x.device)
    with attack_mode(model), torch.enable_grad():
        for _ in range(steps):
            leaf = moved[active].requires_grad_()
            logits = model(leaf)
            (gradient,) = torch.autograd.grad(cross_entropy_sum(logits, y[active]), leaf)
            left[active] -= (probability_margin(logits.detach(), y[active]) > threshold).long()
            going = left[active] >= 0
            active = active[going]
            if not len(active):
                break
            stepped = moved[active] + step * gradient[going].sign()
            if noise:
                stepped += noise * torch.randn(stepped.shape, generator=generator, device=x.device)
            moved[active] = stepped.clamp(lower[active], upper[active])
    return moved
