"""Robustness of neural networks to spatial transformations and to adversarial perturbations, measured."""
