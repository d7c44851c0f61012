"""The batched transforms against torchvision's on the same parameters, and the random draws."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor
from torchvision.transforms import functional as reference

from spatial_adversarial.transforms import spatial
from spatial_adversarial.transforms.augment import (
    augment,
    jitter,
    random_crop,
    random_flip,
    random_jitter,
    random_shift,
    shift,
)
from spatial_adversarial.transforms.spatial import KINDS, draw, random_transform

SIZES = pytest.mark.parametrize("size", [28, 32, 33])
PIXELS = pytest.mark.parametrize(
    ("channels", "dtype"), [(1, torch.uint8), (3, torch.uint8), (3, torch.float32)]
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int, channels: int, size: int, dtype: torch.dtype) -> Tensor:
    """Images without black pixels, so that the fill cannot be mistaken for a pixel."""
    images = torch.randint(1, 256, (n, channels, size, size), generator=seeded())
    return images.to(dtype) if dtype == torch.uint8 else images.to(dtype) / 255


def share_different(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    return (ours != theirs).float().mean().item()


@SIZES
@PIXELS
def test_rotate_agrees_with_torchvision(size, channels, dtype):
    degrees = torch.cat([torch.arange(-180.0, 181.0, 15), torch.rand(40, generator=seeded()) * 360 - 180])
    images = pictures(len(degrees), channels, size, dtype)
    theirs = torch.stack(
        [reference.rotate(image, angle.item()) for image, angle in zip(images, degrees, strict=True)]
    )
    assert share_different(spatial.rotate(images, degrees), theirs) < 1e-4


@SIZES
@PIXELS
def test_rotate_translate_agrees_with_torchvision(size, channels, dtype):
    degrees, shift = (
        torch.rand(60, generator=seeded(1)) * 360 - 180,
        torch.rand(60, 2, generator=seeded(2)) - 0.5,
    )
    images = pictures(60, channels, size, dtype)
    theirs = [
        reference.affine(image, -angle.item(), [round(v * size) for v in moved.tolist()], 1.0, [0.0])
        for image, angle, moved in zip(images, degrees, shift, strict=True)
    ]
    ours = spatial.rotate_translate(images, degrees, shift)
    assert share_different(ours, torch.stack(theirs)) < 1e-4


@SIZES
@PIXELS
def test_translate_agrees_with_torchvision(size, channels, dtype):
    shift = torch.cat(
        [torch.rand(40, 2, generator=seeded()) * 2 - 1, torch.tensor([[1.0, 0.0], [0.0, -1.0]])]
    )
    images = pictures(len(shift), channels, size, dtype)
    theirs = [
        reference.affine(image, 0.0, [round(v * size) for v in moved.tolist()], 1.0, [0.0])
        for image, moved in zip(images, shift, strict=True)
    ]
    assert torch.equal(spatial.translate(images, shift), torch.stack(theirs))


def test_shift_counts_width_for_x_and_height_for_y():
    image = torch.zeros(1, 1, 10, 20)
    image[0, 0, 4, 7] = 1
    moved = spatial.translate(image, torch.tensor([[0.1, 0.3]]))
    assert moved.nonzero().tolist() == [[0, 0, 4 + 3, 7 + 2]]


@SIZES
@pytest.mark.parametrize("turns", [-2, -1, 0, 1, 2])
def test_right_angles_are_exact(size, turns):
    images = pictures(5, 3, size, torch.float32)
    turned = spatial.rotate(images, torch.full((5,), 90.0 * turns))
    assert torch.equal(turned, images.rot90(turns, (2, 3)))


def test_parameters_must_be_as_many_as_the_images():
    with pytest.raises(ValueError, match="2 parameters for 3 images"):
        spatial.rotate(torch.zeros(3, 1, 8, 8), torch.zeros(2))


@pytest.mark.parametrize(
    ("kind", "strength", "spans"),
    [("rotate", 60, [60]), ("translate", 0.3, [0.3, 0.3]), ("rotate_translate", 0.4, [72, 0.4, 0.4])],
)
def test_draws_fill_their_range(kind, strength, spans):
    drawn = draw(kind, strength, 20_000, seeded(), "cpu") / torch.tensor(spans)
    assert drawn.shape == (20_000, len(spans))
    assert drawn.abs().max() <= 1 + 1e-6
    assert torch.allclose(drawn.mean(0), torch.zeros(len(spans)), atol=0.02)
    assert torch.allclose(drawn.std(0), torch.tensor(3.0).rsqrt().expand(len(spans)), atol=0.01)
    assert (torch.corrcoef(drawn.T) - torch.eye(len(spans))).abs().max() < 0.03 or len(spans) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_random_transform_applies_what_is_drawn(kind):
    images, strength = pictures(30, 3, 32, torch.uint8), KINDS[kind].limit / 3
    expected = KINDS[kind].apply(images, draw(kind, strength, 30, seeded(5), "cpu"))
    assert torch.equal(random_transform(images, kind, strength, seeded(5)), expected)
    assert not torch.equal(random_transform(images, kind, strength, seeded(6)), expected)
    assert torch.equal(random_transform(images, kind, 0, seeded(5)), images)


@pytest.mark.parametrize(
    ("kind", "strength"), [("rotate", 181), ("rotate", -1), ("translate", 1.1), ("shear", 1)]
)
def test_bad_kind_or_strength_is_named(kind, strength):
    with pytest.raises(ValueError, match=kind):
        random_transform(torch.zeros(1, 1, 8, 8), kind, strength, seeded())


def test_random_crop_reaches_every_offset_of_the_padded_image():
    images = pictures(1, 3, 12, torch.uint8).expand(400, -1, -1, -1)
    padded = torch.nn.functional.pad(images[0], (2, 2, 2, 2))
    windows = [padded[:, top : top + 12, left : left + 12] for top in range(5) for left in range(5)]
    matches = torch.stack(
        [(random_crop(images, 2, seeded()) == window).flatten(1).all(1) for window in windows]
    )
    assert matches.sum(0).eq(1).all()
    assert matches.any(1).all()


def test_random_flip_mirrors_half_and_nothing_else():
    images = pictures(20_000, 1, 8, torch.uint8)
    flipped = random_flip(images, seeded())
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    assert ((flipped == images).flatten(1).all(1) ^ mirrored).all()
    assert 0.49 < mirrored.float().mean() < 0.51


def test_augment_crops_then_flips_then_rotates_whatever_the_keys_order():
    images, by_hand = pictures(50, 3, 32, torch.uint8), seeded(3)
    expected = random_flip(random_crop(images, 4, by_hand), by_hand)
    expected = random_transform(expected, "rotate", 60, by_hand)
    ours = augment(images, {"rotate": 60, "flip": True, "crop": 4}, seeded(3))
    assert ours.dtype == torch.float32
    assert torch.equal(ours, expected.float() / 255)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_augment_without_keys_only_scales_and_leaves_its_input_alone(dtype):
    images = pictures(5, 1, 8, dtype)
    kept = images.clone()
    assert torch.allclose(augment(images, {}, seeded()), kept.float() / (255 if dtype == torch.uint8 else 1))
    augment(images, {"crop": 1, "flip": True, "translate": 0.2}, seeded())
    assert torch.equal(images, kept)


def test_augment_names_an_unknown_key():
    with pytest.raises(ValueError, match="rotatte"):
        augment(torch.zeros(1, 1, 8, 8), {"rotatte": 30}, seeded())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_gpu_gives_the_same_images(kind):
    images, strength = pictures(100, 3, 32, torch.uint8), KINDS[kind].limit / 2
    on_gpu = random_transform(images.cuda(), kind, strength, seeded())
    assert share_different(on_gpu.cpu(), random_transform(images, kind, strength, seeded())) < 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_jitter_agrees_with_torchvision(channels):
    images = pictures(20, channels, 28, torch.float32)
    amounts = torch.rand(20, 3, generator=seeded(3)) * 1.5
    theirs = []
    for image, (brightness, contrast, saturation) in zip(images, amounts.tolist(), strict=True):
        image = reference.adjust_contrast(reference.adjust_brightness(image, brightness), contrast)
        theirs.append(reference.adjust_saturation(image, saturation))
    assert torch.allclose(jitter(images, amounts), torch.stack(theirs), atol=1e-5)


def test_jitter_is_drawn_for_each_image_within_its_range():
    images = torch.full((2000, 3, 2, 2), 0.5)  # of grey images jitter moves the brightness alone
    found = random_jitter(images, 0.25, seeded())[:, 0, 0, 0] / 0.5
    assert 0.75 <= found.min() < 0.76 and 1.24 < found.max() <= 1.25
    assert found.mean() == pytest.approx(1, abs=0.02) and found.std() == pytest.approx(
        0.25 / 3**0.5, rel=0.05
    )


def test_strong_augmentation_leaves_the_fill_black():
    """Jitter comes before the rotation, whose corners stay black."""
    strong = {"crop": 3, "flip": True, "jitter": 0.25, "rotate": 30}
    found = augment(pictures(50, 3, 32, torch.uint8), strong, seeded())
    assert found.dtype == torch.float32 and found.min() >= 0 and found.max() <= 1
    assert (found[..., 0, 0] == 0).float().mean() > 0.5


def test_a_shift_is_bilinear_as_scipys():
    images = pictures(6, 3, 12, torch.float32)
    pixels = torch.tensor([[0, 0], [1, 0], [0, -2], [0.5, 0.25], [-3.7, 1.2], [2.25, -0.75]])
    theirs = [
        ndimage.shift(image.numpy(), (0, down, right), order=1, mode="grid-constant", cval=0)
        for image, (right, down) in zip(images, pixels.tolist(), strict=True)
    ]
    assert torch.allclose(shift(images, pixels), torch.from_numpy(np.stack(theirs)), atol=1e-5)


def test_shifts_are_drawn_for_each_image_and_not_rounded():
    """Of a ramp, whose slope is a grey value a pixel, the inside tells how far it went."""
    ramp = torch.arange(32.0).expand(3000, 1, 32, 32) / 32
    moved = random_shift(torch.cat([ramp, ramp.mT], 1), 4, seeded())
    right, down = (-(moved[:, c, 16, 16] * 32 - 16) for c in (0, 1))
    for pixels in (right, down):
        assert -4 <= pixels.min() < -3.98 and 3.98 < pixels.max() <= 4 + 1e-4
        assert pixels.std().item() == pytest.approx(4 / 3**0.5, rel=0.05)  # of a uniform distribution
    assert abs(torch.corrcoef(torch.stack([right, down]))[0, 1]) < 0.1
    assert random_shift(ramp, 0, seeded()) is ramp
    assert augment((255 * ramp[:9]).byte(), {"shift": 4}, seeded()).dtype == torch.float32
