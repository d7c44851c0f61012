"""What a figure or table is computed from: its panels, their lines, and the members and profiles of these."""

from dataclasses import dataclass
from functools import cached_property

from spatial_adversarial.attacks import perturbation
from spatial_adversarial.attacks.base import Perturbation
from spatial_adversarial.records.survivors import file_name, with_smaller


@dataclass(frozen=True)
class Member:
    """One training strength of a family: `path` is its run without the seed, or a read-out of it."""

    strength: float | None
    path: str
    recipe: dict


@dataclass(frozen=True)
class Profile:
    """A resolved profile: its key, what figures say of it, its settings, and the name of its evaluation files."""

    key: str
    label: str
    metric: str
    unit: str
    settings: dict

    @property
    def file(self) -> str:
        """<key>[-normalized]-<hash>: settings that differ never share a file."""
        return file_name(self.key, self.settings)

    def evaluations(self) -> dict[str, dict]:
        """{name of its file: settings} of it, and of those that have to be evaluated before (`survivors_of`)."""
        return with_smaller(self.key, self.settings)

    @cached_property
    def perturbation(self) -> Perturbation:
        """What is done to the test images at each point."""
        return perturbation(self.settings)

    @property
    def reach(self) -> float | None:
        """How far an attack's fixed steps can move an image, in the unit of eps; None for no such limit."""
        return self.perturbation.reach

    @property
    def plain(self) -> tuple[bool, bool]:
        """How plain the images are that its clean predictions are of: unmoved, and in pixels, which are not clamped."""
        moved = any(self.settings.get("input", {}).values())
        return not moved, self.settings.get("space", "pixel") == "pixel"


@dataclass(frozen=True)
class Line:
    """What a panel draws of each member: a profile's metric, at all points or (`at`) at one of them."""

    label: str
    metric: str
    profiles: dict[str, Profile]  # by member path: a profile rotated like the training differs by member
    at: dict[str, float] | None = None
    name: str = ""  # of the column that the line is a cell of
    published: float | None = None  # what the paper prints in that cell, in [0, 1]
    points: tuple[tuple[float, float], ...] = ()  # of a figure's line, as published: x, share in [0, 1]


@dataclass(frozen=True)
class Panel:
    """One panel of a figure or row of a table, resolved; `reason` says why it is not run, empty when it is."""

    letter: str
    kind: str
    data: str
    model: str
    group: str
    family: str
    title: str
    strength: str
    space: str
    members: tuple[Member, ...]
    lines: tuple[Line, ...] = ()
    curve: str = ""  # the column of the training history that a panel of kind history draws
    reason: str = ""


def base_letter(letter: str) -> str:
    """The letter of the paper's panel that a panel of a user's own model, such as "a mine", belongs to."""
    return letter.partition(" ")[0]
