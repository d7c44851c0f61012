"""Metrics of predictions: what is counted on each image, and its value over images and seeds."""
