"""Projected gradient descent in the L-infinity ball (Madry et al. 2018)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial.attacks.base import attack_mode

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy_sum(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy summed over the batch, so that no image's gradient depends on the batch size."""
    return functional.cross_entropy(logits, y, reduction="sum")


def divergence_sum(logits: Tensor, clean: Tensor) -> Tensor:
    """KL(clean || softmax(logits)) summed over the batch; clean: probabilities [N, K] on the clean images."""
    return functional.kl_div(logits.log_softmax(1), clean, reduction="sum")


def _size(name: str, value: float | Tensor, x: Tensor) -> Tensor:
    """A size as [1 or N, 1, ...], in the dtype and on the device of x."""
    size = torch.as_tensor(value, dtype=x.dtype)
    if size.numel() not in (1, len(x)):
        raise ValueError(f"{name} has {size.numel()} values for {len(x)} images")
    if not bool((size >= 0).all()):
        raise ValueError(f"{name} must be 0 or more, not {size.min().item():g}")
    return size.to(x.device).reshape(-1, *[1] * (x.ndim - 1))


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
    low: float = 0.0,
    high: float = 1.0,
    train_mode: bool = False,
) -> Tensor:
    """Maximise the loss within eps of x and within [low, high] by steps along the gradient's sign.

    model: returns logits [N, K]. x: float [N, C, H, W]. y: what the loss compares with, int64 labels [N] by
    default. eps, step: floats or tensors [N], in units of x. loss: (logits, y) -> [N] or their sum. The
    first iterate is `start` if given, x + U(-eps, eps) if `random_start`, else x. The model is attacked in
    eval mode unless `train_mode`, and left as it was. Returns the last iterate, detached, in the dtype of
    x. ValueError for a negative eps, step or number of steps, and for a random start without a generator.

    Each iterate is clamp(clamp(x' + step * sign, x - eps, x + eps), low, high): first the ball, then the
    range, and x itself need not lie in the range. So `pgd(model.body, model.normalise(x), y, low=-1,
    high=1, ...)` is the attack in normalised inputs of the papers' code, where pixels brighter than 1 + eps
    are brought down to 1, outside their ball. eps 0 gives exactly clamp(x, low, high).
    """
    if steps < 0:
        raise ValueError(f"steps must be 0 or more, not {steps}")
    if random_start and start is None and generator is None:
        raise ValueError("a random start needs a generator")
    x = x.detach()
    radius, step = _size("eps", eps, x), _size("step", step, x)
    # one clamp between clamped bounds equals the ball, then the range
    lower, upper = (x - radius).clamp_(low, high), (x + radius).clamp_(low, high)
    if start is not None:
        x = start.detach()
    elif random_start:
        unit = torch.rand(x.shape, dtype=x.dtype, device=generator.device, generator=generator).to(x.device)
        x = x + radius * (2 * unit - 1)
    x = x.clamp(lower, upper)
    with attack_mode(model, train_mode=train_mode):
        for _ in range(steps):
            gradient = input_gradient(model, x, y, loss)
            x = x.addcmul_(gradient.sign_(), step).clamp_(lower, upper)
    return x


def input_gradient(model: nn.Module, x: Tensor, y: Tensor, loss: Loss = cross_entropy_sum) -> Tensor:
    """Gradient [N, C, H, W] of the summed loss with respect to x alone; also inside `torch.no_grad`."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(loss(model(leaf), y).sum(), leaf)[0]
