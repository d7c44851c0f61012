"""Projected gradient descent in an L-infinity or L2 ball (Madry et al. 2018): the steps alone, without a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.losses import cross_entropy_sum
from spatial_adversarial.attacks.norm_balls import BALLS

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Loss = Callable[[Tensor, Tensor], Tensor]


def _size(name: str, value: float | Tensor, x: Tensor) -> Tensor:
    """A size as [1 or N, 1, ...], in the dtype and on the device of x."""
    import torch

    size = torch.as_tensor(value, dtype=x.dtype)
    if size.numel() not in (1, len(x)):
        raise ValueError(f"{name} has {size.numel()} values for {len(x)} images")
    if not bool((size >= 0).all()):
        raise ValueError(f"{name} must be 0 or more, not {size.min().item():g}")
    return size.to(x.device, non_blocking=True).reshape(-1, *[1] * (x.ndim - 1))


def pgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float | Tensor,
    step: float | Tensor,
    steps: int,
    generator: torch.Generator | None,
    random_start: bool = True,
    start: Tensor | None = None,
    loss: Loss = cross_entropy_sum,
    norm: str = "linf",
    keep_best: bool = False,
    low: float = 0.0,
    high: float = 1.0,
    train_mode: bool = False,
    watch: Callable[[Tensor], object] | None = None,
) -> Tensor:
    """Maximise the loss within eps of x and within [low, high] by steps along the gradient, normalised.

    A step of `norm` "linf" goes along the gradient's sign, one of "l2" along the gradient at L2 length `step`.

    model: returns logits [N, K]. x: float [N, C, H, W]. y: what the loss compares with, int64 labels [N] by
    default. eps, step: floats or tensors [N], in units of x. loss: (logits, y) -> [N] or their sum. The
    first iterate is `start` if given, else uniform in the ball if `random_start`, else x. The model is attacked
    in eval mode unless `train_mode`, and left as it was. `watch` is called with each step's gradient, [N, C, H, W].
    Returns the last iterate or, with `keep_best`, the one of largest loss (which must then give [N]), detached,
    in the dtype of x. ValueError for a negative eps, step or number of steps, an unknown norm, and a random start
    without a generator.

    Each iterate is clamp(clamp(x' + step * sign, x - eps, x + eps), low, high): first the ball, then the
    range, and x itself need not lie in the range. So `pgd(model.body, model.normalise(x), y, low=-1,
    high=1, ...)` is the attack in normalised inputs of the papers' code, where pixels brighter than 1 + eps
    are brought down to 1, outside their ball. eps 0 gives exactly clamp(x, low, high).
    """
    import torch

    if steps < 0:
        raise ValueError(f"steps must be 0 or more, not {steps}")
    if norm not in BALLS:
        raise ValueError(f"norm {norm!r} is none of {', '.join(BALLS)}")
    x = x.detach()
    radius, step = _size("eps", eps, x), _size("step", step, x)
    ball = BALLS[norm](x, radius, low, high)
    if start is not None:
        x = start.detach()
    elif random_start:
        if generator is None:
            raise ValueError("a random start needs a generator")
        x = ball.draw(generator)
    x = ball.project(x)
    best = (x, torch.full((len(x),), -torch.inf, dtype=x.dtype, device=x.device))
    with attack_mode(model, train_mode=train_mode):
        for _ in range(steps):
            losses, gradient = _climb(model, x, y, loss)
            if watch is not None:
                watch(gradient)
            best = _better(best, x, losses) if keep_best else best
            x = ball.project(x.addcmul(ball.direction(gradient), step))
        if keep_best:
            with torch.no_grad():
                x, _ = _better(best, x, loss(model(x), y))
    return x


def _better(best: tuple[Tensor, Tensor], x: Tensor, losses: Tensor) -> tuple[Tensor, Tensor]:
    """Each image's best iterate and its loss so far; the first of equal ones stays."""
    import torch

    higher = losses > best[1]
    return torch.where(higher[:, None, None, None], x, best[0]), torch.where(higher, losses, best[1])


def input_gradient(model: nn.Module, x: Tensor, y: Tensor, loss: Loss = cross_entropy_sum) -> Tensor:
    """Gradient [N, C, H, W] of the summed loss with respect to x alone; also inside `torch.no_grad`."""
    return _climb(model, x, y, loss)[1]


def _climb(model: nn.Module, x: Tensor, y: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """What the loss gives at x, and the gradient of its sum."""
    import torch

    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        losses = loss(model(leaf), y)
        return losses.detach(), torch.autograd.grad(losses.sum(), leaf)[0]
