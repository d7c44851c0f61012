"""KL where probabilities underflow: known gradients, and every loss and attack that climbs or descends it."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial.attacks.losses import divergence_each, divergence_sum
from spatial_adversarial.methods import Context, make
from spatial_adversarial.methods.oaat import log_mixture

TRADES = {"eps": 0.1, "step": 0.05, "steps": 2, "beta": 6}
OAAT = {
    "eps": 0.06,
    "steps": 2,
    "beta": 2,
    "lpips": 0,
    "start": 0.01,
    "imperceptible": 0.05,
    "largest": 0.1,
    "batches": ["sensitive"],
}


def gradients(clean: list[float], moved: list[float]) -> tuple[float, Tensor, Tensor]:
    """KL(softmax(clean) || softmax(moved)) of one image, and its gradients by both logits."""
    p, q = (torch.tensor([logits], requires_grad=True) for logits in (clean, moved))
    value = divergence_sum(q, p.log_softmax(1))
    value.backward()
    return value.item(), p.grad[0], q.grad[0]


def test_a_clean_probability_that_underflows_has_the_gradient_of_the_limit():
    value, by_clean, by_moved = gradients([120.0, 0.0, 0.0], [100.0, 0.0, 5.0])
    assert value == 0
    for gradient in (by_clean, by_moved):
        assert gradient.tolist() == pytest.approx([0, 0, 0], abs=1e-30)


def test_an_attacked_probability_that_underflows():
    """p = (1/2, 1/2, 0), q = (1, 0, 0): KL = log(1/2) + 120 / 2; by z: p (log p/q - KL), by the other: q - p."""
    value, by_clean, by_moved = gradients([0.0, 0.0, -200.0], [120.0, 0.0, 0.0])
    assert value == pytest.approx(60 - math.log(2))
    torch.testing.assert_close(by_clean, torch.tensor([-30.0, 30.0, 0.0]))
    torch.testing.assert_close(by_moved, torch.tensor([0.5, -0.5, 0.0]))


def test_ordinary_probabilities_in_the_textbook_form():
    logits = torch.randn(2, 8, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p, q = logits.softmax(2)
    torch.testing.assert_close(divergence_each(logits[1], p.log()), (p * (p / q).log()).sum(1))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_mixture_of_two_predictions(share):
    logits = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    logs = logits.log_softmax(2)
    found = log_mixture(share, *logs)
    torch.testing.assert_close(found.exp(), share * logs[0].exp() + (1 - share) * logs[1].exp())
    found.sum().backward()
    assert logits.grad.isfinite().all()


def steep() -> nn.Module:
    """A network so sure that all but one of its float32 probabilities are 0."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    with torch.no_grad():
        network[1].weight *= 2000
    return network


@pytest.mark.parametrize(
    "spec",
    [
        {"trades": TRADES},
        {"oaat": OAAT | {"alpha": 1.0}},
        {"oaat": OAAT | {"alpha": 0.8}},
        {"oaat": OAAT | {"alpha": 0.8, "reverse": True}},
        {"oaat": OAAT | {"alpha": 0.8, "climb": "kl"}},
        {"oaat": OAAT | {"alpha": 0.8, "eps": 0.04}},
    ],
    ids=str,
)
def test_every_method_has_finite_gradients_where_probabilities_are_0(spec):
    network = steep()
    x, y = torch.rand(16, 3, 4, 4, generator=torch.Generator().manual_seed(1)), torch.arange(16) % 4
    assert (network(x).softmax(1) == 0).any()
    method = make(spec)
    adversarial = method.attack(network, x, y, Context(torch.Generator().manual_seed(2)))
    loss, _ = method.loss(network, x, adversarial, y, criterion=functional.cross_entropy)
    loss.backward()
    assert loss.isfinite() and all(weight.grad.isfinite().all() for weight in network.parameters())
