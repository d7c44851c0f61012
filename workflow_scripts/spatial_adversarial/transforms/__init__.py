"""Transforms of image batches: random rotations and translations, and augmentations."""
