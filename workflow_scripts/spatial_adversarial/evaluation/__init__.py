"""Trained networks under transforms and attacks: predictions, boundary slices and robust images."""
