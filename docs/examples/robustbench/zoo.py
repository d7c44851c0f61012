"""Networks of RobustBench's zoo (`pip install robustbench`) for the config's `own`: a builder each.

The zoo's loader returns a network with its weights, which takes float32 images in [0, 1] and normalises them itself:
`normalise` stays none, and `weights` is left out.
"""

from pathlib import Path

FOLDER = Path.home() / ".cache" / "robustbench"  # where the zoo's files are kept, downloaded once


def oaat_resnet18(channels, side, classes):
    """OA-AT's released ResNet-18 for CIFAR-10: 80.24% clean, 51.06% under AutoAttack at 8/255 in the zoo's table."""
    return _load("Addepalli2021Towards_RN18")


def oaat_wideresnet34(channels, side, classes):
    """OA-AT's released WideResNet-34-10 for CIFAR-10."""
    return _load("Addepalli2021Towards_WRN34")


def _load(name):
    from robustbench.utils import load_model

    return load_model(model_name=name, model_dir=str(FOLDER), dataset="cifar10", threat_model="Linf")
