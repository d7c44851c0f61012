"""How networks begin, held to what their authors' codes say: numbers worked out by hand, distributions by scipy."""

import math

import pytest
import torch
from scipy import stats
from torch import nn

from spatial_adversarial.models import build
from spatial_adversarial.models.groups import GroupConv2d
from spatial_adversarial.records.recipe import Optimiser
from spatial_adversarial.training.optimiser import make_optimiser, parameter_groups

MNIST = {"channels": 1, "side": 28, "classes": 10}
CIFAR = {"channels": 3, "side": 32, "classes": 10}
SGD = {"name": "sgd", "lr": 0.1, "weight_decay": 0.5}


def made(name: str, shape=CIFAR, **changes) -> nn.Module:
    torch.manual_seed(0)
    return build({"name": name} | changes, **shape)


def planar(network: nn.Module) -> list[nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d)]


def norms(network: nn.Module) -> list[nn.Module]:
    return [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def alike(tensor: torch.Tensor, cdf, count: int = 20_000) -> bool:
    """Whether numbers of the tensor may be draws from a distribution (Kolmogorov and Smirnov, p above .001)."""
    return stats.kstest(tensor.detach().flatten()[:count].numpy(), cdf).pvalue > 1e-3


def test_madrys_lenet_begins_as_tensorflows_truncated_normal():
    network = made("madry_lenet", MNIST)
    expected = stats.truncnorm(-2, 2, scale=0.1)
    assert expected.std() == pytest.approx(0.0879626, abs=1e-6)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [tuple(layer.weight.shape[:2]) for layer in layers] == [
        (32, 1),
        (64, 32),
        (1024, 3136),
        (10, 1024),
    ]
    for layer in layers:
        assert alike(layer.weight, expected.cdf)
        assert layer.weight.abs().max() <= 0.2
        assert torch.equal(layer.bias, torch.full_like(layer.bias, 0.1))
    # of 3.2 million numbers the deviation is known to a ten-thousandth
    assert layers[2].weight.std().item() == pytest.approx(0.0879626, rel=1e-3)


@pytest.mark.parametrize(
    (
        "name",
        "deviations",
    ),  # sqrt(2 / (k^2 out)): sqrt(2 / 144), sqrt(2 / 1440), sqrt(2 / 2880), sqrt(2 / 5760)
    [
        ("wideresnet34_10", {16: 0.117851, 160: 0.037268, 320: 0.026352, 640: 0.018634}),
        ("madry_resnet", {16: 0.117851, 160: 0.037268, 320: 0.026352, 640: 0.018634}),
        ("narrow_resnet32", {16: 0.117851, 32: 0.083333, 64: 0.058926}),
    ],
)
def test_pre_activation_convolutions_are_normal_at_the_fan_out(name, deviations):
    found = {}
    for layer in planar(made(name)):
        if layer.kernel_size == (3, 3):
            found.setdefault(layer.out_channels, []).append(layer.weight)
    assert found.keys() == deviations.keys()
    for outputs, weights in found.items():
        assert alike(torch.cat([w.flatten()[:2000] for w in weights]), stats.norm(0, deviations[outputs]).cdf)


def test_the_1x1_shortcuts_of_trades_network_too():
    shortcuts = [m for m in planar(made("wideresnet34_10")) if m.kernel_size == (1, 1)]
    assert [m.out_channels for m in shortcuts] == [160, 320, 640]
    for layer, deviation in zip(shortcuts, (0.111803, 0.079057, 0.055902), strict=True):  # sqrt(2 / out)
        assert alike(layer.weight, stats.norm(0, deviation).cdf)


@pytest.mark.parametrize(
    ("name", "bound", "eps"),
    [
        ("wideresnet34_10", 0.0395285, 1e-5),  # PyTorch's 1 / sqrt(640)
        ("madry_resnet", 0.0684653, 1e-3),  # TensorFlow's unit scaling, sqrt(3 / 640)
        ("narrow_resnet32", 0.2165064, 1e-3),  # sqrt(3 / 64)
    ],
)
def test_their_linear_layers_and_batch_norms(name, bound, eps):
    network = made(name)
    head = network.body.head
    assert alike(head.weight, stats.uniform(-bound, 2 * bound).cdf) and head.weight.abs().max() <= bound
    assert torch.equal(head.bias, torch.zeros(10))
    assert {norm.eps for norm in norms(network)} == {eps}
    assert {norm.momentum for norm in norms(network)} == {0.1}
    assert all((norm.weight == 1).all() and (norm.bias == 0).all() for norm in norms(network))


@pytest.mark.parametrize(
    ("name", "group", "shape", "bounds"),  # 1 / sqrt(in k^2), one a convolution, the group axis not counted
    [
        ("stdcnn", "p4", MNIST, [1 / 3, 0.105409, 0.105409, 0.074536]),
        ("resnet18", "p4m", CIFAR, [0.192450, 0.069505]),  # 1 / sqrt(27), 1 / sqrt(207)
    ],
)
def test_group_convolutions_begin_as_groupys(name, group, shape, bounds):
    for layer, bound in zip(planar(made(name, shape, group=group)), bounds, strict=False):
        assert isinstance(layer, GroupConv2d)
        assert alike(layer.weight, stats.uniform(-bound, 2 * bound).cdf)
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.05)
        assert layer.bias is None or layer.bias.abs().max() <= bound


@pytest.mark.parametrize("name", ["madry_lenet", "wideresnet34_10", "densenet121"])
def test_a_twin_keeps_them_whatever_the_planar_network_begins_with(name):
    layers = planar(made(name, group="p4", width=0.125))
    for layer in layers:
        inputs = layer.in_channels if layer.lift else layer.in_channels // 4
        assert layer.weight.abs().max() <= 1 / math.sqrt(inputs * layer.kernel_size[0] ** 2)


def test_madrys_weight_decay_is_of_convolutions_and_the_linear_layer_alone():
    network = made("narrow_resnet32", width=0.25)
    names = {parameter: name for name, parameter in network.named_parameters()}
    decayed, others = parameter_groups(network, Optimiser(**SGD, decayed="weights"))
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.5, 0)
    # 31 convolutions and the head; two numbers a channel of 31 batch norms and the head's bias
    assert len(decayed["params"]) == 32 and {p.ndim for p in decayed["params"]} == {4, 2}
    assert len(others["params"]) == 63 and {p.ndim for p in others["params"]} == {1}
    told = sorted(names[p] for p in decayed["params"] + others["params"])
    assert told == sorted(names.values())  # each once
    assert "body.head.bias" in {names[p] for p in others["params"]}


@pytest.mark.parametrize("decayed", ["all", "weights"])
def test_a_step_without_a_gradient_shrinks_what_decays(decayed):
    network = made("narrow_resnet32", width=0.25)
    for parameter in network.parameters():
        parameter.data.fill_(1)
        parameter.grad = torch.zeros_like(parameter)
    optimiser = make_optimiser(Optimiser(**SGD, decayed=decayed), network)
    for group in optimiser.param_groups:
        group["lr"] = 0.1
    optimiser.step()
    for parameter in network.parameters():
        left = 0.95 if decayed == "all" or parameter.ndim > 1 else 1  # 1 - .1 x .5
        assert torch.allclose(parameter, torch.full_like(parameter, left))
