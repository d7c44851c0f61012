"""The label that an attack climbs: which ones a profile's attack has, and which rows are of which.

Robust accuracy is about the true label, a fooling rate about the prediction. On images that are right both are one.
"""

from typing import TYPE_CHECKING

from spatial_adversarial.attacks import perturbation
from spatial_adversarial.attacks.base import PREDICTED, TRUE

if TYPE_CHECKING:
    import pandas as pd

COLUMN = "attacked_label"


def climbed(settings: dict, label: str) -> tuple[str, ...]:
    """The labels that the attack of a profile climbs, the one that is drawn first; "" where it climbs none.

    label: the one that the metric is about, its `climbs`.
    """
    labels = perturbation(settings).labels if label else ()
    return (PREDICTED, TRUE) if label == PREDICTED and PREDICTED in labels else labels[:1] or ("",)


def of_label(rows: "pd.DataFrame", label: str | bool | None = None) -> "pd.DataFrame":
    """The tidy rows of the attack on a label; by default those that are drawn and judged.

    These are all but the rows on the true label beside others of their panel, profile and metric on the predicted
    one. YAML reads `true` as a truth value, so that is a label too. A CSV without the column is of the true label,
    whatever it is asked for as.
    """
    if COLUMN not in rows:
        return rows
    if label is not None:
        return rows[rows[COLUMN] == str(label).lower()]
    keys = rows.set_index(["panel", "profile", "metric"]).index
    twice = keys.isin(keys[rows[COLUMN] == PREDICTED])
    return rows[~(twice & (rows[COLUMN] == TRUE))]
