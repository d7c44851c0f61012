"""DeepFool in the L2 norm (Moosavi-Dezfooli, Fawzi and Frossard 2016, Algorithm 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spatial_adversarial.attacks.base import FORWARD, Perturbation, attack_mode
from spatial_adversarial.attacks.block import Block, Found

if TYPE_CHECKING:
    from torch import Tensor, nn

CLASSES, STEPS = 10, 50
STEPS_ON_AVERAGE = 3  # that an image takes: the method's authors saw fewer


class DeepFoolResult(NamedTuple):
    """Where DeepFool ended, per image."""

    perturbed: Tensor  # as x
    distance: Tensor  # [N], L2 norm of perturbed - x, in units of x
    fooled: Tensor  # bool [N], the prediction changed
    prediction: Tensor  # int64 [N], the prediction on perturbed


def deepfool(
    model: nn.Module,
    x: Tensor,
    *,
    classes: int = CLASSES,
    steps: int = STEPS,
    overshoot: float = 0.02,
    low: float = -math.inf,
    high: float = math.inf,
) -> DeepFoolResult:
    """Walk each image to the nearest linearised decision boundary until its prediction changes.

    model: returns logits [N, K], attacked in eval mode and left as it was. x: float [N, C, H, W]; distances
    are in its space, so `deepfool(model.body, model.normalise(x))` measures them in normalised inputs.
    classes: the candidates, by the largest logits on x, its own class among them. overshoot: share by which
    the perturbation is lengthened. low, high: range to which each iterate is clamped. An image never fooled
    within `steps` has `fooled` False and the distance of where it ended. ValueError for fewer than two
    classes or one step.
    """
    import torch

    if classes < 2 or steps < 1:
        raise ValueError(f"DeepFool needs 2 classes and 1 step at least, not {classes} and {steps}")
    x = x.detach()
    perturbed, total = x.clone(), torch.zeros_like(x)
    with attack_mode(model):
        with torch.no_grad():
            logits = model(x)
        candidates = logits.topk(min(classes, logits.shape[1]), dim=1).indices
        original = candidates[:, 0]
        prediction = original.clone()
        active = torch.arange(len(x), device=x.device)
        for _ in range(steps):
            total[active] += _step_to_boundary(model, perturbed[active], candidates[active])
            iterate = (x[active] + (1 + overshoot) * total[active]).clamp(low, high)
            perturbed[active] = iterate
            with torch.no_grad():
                prediction[active] = model(iterate).argmax(1)
            active = active[prediction[active] == original[active]]
            if len(active) == 0:
                break
    distance = (perturbed - x).flatten(1).norm(dim=1)
    return DeepFoolResult(perturbed, distance, prediction != original, prediction)


def _step_to_boundary(model: nn.Module, x: Tensor, candidates: Tensor) -> Tensor:
    """Shortest step from x to the linearised boundary between candidates[:, 0] and one of the others."""
    import torch

    scores, gradients = _candidate_gradients(model, x, candidates)
    gap = (scores[:, 1:] - scores[:, :1]).abs()
    normal = (gradients[:, 1:] - gradients[:, :1]).flatten(2)
    length = normal.norm(dim=2).clamp_min(1e-12)  # where the gradients vanish the step is zero, not NaN
    distance = gap / length
    rows, nearest = torch.arange(len(x), device=x.device), distance.argmin(1)
    scale = distance[rows, nearest] / length[rows, nearest]
    return (scale[:, None] * normal[rows, nearest]).view_as(x)


def _candidate_gradients(model: nn.Module, x: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Logits [N, k] of the candidate classes and their gradients [N, k, C, H, W] with respect to x."""
    import torch

    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        scores = model(leaf).gather(1, candidates)
        # one forward pass and k backward passes: faster than vmap or k copies of the batch
        gradients = [torch.autograd.grad(score.sum(), leaf, retain_graph=True)[0] for score in scores.T]
    return scores.detach(), torch.stack(gradients, 1)


@dataclass(frozen=True, kw_only=True)
class DeepFool(Perturbation):
    """The distance to the nearest boundary, found by DeepFool's own settings: it has no budget."""

    name = "deepfool"
    label = "DeepFool"
    rows = ("prediction", "distance")
    labels = ()
    deterministic = True
    in_blocks = False

    def keeps_clean(self, point: float) -> bool:
        return False

    def words(self, point: float) -> list[str]:
        return []

    def passes(self, point: float, classes: int) -> float:
        # each step: a gradient for each class, and a look at the prediction
        return STEPS_ON_AVERAGE * (2 * FORWARD + min(classes, CLASSES))

    def predictions(self, block: Block, point: float) -> Found:
        import torch

        found = [
            deepfool(block.space.model, block.space.inputs(part))
            for part in block.pixels().split(block.batch)
        ]
        return {name: torch.cat([getattr(one, name) for one in found]) for name in self.rows}


ATTACK = DeepFool
