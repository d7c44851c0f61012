"""Spatial and polar transformers: what they do to an image, and the origin that is predicted."""

from math import pi

import pytest
import torch
from torch import Tensor, nn

from spatial_adversarial.models import build
from spatial_adversarial.models.groups import move
from spatial_adversarial.models.layers import PolarConv2d
from spatial_adversarial.models.transformers import PolarTransformer, SpatialTransformer, log_polar

SIDE = 32


def images(count: int = 3) -> Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def spots(turn: float, centre: tuple[float, float]) -> Tensor:
    """Smooth spots [1, 1, SIDE, SIDE], turned by `turn` radians counter-clockwise about `centre` (right, down)."""
    axis = torch.linspace(-1, 1, SIDE)
    down, right = torch.meshgrid(axis, axis, indexing="ij")
    image = torch.zeros(SIDE, SIDE)
    for angle, radius, height in ((0.3, 0.35, 1.0), (2.1, 0.5, 0.6), (4.4, 0.2, 0.8)):
        x, y = radius * torch.tensor(angle + turn).cos(), -radius * torch.tensor(angle + turn).sin()
        image += height * (-((right - centre[0] - x) ** 2 + (down - centre[1] - y) ** 2) / 0.05).exp()
    return image[None, None]


def test_a_quarter_turn_about_the_centre_is_an_exact_cyclic_shift():
    x = images()
    origin = torch.zeros(3, 2)
    turned = log_polar(move(x, 1), origin)
    assert torch.allclose(turned, log_polar(x, origin).roll(SIDE // 4, dims=2), atol=1e-5)


@pytest.mark.parametrize("steps", [1, 5, 20])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.15, -0.1)])
def test_any_turn_about_the_origin_is_a_cyclic_shift(steps, centre):
    origin = torch.tensor([centre])
    before, after = (log_polar(spots(turn, centre), origin) for turn in (0, 2 * pi * steps / SIDE))
    assert (after - before.roll(steps, dims=2)).abs().max() < 0.05 < (after - before).abs().max()


def test_the_input_of_the_polar_network_shifts_and_its_features_stay():
    """The whole network: an origin at the centre, a quarter turn, one eighth of a turn in the last maps."""
    torch.manual_seed(0)
    network = build({"name": "ptn_resnet18", "width": 0.125}, channels=3, side=SIDE, classes=10).eval()
    transformer, backbone = network.body.maps
    nn.init.zeros_(transformer.heat[-1].weight)  # an even heat map: its centroid is the centre
    x = images()
    with torch.no_grad():
        assert torch.allclose(transformer.origin(x), torch.zeros(3, 2), atol=1e-6)
        assert torch.allclose(transformer(move(x, 1)), transformer(x).roll(SIDE // 4, dims=2), atol=1e-5)
        maps, turned = (backbone(transformer(move(x, turns))) for turns in (0, 1))
        assert torch.allclose(turned, maps.roll(1, dims=2), atol=1e-4)  # a quarter of four rows
        assert torch.allclose(network(move(x, 1)), network(x), atol=1e-4)
        assert not torch.allclose(turned, maps, atol=1e-2)


def test_the_origin_follows_a_spot_that_the_heat_is_on():
    transformer = PolarTransformer(1, 4).eval()
    transformer.heat = nn.Conv2d(1, 1, 1)
    nn.init.constant_(transformer.heat.weight, 50.0)
    for centre in ((0.0, 0.0), (0.4, -0.2), (-0.5, 0.5)):
        axis = torch.linspace(-1, 1, SIDE)
        spot = (-((axis[None] - centre[0]) ** 2 + (axis[:, None] - centre[1]) ** 2) / 0.01).exp()
        with torch.no_grad():
            assert transformer.origin(spot[None, None])[0].tolist() == pytest.approx(centre, abs=0.03)


def test_the_origin_learns():
    transformer = PolarTransformer(3, 4)
    transformer(images()).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in transformer.parameters())
    assert transformer.heat[-1].weight.grad.abs().max() > 0


def test_the_spatial_transformer_starts_as_the_identity_and_learns():
    transformer = SpatialTransformer(3, SIDE, 8, 16)
    x = images()
    assert torch.allclose(transformer(x), x, atol=1e-5)
    (transformer(x) * images(3).flip(-1)).sum().backward()
    assert transformer.localisation[-1].bias.grad.abs().max() > 0


def test_the_spatial_transformer_samples_the_map_that_it_finds():
    transformer = SpatialTransformer(3, SIDE, 8, 16)
    transformer.localisation[-1].bias.data = torch.tensor([0.0, 1, 0, -1, 0, 0])
    x = images()
    assert torch.allclose(transformer(x), move(x, 1), atol=1e-5) or torch.allclose(
        transformer(x), move(x, 3), atol=1e-5
    )


def test_polar_convolutions_wrap_the_angles_and_not_the_radii():
    convolution = PolarConv2d(2, 3, 3, padding=1, bias=False)
    x = torch.rand(1, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(convolution(x.roll(3, 2)), convolution(x).roll(3, 2), atol=1e-6)
    assert not torch.allclose(convolution(x.roll(3, 3)), convolution(x).roll(3, 3), atol=1e-2)


def test_a_polar_network_has_no_twin():
    with pytest.raises(ValueError, match="no twin over p4m"):
        build({"name": "ptn_resnet18", "group": "p4m"}, channels=3, side=SIDE, classes=10)


def test_the_localisation_net_is_laid_out_as_the_papers_code():
    """conv, conv, pool, conv, pool, conv, pool; FC1024; six numbers. 32 channels, 3x3, no bias."""
    network = build({"name": "stn_resnet18"}, channels=3, side=SIDE, classes=10)
    convolutions, _, hidden, _, last = network.body.maps[0].localisation
    kinds = [type(m).__name__ for m in convolutions if not isinstance(m, nn.ReLU)]
    assert kinds == ["Conv2d", "Conv2d", "MaxPool2d", "Conv2d", "MaxPool2d", "Conv2d", "MaxPool2d"]
    found = [m for m in convolutions if isinstance(m, nn.Conv2d)]
    assert [m.weight.shape for m in found] == [(32, 3, 3, 3)] + [(32, 32, 3, 3)] * 3
    assert all(m.bias is None for m in found)
    assert hidden.weight.shape == (1024, 32 * 4 * 4) and last.weight.shape == (6, 1024)
    x = images()
    with torch.no_grad():
        assert torch.allclose(network.body.maps[0](x), x, atol=1e-5)  # it starts as the identity
