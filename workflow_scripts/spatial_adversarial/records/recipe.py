"""A recipe: what one run trains on, which network, by which optimiser and methods; and the JSON schema of its YAML.

A default here never changes its value once released: it is left out of the run's identity, so that a new key with a
default keeps every old run valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spatial_adversarial.methods import METHODS, NATURAL
from spatial_adversarial.methods.base import POSITIVE, SHARE, WEIGHT
from spatial_adversarial.records.schedule import DEFINITIONS, scheduled
from spatial_adversarial.settings.fields import made, mapping, optional, setting

Scheduled = float | dict[str, Any]  # a number, or a schedule of it

COUNT = {"type": "integer", "minimum": 0}
SIZE = {"type": "integer", "minimum": 1}
IMAGES = {"type": ["integer", "null"], "minimum": 1, "default": None, "examples": [1000]}
FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
ANGLE = {"$ref": "#/$defs/angle"}


@dataclass(frozen=True, kw_only=True)
class Split:
    """How the official training images are split."""

    validation: int = setting(
        "Images that are held out for validation; left out, as many as the registry says.", default=0, **COUNT
    )
    seed: int = setting("The seed of the permutation that chooses them.", default=0, **COUNT)
    limit: int | None = setting("At most so many of the others; null takes all.", **IMAGES)


@dataclass(frozen=True, kw_only=True)
class Model:
    """The network, as the registry describes a model."""

    name: str = setting("The network's name in the library.", type="string", examples=["resnet18"])
    version: int = setting("The version of what the network computes.", default=1, **SIZE)
    group: str = setting("The group of its convolutions.", default="z2", enum=["z2", "p4", "p4m"])
    width: float = setting(
        "What its numbers of channels are multiplied by.", default=1, type="number", exclusiveMinimum=0
    )
    channels: str = setting(
        "Whether a network over a group keeps the channels or the number of parameters of its twin.",
        default="same",
        enum=["same", "matched"],
    )
    normalise: str = setting(
        "What is done to the pixels before the network.",
        default="none",
        enum=["none", "dataset", "per_image"],
    )
    file: str | None = optional(
        "The Python file of a network of your own.", type="string", examples=["mine.py"]
    )
    builder: str | None = optional("The function or class in it.", type="string", examples=["build"])
    weights: str | None = optional("The file of its weights.", type="string", examples=["mine.pt"])
    checksums: list[str] | None = optional(
        "The SHA-256 of these files; the catalog fills it in.", type="array", items={"type": "string"}
    )


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Images in each batch that show what another run's network sees."""

    share: float = setting(
        "Their share of each batch.", type="number", exclusiveMinimum=0, maximum=1, examples=[0.5]
    )
    of: str = setting("The run, or released; the catalog fills it in.", type="string", examples=["released"])
    step: float | None = optional(
        "The length of a step by which an image of a run is made.",
        type="number",
        exclusiveMinimum=0,
        examples=[0.1],
    )
    steps: int | None = optional("How many steps it takes.", **SIZE, examples=[1000])
    images: int | None = setting("How many are made; null makes one for each training image.", **IMAGES)
    seed: int = setting("The seed of the images and of the run that they show.", default=0, **COUNT)


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """How weights move by their gradients."""

    name: str = setting("The optimiser, SGD or Adam.", enum=["sgd", "adam"])
    lr: Scheduled = setting("The learning rate.", **POSITIVE, examples=[0.1])
    momentum: float = setting("SGD's momentum.", default=0, type="number", minimum=0, exclusiveMaximum=1)
    nesterov: bool = setting("Whether SGD's momentum is Nesterov's.", default=False, type="boolean")
    weight_decay: float = setting("The weight decay.", default=0, type="number", minimum=0)
    decayed: str = setting(
        "What decays: all, or the weights of convolutions and linear layers, so no bias and no batch norm.",
        default="all",
        enum=["all", "weights"],
    )
    anew: list[float] = setting(
        "Shares of the run after which it forgets its state.", default=[], type="array", items=FRACTION
    )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The PGD attack that chooses the epoch that rows with `weights: best_robust` look at."""

    eps: float = setting(
        "The radius of its ball, in pixels of [0, 1].",
        default=8 / 255,
        type="number",
        exclusiveMinimum=0,
        maximum=1,
    )
    step: float = setting(
        "The length of its steps.", default=2 / 255, type="number", exclusiveMinimum=0, maximum=1
    )
    steps: int = setting("The number of its steps.", default=10, **SIZE)
    images: int = setting("It attacks the first so many validation images.", default=300, **SIZE)


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Random transforms of the training images, drawn anew for each."""

    crop: int = setting("Pixels of padding that a random crop takes away.", default=0, **COUNT)
    flip: bool = setting("Whether half of the images are mirrored.", default=False, type="boolean")
    jitter: Scheduled = setting(
        "How far brightness, contrast and saturation move, as a share.", default=0, **SHARE
    )
    shift: float = setting(
        "The range of a bilinear shift, in pixels that are not rounded.", default=0, type="number", minimum=0
    )
    rotate: Scheduled = setting("The range of a rotation, in degrees.", default=0, **ANGLE)
    translate: Scheduled = setting("The range of a shift, as a share of the side.", default=0, **SHARE)
    rotate_translate: Scheduled = setting(
        "The range i of a shift by i of the side and a rotation by 180 i degrees.", default=0, **SHARE
    )
    autoaugment: float = setting("The share of each batch that AutoAugment changes.", default=0, **FRACTION)


@dataclass(frozen=True, kw_only=True)
class Awp:
    """Adversarial weight perturbation: the weights at which the loss is taken."""

    gamma: Scheduled = setting(
        "How far a layer's weights move, as a share of their norm; 0 takes the loss where they are.",
        default=0,
        **WEIGHT,
    )
    reach: Scheduled = setting(
        "What the perturbation of the images is multiplied by while the weights climb.", default=1, **POSITIVE
    )


def _method_rule() -> dict:
    asked = {
        name: mapping(kind) | {"description": str(kind.__doc__).splitlines()[0]}
        for name, kind in METHODS.items()
    }
    del asked[NATURAL]
    kinds = {"type": "object", "additionalProperties": False, "maxProperties": 1, "properties": asked}
    return kinds | {"hint": "training method"}


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a run. A recipe without `phases` has one, whose keys stand in the recipe itself."""

    epochs: int | None = optional(
        "Its length in epochs; 0 leaves the network as it is.", **COUNT, examples=[10]
    )
    steps: int | None = optional("Its length in steps.", **SIZE, examples=[80000])
    augment: Augment = setting("Random transforms of the training images.", default={}, **mapping(Augment))
    awp: Awp = setting("Adversarial weight perturbation.", default={}, **mapping(Awp))
    method: dict[str, dict] = setting(
        "The training method with its settings; none is natural training.", default={}, **_method_rule()
    )

    @classmethod
    def of(cls, settings: dict) -> Phase:
        """The record of a canonical phase."""
        parts = {"augment": made(Augment, settings["augment"]), "awp": made(Awp, settings["awp"])}
        return made(cls, settings | parts)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A canonical recipe."""

    version: int = setting(
        "The version of what training computes, which the methods set.", default=1, type="integer"
    )
    data: str = setting("The data set; the panel sets it.", type="string", examples=["mnist"])
    split: Split = setting("Training and validation images.", default={}, **mapping(Split))
    model: Model = setting("The network; the panel's model sets it.", **mapping(Model))
    start: str | None = setting(
        "The run whose weights it begins with; a family's `start` sets it.",
        default=None,
        type=["string", "null"],
    )
    mix: Mix | None = setting(
        "Images that show what the run `of` sees, in each batch; null trains on natural images alone.",
        default=None,
        **mapping(Mix)
        | {
            "type": ["object", "null"],
            "if": {"properties": {"of": {"not": {"const": "released"}}}},
            "then": {"required": ["step", "steps"]},
        },
    )
    optimiser: Optimiser = setting("The optimiser.", **mapping(Optimiser))
    batch: int = setting("Images of a batch.", **SIZE, examples=[64])
    label_smoothing: float = setting(
        "The share of the target that all classes have alike.",
        default=0,
        type="number",
        minimum=0,
        exclusiveMaximum=1,
    )
    averaging: Scheduled | None = setting(
        "The decay of the weights' exponential mean, which rows with `weights: averaged` look at.",
        default=None,
        **scheduled(type=["number", "null"], exclusiveMinimum=0, exclusiveMaximum=1),
    )
    keep: str = setting("Which epoch's weights are the run's.", default="last", enum=["last", "best"])
    selection: Selection = setting(
        "PGD on validation images: the epoch that rows with `weights: best_robust` look at.",
        default={},
        **mapping(Selection),
    )
    precision: str = setting(
        "The precision of the passes of a training step.", default="float32", enum=["float32", "bfloat16"]
    )
    phases: tuple[Phase, ...] = setting(
        "Parts of the run, one after the other; keys beside `phases` hold for each part.",
        type="array",
        minItems=1,
        examples=[
            [{"epochs": 10}, {"epochs": 5, "method": {"pgd": {"eps": 0.1, "step": 0.01, "steps": 40}}}]
        ],
        items=mapping(
            Phase,
            title="Phases of a recipe",
            description=Phase.__doc__,
            oneOf=[{"required": ["epochs"]}, {"required": ["steps"]}],
        ),
    )

    @classmethod
    def of(cls, settings: dict) -> Recipe:
        """The record of a canonical recipe."""
        parts = {
            "split": made(Split, settings["split"]),
            "model": made(Model, settings["model"]),
            "mix": settings["mix"] and made(Mix, settings["mix"]),
            "optimiser": made(Optimiser, settings["optimiser"]),
            "selection": made(Selection, settings["selection"]),
            "phases": tuple(Phase.of(phase) for phase in settings["phases"]),
        }
        return made(cls, settings | parts)


def schema() -> dict:
    """The schema of a recipe's YAML once it is resolved; its defaults make the canonical form."""
    return mapping(Recipe) | {"$defs": DEFINITIONS}
