"""Adversarial attacks, batched, that leave the network as it was."""

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.deepfool import DeepFoolResult, deepfool
from spatial_adversarial.attacks.pgd import cross_entropy_sum, input_gradient, pgd

__all__ = ["DeepFoolResult", "attack_mode", "cross_entropy_sum", "deepfool", "input_gradient", "pgd"]
