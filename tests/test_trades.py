"""TRADES against a plain implementation, and mixed precision in the loop."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial import models
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.methods import Context, make
from spatial_adversarial.methods.trades import START
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.training.loop import Trainer

TRADES = {"eps": 8 / 255, "step": 0.007, "steps": 10, "beta": 5}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(**spec) -> nn.Module:
    torch.manual_seed(0)
    mean = std = [0.5] * 3
    return models.build(
        {"name": "vgg16", "width": 0.0625} | spec, channels=3, side=32, classes=10, mean=mean, std=std
    )


def batch(n: int = 12) -> tuple[Tensor, Tensor]:
    return torch.rand(n, 3, 32, 32, generator=seeded(1)), torch.arange(n) % 10


def by_hand(model: nn.Module, x: Tensor, y: Tensor, noise: Tensor) -> Tensor:
    """TRADES image by image in its textbook form: sums of p log(p / q), and projection by hand."""
    model.eval()
    clean = model(x).softmax(1).detach()
    moved = (x + START * noise).clamp(0, 1)
    for _ in range(TRADES["steps"]):
        moved = moved.detach().requires_grad_()
        q = model(moved).softmax(1)
        (clean * (clean.log() - q.log())).sum().backward()
        moved = moved + TRADES["step"] * moved.grad.sign()
        moved = torch.min(torch.max(moved, x - TRADES["eps"]), x + TRADES["eps"]).clamp(0, 1)
    model.zero_grad()
    model.train()
    logits = model(x)
    p, q = logits.softmax(1), model(moved.detach()).softmax(1)
    divergence = (p * (p.log() - q.log())).sum(1).mean()
    return functional.cross_entropy(logits, y) + TRADES["beta"] * divergence


def descended(spec: dict, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    method = make(spec)
    adversarial = method.attack(model, x, y, Context(generator))
    return method.loss(model, x, adversarial, y, criterion=functional.cross_entropy)[0]


def gradient(model: nn.Module) -> Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def test_trades_is_the_textbook_loss_with_the_textbook_gradient() -> None:
    x, y = batch()
    ours, theirs = network().double(), network().double()
    x = x.double()
    noise = torch.randn(x.shape, generator=seeded(3))
    loss = descended({"trades": TRADES}, ours.train(), x, y, seeded(3))
    expected = by_hand(theirs, x, y, noise)
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=1e-8)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(gradient(ours), gradient(theirs), rtol=1e-4, atol=1e-7)


def test_beta_weighs_the_divergence_alone() -> None:
    x, y = batch()
    losses = []
    for beta in (1, 2, 3):
        losses.append(descended({"trades": TRADES | {"beta": beta}}, network(), x, y, seeded()))
    first, second = losses[1] - losses[0], losses[2] - losses[1]
    assert first > 0
    torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-5)


def recipe(**over) -> dict:
    plain = {
        "data": "toy",
        "model": {"name": "vgg16", "width": 0.0625},
        "optimiser": {"name": "sgd", "lr": 0.001, "momentum": 0.9},
        "batch": 8,
        "epochs": 2,
    }
    return canonical(plain | over, "test")


def test_trades_at_eps_0_is_natural_training() -> None:
    assert recipe(method={"trades": TRADES | {"eps": 0}}) == recipe()


def trained(tmp_path: Path, **over) -> Tensor:
    images = 255 * batch(32)[0]
    train = ImageSet(images.to(torch.uint8), torch.arange(32) % 10, 10, [0.5] * 3, [0.25] * 3)
    trainer = Trainer(recipe(**over), seed=0, network=network(), train=train, validation=train)
    list(trainer.run(tmp_path / f"{len(over)}.pt"))
    return torch.cat(
        [tensor.flatten() for tensor in trainer.weights().values() if tensor.is_floating_point()]
    )


@pytest.mark.parametrize(
    "spec", [{}, {"pgd": {"eps": 8 / 255, "step": 2 / 255, "steps": 2}}, {"trades": TRADES}]
)
def test_bfloat16_trains_float32_weights_nearly_as_float32_does(tmp_path: Path, spec: dict) -> None:
    exact = trained(tmp_path, method=spec)
    rounded = trained(tmp_path, method=spec, precision="bfloat16")
    assert rounded.dtype == torch.float32 and not torch.equal(exact, rounded)
    assert (exact - rounded).norm() < 0.2 * exact.norm()


def test_every_group_and_network_returns_float32_logits_under_autocast() -> None:
    x, _ = batch(2)
    for group in ("z2", "p4", "p4m"):
        with torch.autocast("cpu", torch.bfloat16):
            assert network(group=group)(x).dtype == torch.float32
