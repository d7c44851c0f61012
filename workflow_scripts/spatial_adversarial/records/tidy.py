"""Tidy rows: typed while they are computed, text in the CSV, and numbers again once it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING

from spatial_adversarial.settings.numbers import number_text

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "paper",
    "target",
    "panel",
    "data",
    "model",
    "group",
    "family",
    "strength",
    "attack_space",
    "profile",
    "x",
    "x_unit",
    "metric",
    "value",
    "low",
    "high",
    "interval",
    "n",
    "seed",
    "status",
]

# after all others, so that the older columns keep their places
ADDED = ["clean_accuracy", "learnt", "zero_gradient", "attacked_label", "by_seed"]

SIDE = "reach"  # kept beside the CSV
RANKED = ("row", "best")  # kinds of rows of a table of results that are compared; others are computed of them


@dataclass(frozen=True, kw_only=True)
class Row:
    """A number of a target: a point of a curve, or what was not run; None where a column does not apply.

    strength, x: in the unit of the family and of x_unit. value, low, high: shares in [0, 1], but for distances.
    n: test images, or seeds where there are several. reach: how far the attack can move, in the unit of x.
    """

    paper: str
    target: str
    panel: str
    data: str | None = None
    model: str | None = None
    group: str | None = None
    family: str | None = None
    strength: float | None = None
    attack_space: str | None = None
    profile: str | None = None
    x: float | None = None
    x_unit: str | None = None
    metric: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    n: int | None = None
    seed: str | None = None
    status: str
    clean_accuracy: float | None = None
    learnt: str | None = None
    zero_gradient: float | None = None
    attacked_label: str | None = None
    reach: float | None = None


@dataclass(frozen=True, kw_only=True)
class PublishedRow(Row):
    """A published number of a figure's line."""

    source: str = "published"


@dataclass(frozen=True, kw_only=True)
class BoundaryRow(Row):
    """A network's margin at a point (x, y) of the boundary slice through an image."""

    y: float
    image: int = 0


@dataclass(frozen=True, kw_only=True)
class ImageRow(Row):
    """An attacked image: its class, what the network predicts, its shape and its bytes in hexadecimal."""

    label: int
    prediction: int
    shape: str
    pixels: str


@dataclass(frozen=True, kw_only=True)
class CellRow(Row):
    """A cell of a table of results, with the settings of its attack."""

    row: str
    kind: str
    column: str | None = None
    attack: str | None = None
    loss: str | None = None
    steps: int | str | None = None
    step: str | None = None
    restarts: int | str | None = None
    targets: int | str | None = None
    queries: int | str | None = None
    published: float | None = None


@dataclass(frozen=True, kw_only=True)
class BestRow(CellRow):
    """The best of several cells, and the row that it is from."""

    chosen: str


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows with the tidy columns first, those of their kinds next and the newer ones last, and `reach` beside."""
    import pandas as pd

    kinds = dict.fromkeys(map(type, rows))
    names = dict.fromkeys(one.name for kind in kinds for one in fields(kind))
    extra = [name for name in names if name not in (*COLUMNS, *ADDED, SIDE)]
    return pd.DataFrame([_cells(row) for row in rows]).reindex(columns=[*COLUMNS, *extra, *ADDED, SIDE])


def _cells(row: Row) -> dict:
    """The columns that apply, numbers of strengths and points as the CSV has them."""
    cells = {one.name: value for one in fields(row) if (value := getattr(row, one.name)) is not None}
    texts = {
        "strength": number_text,
        "x": _plane_text if row.x_unit == "l2" else number_text,
        "y": _plane_text,
    }
    return cells | {name: text(cells[name]) for name, text in texts.items() if name in cells}


def _plane_text(value: float) -> str:
    return f"{value:.4f}"


def with_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows read from a CSV, their strengths and points as floats; ValueError names a text that is no number."""
    return rows.assign(**{name: rows[name].map(number) for name in ("strength", "x", "y") if name in rows})


def number(value: str | float) -> float:
    """A number as a CSV has it: "60", 0.2 and "8/255" alike; ValueError names another text."""
    try:
        return float(Fraction(value)) if isinstance(value, str) else float(value)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is not a number") from None


def least_status(statuses: Iterable[str]) -> str:
    """The status of what is made from several numbers: "reduced" where one of them is; "not run" where none was run."""
    found = set(statuses)
    return next((status for status in ("reduced", "run") if status in found), "not run")
