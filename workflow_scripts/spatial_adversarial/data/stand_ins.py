"""Small data sets made from scikit-learn's bundled scans of handwritten digits, for runs without a download.

A stand-in has the channels and the number of classes of the set that it replaces. Its training images
show training scans only and its test images test scans only.
"""

from functools import partial

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]
TEST_SCANS = 500
SEED = 0


def make(source: str, side: int, train: int, test: int) -> dict[str, Arrays]:
    """Return {split: (images, labels)} of one of `STAND_INS`: uint8 [N, C, side, side] and int64 [N].

    `train` and `test` are numbers of images. Raises ValueError if there are not as many scans as images where
    each image is one scan (source "digits").
    """
    pools, splits = scans(), {}
    for stream, (split, count) in enumerate((("train", train), ("test", test))):
        images, labels = pools[split]
        splits[split] = STAND_INS[source](images, labels, side, count, np.random.default_rng([SEED, stream]))
    return splits


def scans() -> dict[str, Arrays]:
    """Return the scans, uint8 [n, 8, 8] in 0..255, with labels int64 [n], split by class in equal shares."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = np.rint(images.reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    order = np.random.default_rng(SEED).permutation(len(labels))
    share = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        share[members] = (np.arange(len(members)) + 0.5) / len(members)
    # The lowest shares of every class go to the test set; the random order inside each set is kept.
    held_out = np.isin(order, np.argsort(share, kind="stable")[:TEST_SCANS])
    chosen = {"train": order[~held_out], "test": order[held_out]}
    return {split: (images[index], labels[index].astype(np.int64)) for split, index in chosen.items()}


def digits(images: np.ndarray, labels: np.ndarray, side: int, count: int, rng: np.random.Generator) -> Arrays:
    """Return the first `count` scans, [count, 1, side, side], with MNIST's margin (20 of 28 pixels)."""
    if count > len(labels):
        raise ValueError(f"digits: {count} images asked for, but there are {len(labels)} scans")
    return _glyphs(images[:count], side, side)[:, None], labels[:count]


def digits_colour(
    images: np.ndarray, labels: np.ndarray, side: int, count: int, rng: np.random.Generator
) -> Arrays:
    """Return scans in random colours, [count, 3, side, side]; each scan recurs once all have been shown."""
    chosen = np.resize(np.arange(len(labels)), count)
    return _paint(_glyphs(images, side, side)[chosen], _any_colour(count, rng)), labels[chosen]


def digit_pairs(
    images: np.ndarray,
    labels: np.ndarray,
    side: int,
    count: int,
    rng: np.random.Generator,
    *,
    two_colours: bool = False,
) -> Arrays:
    """Return two digits side by side, [count, 3, side, side]; the class is the number that they read as.

    The hue hints at the tens, so that so many classes are learnt in a few hundred steps; with `two_colours`
    it is vivid (classes 0..99) or pale (classes 100..199).
    """
    classes = rng.permutation(np.resize(np.arange(200 if two_colours else 100), count))
    glyphs = _glyphs(images, side, side // 2)
    halves = [glyphs[_scan_of(digit, labels, rng)] for digit in (classes // 10 % 10, classes % 10)]
    colours = _hues(classes // 10 % 10, rng)
    colours[classes >= 100] = (1 + colours[classes >= 100]) / 2
    return _paint(np.concatenate(halves, axis=2), colours), classes


STAND_INS = {
    "digits": digits,
    "digits_colour": digits_colour,
    "digit_pairs": digit_pairs,
    "digit_pairs_colours": partial(digit_pairs, two_colours=True),
}


def _scan_of(digits: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the index of a random scan of each of `digits`."""
    by_label = np.argsort(labels, kind="stable")
    number = np.bincount(labels, minlength=10)
    first = np.cumsum(number) - number
    return by_label[first[digits] + rng.integers(number[digits])]


def _glyphs(scans: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the scans enlarged to 20/28 of the height, centred on black, uint8 [n, height, width]."""
    from PIL import Image

    tall = round(height * 20 / 28)
    wide = min(tall, width)
    top, left = (height - tall) // 2, (width - wide) // 2
    glyphs = np.zeros((len(scans), height, width), dtype=np.uint8)
    for glyph, scan in zip(glyphs, scans, strict=True):
        # Pillow resizes 8-bit images in integers: the same bytes on every machine.
        enlarged = Image.fromarray(scan).resize((wide, tall), Image.Resampling.BICUBIC)
        glyph[top : top + tall, left : left + wide] = enlarged
    return glyphs


def _any_colour(count: int, rng: np.random.Generator) -> np.ndarray:
    colours = rng.uniform(0.25, 1, (count, 3))
    return colours / colours.max(axis=1, keepdims=True)


def _hues(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return colours [n, 3]: each digit has a tenth of the circle of hues, and any place in it."""
    hue = (digits + rng.uniform(-0.5, 0.5, len(digits))) / 10
    return (1 + np.cos(2 * np.pi * (hue[:, None] - np.arange(3) / 3))) / 2


def _paint(grey: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Return uint8 [n, 3, H, W] from grey uint8 [n, H, W] and colours [n, 3] in [0, 1]."""
    return np.rint(grey[:, None] * colours[:, :, None, None]).astype(np.uint8)
