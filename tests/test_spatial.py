"""Worst-case spatial attacks: a brute-force loop over images and poses with torchvision, and the grids."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as reference

from spatial_adversarial.attacks.spatial import grid, pose, worst_pose

GRIDS = {  # degrees, rotations, pixels, shifts: number of poses
    "grid775": ((30, 31, 3, 5), 775),
    "grid135": ((30, 15, 3, 3), 135),
    "grid775_10": ((10, 31, 3, 5), 775),
    "rot30": ((30, 31, 0, 1), 31),
    "rot10": ((10, 31, 0, 1), 31),
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moved(image: Tensor, degrees: float, right: float, down: float) -> Tensor:
    """torchvision's pose of one image [C, H, W]."""
    bilinear = InterpolationMode.BILINEAR
    # torchvision's shifts are whole pixels in its types alone: its arithmetic takes fractions
    return reference.affine(image, -degrees, [right, down], 1.0, [0.0], bilinear)


@pytest.fixture(scope="module")
def problem() -> tuple[nn.Module, Tensor, Tensor]:
    """A network that knows 60 smooth images in many poses, but for some labels that are wrong on purpose."""
    x = torch.nn.functional.interpolate(torch.rand(60, 3, 6, 6, generator=seeded()), size=16, mode="bicubic")
    x, y = x.clamp(0, 1), torch.arange(60) % 6
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(3, 12, 5, stride=2), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(), nn.Linear(432, 6)
        )
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for angle in torch.linspace(-30, 30, 41).repeat(3):
        optimiser.zero_grad()
        turned = pose(x, torch.tensor([[angle, angle % 3, angle % 2]]))[0]
        nn.functional.cross_entropy(model(turned), y).backward()
        optimiser.step()
    y[:5] = (y[:5] + 1) % 6
    return model.eval(), x, y


def test_the_poses_of_the_grids_are_the_papers():
    for name, (settings, count) in GRIDS.items():
        poses = grid(*settings)
        assert poses.shape == (count, 3) and len(set(map(tuple, poses.tolist()))) == count, name
        assert poses.abs().amax(0).tolist() == [settings[0], settings[2], settings[2]]
        assert poses[-1].tolist() == [0, 0, 0]
    assert sorted(set(grid(30, 31, 3, 5)[:, 0].tolist())) == list(range(-30, 31, 2))
    assert sorted(set(grid(30, 15, 3, 3)[:, 1].tolist())) == [-3, 0, 3]
    assert sorted(set(grid(30, 31, 3, 5)[:, 2].tolist())) == [-3, -1.5, 0, 1.5, 3]


def test_poses_agree_with_torchvision(problem):
    x = problem[1][:3]
    poses = torch.tensor([[0.0, 0, 0], [30, 0, 0], [-22, 3, -3], [90, 0, 0], [8, 0, 3]])
    theirs = torch.stack([torch.stack([moved(image, *one) for image in x]) for one in poses.tolist()])
    assert torch.allclose(pose(x, poses), theirs, atol=2e-5)


def test_half_a_pixel_is_the_mean_of_two_and_outside_is_black():
    x = torch.rand(1, 1, 9, 9, generator=seeded())
    half = pose(x, torch.tensor([[0.0, 1.5, 0]]))[0]
    assert torch.allclose(half[..., 2:], (x[..., :-2] + x[..., 1:-1]) / 2, atol=1e-5)
    assert torch.allclose(half[..., 1], x[..., 0] / 2, atol=1e-5) and half[..., 0].abs().max() < 1e-5


@pytest.fixture(scope="module", params=[(15, 7, 1, 3), (30, 31, 0, 1)], ids=["grid", "rotations"])
def brute(request, problem) -> tuple[Tensor, list[bool]]:
    """The poses of a grid, and which images some pose fools: image by image, pose by pose."""
    model, x, y = problem
    poses = grid(*request.param)
    with torch.no_grad():
        fooled = [
            any(model(moved(image, *one)[None]).argmax().item() != label for one in poses.tolist())
            for image, label in zip(x, y.tolist(), strict=True)
        ]
    return poses, fooled


@pytest.mark.parametrize("batch", [7, 60, 1000])
def test_the_same_images_are_fooled_as_by_brute_force(problem, brute, batch):
    model, x, y = problem
    poses, fooled = brute
    prediction = worst_pose(model, x, y, poses, batch=batch)
    assert (prediction != y).tolist() == fooled
    assert 10 < sum(fooled) < 58
    with torch.no_grad():
        clean = model(x).argmax(1)
    assert torch.equal(prediction[clean != y], clean[clean != y]) and (clean != y).any()


def test_images_already_fooled_are_not_tried_again(problem):
    model, x, y = problem
    seen = []
    counted = nn.Sequential(model)
    counted.register_forward_hook(lambda module, given, output: seen.append(len(given[0])))
    poses = grid(*GRIDS["grid135"][0])
    prediction = worst_pose(counted, x, y, poses, batch=100)
    stayed = int((prediction == y).sum())
    assert len(poses) * stayed < sum(seen) < 0.7 * len(poses) * len(x) and max(seen) <= 100


def test_the_shift_comes_first_as_in_the_papers_code(problem):
    """There the pixel at `out` is read at R out + t: a shift of the image, then a turn about its centre."""
    x = problem[1][:3]
    bilinear = InterpolationMode.BILINEAR
    for degrees, right, down in ((30.0, 3.0, 0.0), (-90.0, 2.0, -1.0), (12.0, -1.0, 3.0)):
        shifted = reference.affine(
            x, 0, [right, down], 1.0, [0.0]
        )  # whole pixels, so that nothing is read twice
        theirs = reference.affine(shifted, -degrees, [0, 0], 1.0, [0.0], bilinear)
        ours = pose(x, torch.tensor([[degrees, right, down]]), shift_first=True)[0]
        inside = torch.zeros(16, 16, dtype=torch.bool)
        inside[5:11, 5:11] = True  # what is shifted out of the frame, a shift and a turn in one still see
        assert torch.allclose(ours[..., inside], theirs[..., inside], atol=2e-5)
        other = pose(x, torch.tensor([[degrees, right, down]]))[0]
        assert (ours - other)[..., inside].abs().max() > 0.05


def test_one_pixel_in_either_order():
    """A bright pixel at the centre goes right, then a quarter turn takes it up; or it turns, then goes right."""
    x = torch.zeros(1, 1, 9, 9)
    x[..., 4, 4] = 1
    one = torch.tensor([[90.0, 2, 0]])
    for shift_first, (row, column) in ((True, (2, 4)), (False, (4, 6))):
        found = pose(x, one, shift_first=shift_first)[0]
        assert found[0, 0, row, column].item() == pytest.approx(1, abs=1e-5)
        assert found.sum().item() == pytest.approx(1, abs=1e-5)


def test_either_order_agrees_where_there_is_no_shift_or_no_turn(problem):
    x = problem[1][:3]
    poses = torch.tensor([[20.0, 0, 0], [0, 1.5, -2]])
    assert torch.allclose(pose(x, poses), pose(x, poses, shift_first=True), atol=1e-5)
