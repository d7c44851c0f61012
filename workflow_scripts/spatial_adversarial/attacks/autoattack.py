"""AutoAttack (Croce and Hein 2020), run by the authors' code in the package pyautoattack, with fixed seeds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatial_adversarial.attacks.base import FORWARD, INPUT_GRADIENT, ExampleAttack, attack_mode, count_words
from spatial_adversarial.settings.fields import setting

if TYPE_CHECKING:
    from torch import Tensor, nn

STANDARD = {"steps": 100, "targets": 9, "queries": 5000}  # AutoAttack's standard version
FEW_CLASSES = "APGD-CE, targeted FAB and Square"  # of its attacks, what less than four classes leave


def autoattack(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    seed: int,
    steps: int = STANDARD["steps"],
    targets: int = STANDARD["targets"],
    queries: int = STANDARD["queries"],
    targeted_apgd: bool = True,
) -> Tensor:
    """L-inf AutoAttack (Croce and Hein 2020): APGD-CE, targeted APGD and FAB, Square, each on what is left.

    x: float32 [N, C, H, W] in [0, 1]; y: int64 [N]. With the default budget this is its standard version; `steps`
    of APGD and FAB, target classes and Square's queries make it smaller. Returns adversarial examples, x itself
    where none was found. The model is attacked in eval mode and left as it was, torch's global generator too.
    Targeted APGD's loss (DLR) takes the four largest logits: without four classes, `targeted_apgd` has to be False.
    ValueError for more targets than there are other classes.
    """
    import torch

    with package_mode(model, x):
        with torch.no_grad():
            classes = model(x[:1]).shape[1]
        if targets >= classes or (targeted_apgd and classes < 4):
            wanted = f"targets: {targets}" if targets >= classes else "targeted APGD"
            raise ValueError(f"AutoAttack: {wanted}, but the network tells {classes} classes")
        attack = package().AutoAttack(model, eps=eps, seed=seed, device=x.device, version="standard")
        attack.apgd.n_iter = attack.apgd_targeted.n_iter = attack.fab.n_iter = steps
        attack.apgd_targeted.n_target_classes = attack.fab.n_target_classes = targets
        attack.square.n_queries = queries
        if not targeted_apgd:
            attack.attacks_to_run.remove("apgd-t")
        return attack.run_standard_evaluation(x, y, batch_size=len(x))[0]


def package():
    """The authors' code, which reports its progress on a quiet level."""
    import pyautoattack

    logging.getLogger("auto-attack").setLevel(logging.DEBUG)
    return pyautoattack


@contextmanager
def package_mode(model: nn.Module, x: Tensor) -> Iterator[None]:
    """Eval mode, and torch's global generators, which the package seeds, put back afterwards."""
    import torch

    devices = [x.device] if x.is_cuda else []
    with attack_mode(model), torch.random.fork_rng(devices=devices):
        yield


@dataclass(frozen=True, kw_only=True)
class AutoAttack(ExampleAttack):
    """APGD-CE, targeted APGD and FAB, and Square, each on what is left."""

    name = "autoattack"
    label = "AutoAttack"
    steps: int = setting("Steps of APGD and FAB.", type="integer", minimum=1)
    queries: int = setting("Queries of Square.", type="integer", minimum=2)
    targets: int = setting("Classes that the targeted attacks try.", type="integer", minimum=1)
    targeted_apgd: bool = setting(
        "Whether targeted APGD is run; left out with less than four classes.", default=True, type="boolean"
    )

    def fitted(self, classes: int, data: str) -> dict:
        """Nine targets, the standard, or all other classes where they are fewer; below four classes no targeted APGD.

        ValueError for another number of targets that is too large.
        """
        others = classes - 1
        if self.targets > others and self.targets != STANDARD["targets"]:
            raise ValueError(f"targets: {self.targets}, but {data} has {others} other classes")
        return {"targets": min(self.targets, others), "targeted_apgd": self.targeted_apgd and others >= 3}

    @property
    def note(self) -> str:
        return (
            "" if self.targeted_apgd else f"AutoAttack is {FEW_CLASSES}: there are too few classes for more."
        )

    def settings_words(self) -> list[str]:
        words = ["standard version", *self.restarts_words()]
        if any(getattr(self, key) != full for key, full in STANDARD.items()):
            counts = count_words(targets=self.targets, queries=self.queries)
            words = [
                "not the standard version",
                *count_words(steps=self.steps),
                *self.restarts_words(),
                *counts,
            ]
        return words + ([] if self.targeted_apgd else [f"of {FEW_CLASSES}"])

    def passes(self, point: float, classes: int) -> float:
        # APGD alone and by target; FAB's steps look at the prediction too
        apgd = 1 + self.targets * self.targeted_apgd
        steps = apgd * INPUT_GRADIENT + self.targets * (INPUT_GRADIENT + FORWARD)
        return self.restarts * (self.steps * steps + self.queries * FORWARD)

    def examples(self, model: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int) -> Tensor:
        budget = {key: getattr(self, key) for key in (*STANDARD, "targeted_apgd")}
        return autoattack(model, x, y, eps=eps, seed=seed, **budget)


ATTACK = AutoAttack
