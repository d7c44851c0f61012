"""Small data sets made from scikit-learn's bundled scans of handwritten digits, for runs without a download.

A stand-in has the channels of the set that it replaces, and may have fewer classes: few enough that small networks
learn them in some hundred steps. Its training images show training scans only and its test images test scans only.
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
    return _glyphs(images[:count], side)[:, None], labels[:count]


def digits_colour(
    images: np.ndarray, labels: np.ndarray, side: int, count: int, rng: np.random.Generator
) -> Arrays:
    """Return scans in random colours, [count, 3, side, side]; each scan recurs once all have been shown."""
    chosen = np.resize(np.arange(len(labels)), count)
    return _paint(_glyphs(images, side)[chosen], _any_colour(count, rng)), labels[chosen]


def digits_hues(
    images: np.ndarray, labels: np.ndarray, side: int, count: int, rng: np.random.Generator, *, hues: int
) -> Arrays:
    """Return scans in one of `hues` parts of the circle of hues, [count, 3, side, side].

    The class is the digit plus ten times the hue's number. Each scan recurs once all have been shown.
    """
    chosen = np.resize(np.arange(len(labels)), count)
    hue = rng.permutation(np.resize(np.arange(hues), count))
    colours = _of_hue((hue + rng.uniform(-0.25, 0.25, count)) / hues)
    return _paint(_glyphs(images, side)[chosen], colours), labels[chosen] + 10 * hue


STAND_INS = {
    "digits": digits,
    "digits_colour": digits_colour,
    "digits_two_hues": partial(digits_hues, hues=2),
    "digits_four_hues": partial(digits_hues, hues=4),
}


def _glyphs(scans: np.ndarray, side: int) -> np.ndarray:
    """Return the scans enlarged to 20/28 of the side, centred on black, uint8 [n, side, side]."""
    from PIL import Image

    size = round(side * 20 / 28)
    first = (side - size) // 2
    glyphs = np.zeros((len(scans), side, side), dtype=np.uint8)
    for glyph, scan in zip(glyphs, scans, strict=True):
        # Pillow resizes 8-bit images in integers: the same bytes on every machine.
        enlarged = Image.fromarray(scan).resize((size, size), Image.Resampling.BICUBIC)
        glyph[first : first + size, first : first + size] = enlarged
    return glyphs


def _any_colour(count: int, rng: np.random.Generator) -> np.ndarray:
    colours = rng.uniform(0.25, 1, (count, 3))
    return colours / colours.max(axis=1, keepdims=True)


def _of_hue(hue: np.ndarray) -> np.ndarray:
    """Return pale colours [n, 3] of hues [n], in turns of the circle of hues: a digit is bright in each channel."""
    return (3 + np.cos(2 * np.pi * (hue[:, None] - np.arange(3) / 3))) / 4


def _paint(grey: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Return uint8 [n, 3, H, W] from grey uint8 [n, H, W] and colours [n, 3] in [0, 1]."""
    return np.rint(grey[:, None] * colours[:, :, None, None]).astype(np.uint8)
