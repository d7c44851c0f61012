"""The papers' networks by name, each written once over the groups z2, p4 and p4m."""

from collections.abc import Sequence

from torch import nn

from spatial_adversarial.models.densenet import densenet121
from spatial_adversarial.models.external import build_own
from spatial_adversarial.models.layers import Layers
from spatial_adversarial.models.network import DatasetNormalise, Network, PerImageNormalise
from spatial_adversarial.models.resnet import resnet18, resnet34, resnet50
from spatial_adversarial.models.small import lenet, madry_lenet, mlp_a, mlp_b, stdcnn
from spatial_adversarial.models.transformers import ptn_resnet18, ptn_resnet34, stn_resnet18, stn_resnet34
from spatial_adversarial.models.vgg import vgg16
from spatial_adversarial.models.wide_resnet import madry_resnet, narrow_resnet32, wideresnet34_10

BUILDERS = {
    builder.__name__: builder
    for builder in (
        stdcnn,
        madry_lenet,
        lenet,
        mlp_a,
        mlp_b,
        vgg16,
        resnet18,
        resnet34,
        resnet50,
        densenet121,
        wideresnet34_10,
        madry_resnet,
        narrow_resnet32,
        stn_resnet18,
        stn_resnet34,
        ptn_resnet18,
        ptn_resnet34,
    )
}
# MNIST's twins replace layer by layer; the twins on colour data are narrowed to keep the parameter count.
SAME_CHANNELS = {"stdcnn", "madry_lenet"}
KEYS = ("name", "version", "group", "width", "channels", "normalise")


def build(
    spec: dict,
    *,
    channels: int,
    side: int,
    classes: int,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Network:
    """Build the network of a model spec for images [N, channels, side, side] and `classes` logits.

    `spec` has `name` (a key of BUILDERS) and may have `group` ("z2", "p4", "p4m"; default z2), `width`
    (multiplies all channels and hidden units; default 1), `channels` ("same": the twin keeps the channels of
    each layer; "matched": it keeps the number of parameters; default by name) and `normalise` ("none",
    "dataset" by `mean` and `std` per channel in [0, 1], "per_image"; default none). Weights come from torch's
    global generator, as the network's authors initialise them. `version` is no more than a part of a run's
    identity: it is raised where a network comes to compute something else. A bad spec raises ValueError. The name
    "own" is a network of the user's: `file`, `builder` and maybe `weights`.
    """
    name = spec.get("name")
    if name == "own":
        normalise = _normalise(spec.get("normalise", "none"), channels, mean, std)
        own = build_own(spec, channels, side, classes)
        return Network(normalise, nn.Identity(), own, nn.Identity(), group="z2")
    if name not in BUILDERS:
        raise ValueError(f"model {name!r} is not one of {', '.join(BUILDERS)}")
    unknown = sorted(set(spec) - set(KEYS))
    if unknown:
        raise ValueError(f"model {name}: unknown key {unknown[0]!r}; known are {', '.join(KEYS)}")
    width = spec.get("width", 1.0)
    if not width > 0:
        raise ValueError(f"model {name}: width {width} is not above 0")
    rule = spec.get("channels", "same" if name in SAME_CHANNELS else "matched")
    if rule not in ("same", "matched"):
        raise ValueError(f"model {name}: channels {rule!r} is neither same nor matched")
    layers = Layers(spec.get("group", "z2"), width, matched=rule == "matched")
    normalise = _normalise(spec.get("normalise", "none"), channels, mean, std)
    return Network(normalise, *BUILDERS[name](layers, channels, side, classes), group=layers.group)


def _normalise(
    kind: str, channels: int, mean: Sequence[float] | None, std: Sequence[float] | None
) -> nn.Module:
    if kind == "none":
        return nn.Identity()
    if kind == "per_image":
        return PerImageNormalise()
    if kind != "dataset":
        raise ValueError(f"normalise {kind!r} is not one of none, dataset, per_image")
    if mean is None or std is None or len(mean) != channels or len(std) != channels:
        raise ValueError(f"normalise 'dataset' needs a mean and a std for each of {channels} channels")
    return DatasetNormalise(mean, std)
