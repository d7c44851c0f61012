"""The groups' actions and layers, against their definitions."""

from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spatial_adversarial.models.groups import (
    ORDERS,
    GroupBatchNorm2d,
    GroupConv2d,
    act,
    compose,
    inverse,
    move,
)

GROUPS = ("p4", "p4m")


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return float64 normal numbers."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


@pytest.mark.parametrize("group", ORDERS)
def test_the_elements_form_a_group_that_acts(group):
    size = ORDERS[group]
    maps = rand(2, 3 * size, 5, 5)
    for g, h in product(range(size), repeat=2):
        assert compose(g, h) in range(size)
        assert torch.equal(act(act(maps, h, group), g, group), act(maps, compose(g, h), group))
    for g in range(size):
        assert compose(g, inverse(g)) == compose(inverse(g), g) == 0
        assert torch.equal(act(act(maps, g, group), inverse(g), group), maps)


def test_the_elements_are_the_eight_symmetries_of_a_square():
    image = torch.arange(9.0).view(1, 3, 3)
    assert torch.equal(move(image, 1), torch.rot90(image, 1, (-2, -1)))
    assert torch.equal(move(image, 4), image.flip(-1))
    assert len({tuple(move(image, g).flatten().tolist()) for g in range(8)}) == 8


def test_an_element_permutes_the_fibre():
    maps = torch.zeros(1, 4, 2, 2)
    maps[0, 0, 0, 1] = 1
    turned = act(maps, 1, "p4")
    assert turned[0, 1, 0, 0] == 1 and turned.sum() == 1


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (3, 0), (5, 2), (1, 0), (2, 0)])
def test_layers_are_equivariant_at_stride_one(group, kernel, padding):
    lift = GroupConv2d(2, 3, kernel, group=group, lift=True, padding=padding).double()
    conv = GroupConv2d(3, 4, kernel, group=group, padding=padding).double()
    norm = GroupBatchNorm2d(4).double()
    for parameter in norm.parameters():
        parameter.data.uniform_(0.5, 1.5)
    pool = nn.MaxPool2d(2)
    image = rand(2, 2, 12 + 2 * (kernel - 1 - 2 * padding), 12 + 2 * (kernel - 1 - 2 * padding))

    def maps(x):
        return pool(torch.relu(norm(conv(torch.relu(lift(x))))))

    clean = maps(image)
    for g in range(ORDERS[group]):
        assert relative(maps(move(image, g)), act(clean, g, group)) < 1e-10
        assert relative(lift(move(image, g)), act(lift(image), g, group)) < 1e-10


def test_stride_two_on_an_even_side_is_not_equivariant_and_on_an_odd_side_is():
    conv = GroupConv2d(1, 2, 3, group="p4", lift=True, stride=2, padding=1, bias=False).double()
    even, odd = rand(1, 1, 8, 8), rand(1, 1, 9, 9)
    assert relative(conv(move(even, 1)), act(conv(even), 1, "p4")) > 0.1
    assert relative(conv(move(odd, 1)), act(conv(odd), 1, "p4")) < 1e-10


@pytest.mark.parametrize("stride", [1, 2])
def test_p4_layers_are_planar_convolutions_with_turned_filters(stride):
    image, maps = rand(2, 3, 8, 8), rand(2, 3 * 4, 8, 8, seed=1)
    lift = GroupConv2d(3, 5, 3, group="p4", lift=True, stride=stride, padding=1).double()
    conv = GroupConv2d(3, 5, 3, group="p4", stride=stride, padding=1).double()
    lifted, convolved = (layer(x).unflatten(1, (5, 4)) for layer, x in ((lift, image), (conv, maps)))
    weight = conv.weight.unflatten(1, (3, 4))
    for turn in range(4):
        filters = torch.rot90(lift.weight, turn, (2, 3))
        expected = F.conv2d(image, filters, lift.bias, stride, 1)
        assert relative(lifted[:, :, turn], expected) < 1e-12
        # An output at turn t reads the input at turn s through the filter stored for s - t, turned by t.
        expected = conv.bias.view(1, 5, 1, 1) + sum(
            F.conv2d(
                maps.unflatten(1, (3, 4))[:, :, s],
                torch.rot90(weight[:, :, (s - turn) % 4], turn, (2, 3)),
                stride=stride,
                padding=1,
            )
            for s in range(4)
        )
        assert relative(convolved[:, :, turn], expected) < 1e-12


def test_the_filter_bank_follows_the_weight_and_its_gradient():
    conv = GroupConv2d(1, 2, 3, group="p4m").double()
    x = rand(2, 8, 5, 5)
    before = conv(x)
    before.sum().backward()
    assert conv.weight.grad.shape == conv.weight.shape
    with torch.no_grad():
        conv.weight -= 0.1 * conv.weight.grad
    assert conv(x).sum() < before.sum()
    assert torch.autograd.gradcheck(
        lambda w: torch.func.functional_call(conv, {"weight": w}, (x[:1, :, :4, :4],)),
        conv.weight.detach().requires_grad_(),
    )


def test_filters_are_drawn_at_the_fan_in_of_one_element():
    torch.manual_seed(0)
    conv = GroupConv2d(16, 64, 3, group="p4")
    assert conv.weight.abs().max().item() == pytest.approx(1 / 12, rel=1e-3)  # 1 / sqrt(16 x 9)
    assert list(conv.state_dict()) == ["weight", "bias"]


def test_batch_norm_shares_statistics_over_the_group():
    norm = GroupBatchNorm2d(3)
    x = rand(4, 3 * 8, 5, 5).float() * 3 + 1
    y = norm(x).unflatten(1, (3, 8))
    assert torch.allclose(y.mean((0, 2, 3, 4)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(y.var((0, 2, 3, 4), correction=0), torch.ones(3), atol=1e-3)
    assert torch.allclose(norm.running_mean, 0.1 * x.unflatten(1, (3, 8)).mean((0, 2, 3, 4)), atol=1e-5)


@pytest.mark.parametrize(
    "bad", [lambda: GroupConv2d(1, 1, 3, group="p8"), lambda: act(rand(1, 6, 2, 2), 1, "p4")]
)
def test_bad_arguments_raise(bad):
    with pytest.raises(ValueError, match="p8|6 channels"):
        bad()
