"""Every network of the papers: counts, shapes, gradients, group twins."""

from math import isnan

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from spatial_adversarial.models import BUILDERS, build
from spatial_adversarial.models.counting import describe, equivariance_error
from spatial_adversarial.models.groups import act
from spatial_adversarial.models.layers import PolarConv2d

MNIST = {"channels": 1, "side": 28, "classes": 10}
CIFAR = {"channels": 3, "side": 32, "classes": 10}
COUNTS = [
    ({"name": "stdcnn"}, MNIST, 23_010),
    ({"name": "stdcnn", "group": "p4"}, MNIST, 89_910),
    ({"name": "madry_lenet"}, MNIST, 3_274_634),
    ({"name": "vgg16"}, CIFAR, 14_728_266),
    ({"name": "vgg16", "group": "p4"}, CIFAR, 14_726_186),
    ({"name": "resnet18"}, CIFAR, 11_173_962),
    ({"name": "resnet18", "group": "p4"}, CIFAR, 11_173_418),
    ({"name": "resnet18", "group": "p4m"}, CIFAR, 11_201_415),
    ({"name": "resnet34"}, CIFAR, 21_282_122),
    ({"name": "resnet50"}, CIFAR, 23_520_842),
    ({"name": "densenet121"}, CIFAR, 6_956_426),
    ({"name": "wideresnet34_10"}, CIFAR, 46_160_474),
    ({"name": "madry_resnet"}, CIFAR, 45_901_914),
]
NO_TWIN = {"mlp_a", "mlp_b", "ptn_resnet18", "ptn_resnet34"}


def tiny(name: str, group: str = "z2", **shape: int) -> nn.Module:
    """Return an eighth of a network, always the same one."""
    torch.manual_seed(0)
    return build({"name": name, "group": group, "width": 0.125}, **{**CIFAR, **shape})


def pixels(count: int, channels: int, side: int) -> torch.Tensor:
    """Return uniformly random images in [0, 1]."""
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("spec", "shape", "count"), COUNTS)
def test_parameter_counts_are_the_published_ones(spec, shape, count):
    with torch.device("meta"):
        network = build(spec, **shape)
    assert sum(p.numel() for p in network.parameters()) == count


def test_the_p4m_resnet18_has_the_published_widths():
    with torch.device("meta"):
        network = build({"name": "resnet18", "group": "p4m"}, **CIFAR)
    widths = {m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)}
    assert widths == {23, 45, 91, 181}


@pytest.mark.parametrize(("side", "channels", "classes"), [(28, 1, 10), (32, 3, 100), (64, 3, 200)])
@pytest.mark.parametrize("name", BUILDERS)
def test_forward_and_backward_at_reduced_width(name, side, channels, classes):
    network = tiny(name, side=side, channels=channels, classes=classes)
    x = pixels(2, channels, side).requires_grad_()
    logits = network(x)
    assert logits.shape == (2, classes) and logits.dtype == torch.float32
    nn.functional.cross_entropy(logits, torch.tensor([0, 9])).backward()
    assert x.grad.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("group", ["p4", "p4m"])
@pytest.mark.parametrize("name", [name for name in BUILDERS if name not in NO_TWIN])
def test_twins_run_and_reload(name, group):
    network = tiny(name, group, side=28)
    other = build({"name": name, "group": group, "width": 0.125}, channels=3, side=28, classes=10)
    x = pixels(2, 3, 28)
    network(x).sum().backward()
    other.load_state_dict(network.state_dict())
    network.eval()
    other.eval()
    with torch.no_grad():
        assert torch.equal(network(x), other(x))
        assert torch.equal(network.body.head(network.features(x)), network(x))


@pytest.mark.parametrize("name", ["vgg16", "stdcnn", "densenet121", "madry_lenet"])
@pytest.mark.parametrize("group", ["p4", "p4m"])
def test_networks_without_strides_are_equivariant_end_to_end(name, group):
    assert equivariance_error(tiny(name, group), channels=3, side=32, seed=0) < 1e-10


@pytest.mark.parametrize(("name", "group"), [("resnet18", "p4"), ("vgg16", "z2")])
def test_other_networks_are_not(name, group):
    network = tiny(name, group)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    error = equivariance_error(network, channels=3, side=32, seed=0)
    assert 0.05 < error < 2
    assert error == equivariance_error(network, channels=3, side=32, seed=0) and network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_twins_keep_the_parameters_or_the_channels():
    counts = {}
    for group, channels in (("z2", "same"), ("p4", "same"), ("p4", "matched"), ("p4m", "matched")):
        spec = {"name": "resnet18", "group": group, "channels": channels, "width": 0.5}
        counts[group, channels] = sum(p.numel() for p in build(spec, **CIFAR).parameters())
    plain = counts["z2", "same"]
    assert counts["p4", "same"] == pytest.approx(4 * plain, rel=0.01)
    assert counts["p4", "matched"] == pytest.approx(plain, rel=0.03)
    assert counts["p4m", "matched"] == pytest.approx(plain, rel=0.03)


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "densenet121", "madry_resnet"])
def test_channels_last_changes_nothing_and_autocast_runs(name):
    network, x = tiny(name, "p4m").eval(), pixels(2, 3, 32)
    with torch.no_grad():
        expected = network(x)
        network.to(memory_format=torch.channels_last)
        assert torch.allclose(network(x.to(memory_format=torch.channels_last)), expected, atol=1e-4)
        with torch.autocast("cpu", torch.bfloat16):
            assert network(x).isfinite().all()


def test_an_mlp_has_no_feature_maps_and_no_twin():
    assert isnan(equivariance_error(tiny("mlp_a"), channels=3, side=32, seed=0))
    with pytest.raises(ValueError, match="MLP"):
        tiny("mlp_a", "p4")


def test_a_twin_classifies_turned_images_by_permuted_features():
    network = tiny("vgg16", "p4").eval()
    x = pixels(2, 3, 32)
    with torch.no_grad():
        maps, turned = network.feature_maps(x), network.feature_maps(torch.rot90(x, 1, (-2, -1)))
    assert torch.allclose(turned, act(maps, 1, "p4"), atol=1e-5)


@pytest.mark.parametrize("group", ["z2", "p4"])
@pytest.mark.parametrize("name", ["stdcnn", "vgg16", "madry_resnet", "densenet121"])
def test_multiply_adds_are_half_of_the_flops_torch_counts(name, group):
    network = tiny(name, group).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(pixels(1, 3, 32))
    counted = describe(network, channels=3, side=32)
    assert 2 * counted["multiply_adds"] == counter.get_total_flops()
    assert counted["parameters"] == sum(row["parameters"] for row in counted["layers"])


def test_the_gcnn_is_described_as_the_papers_table_does():
    network = build({"name": "stdcnn", "group": "p4"}, **MNIST)
    rows = describe(network, channels=1, side=28)["layers"]
    assert [row["operation"] for row in rows] == [
        "P4ConvZ2(10, 3x3) + ReLU",
        "P4ConvP4(10, 3x3) + ReLU",
        "MaxPool(2x2)",
        "P4ConvP4(20, 3x3) + ReLU",
        "P4ConvP4(20, 3x3) + ReLU",
        "MaxPool(2x2)",
        "FC(50) + ReLU",
        "Dropout(0.5)",
        "FC(10)",
    ]
    assert [row["parameters"] for row in rows] == [100, 3610, 0, 7220, 14420, 0, 64050, 0, 510]
    assert rows[5]["output"] == [80, 4, 4]


def test_normalisation_belongs_to_the_network():
    x = pixels(3, 3, 32)
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]
    dataset = build({"name": "lenet", "normalise": "dataset"}, **CIFAR, mean=mean, std=std)
    expected = torch.stack([(x[:, c] - mean[c]) / std[c] for c in range(3)], 1)
    assert torch.allclose(dataset.normalise(x), expected, atol=1e-6)
    assert "normalise.mean" in dataset.state_dict()
    per_image = build({"name": "lenet", "normalise": "per_image"}, **CIFAR)
    assert torch.allclose(per_image.normalise(x).var((1, 2, 3), correction=0), torch.ones(3), atol=1e-4)
    flat = torch.full((1, 3, 32, 32), 0.5, requires_grad=True)
    per_image.normalise(flat).pow(2).sum().backward()
    assert flat.grad.isfinite().all()
    assert torch.equal(build({"name": "lenet"}, **CIFAR).normalise(x), x)


def test_the_z2_builder_makes_ordinary_layers_only():
    for name in BUILDERS:
        kinds = {
            type(m)
            for m in tiny(name).modules()
            if isinstance(m, nn.Conv2d | nn.modules.batchnorm._BatchNorm)
        }
        assert kinds <= {nn.Conv2d, nn.BatchNorm2d} | ({PolarConv2d} if name.startswith("ptn") else set())


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "model None"),
        ({"name": "vgg17"}, "vgg17"),
        ({"name": "vgg16", "group": "p6"}, "p6"),
        ({"name": "vgg16", "width": 0}, "width 0"),
        ({"name": "vgg16", "channels": "half"}, "half"),
        ({"name": "vgg16", "normalise": "mean"}, "'mean'"),
        ({"name": "vgg16", "normalise": "dataset"}, "each of 3 channels"),
        ({"name": "vgg16", "widht": 1}, "widht"),
    ],
)
def test_bad_specs_are_named(spec, says):
    with pytest.raises(ValueError, match=says):
        build(spec, **CIFAR)


def test_images_too_small_for_the_network_are_named():
    with pytest.raises(ValueError, match="too small"):
        build({"name": "stdcnn"}, channels=1, side=8, classes=10)
