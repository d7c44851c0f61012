"""The numbers that claims are judged on: a target's tidy rows as samples, with what the rows do not print."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from spatial_adversarial.statistics.intervals import Sample

SIDE = ["origin", "images", "reach"]  # columns that an aggregate keeps beside its tidy rows


@dataclass(frozen=True)
class Numbers:
    """One target's tidy rows, replicates float32 [rows, B], and values by seed [rows, S], nan where there is none.

    side: columns by row, of which tests on a table or figure of networks take `origin` (the run that a network's
    training goes back to), `images` (how many a share is of, 0 for what is none) and `reach` (how far an attack can
    move, in the unit of x; nan for no limit). Left out, every row is a network of its own, its share unknown.
    """

    rows: pd.DataFrame
    replicates: np.ndarray | None
    seeds: np.ndarray | None = None
    side: pd.DataFrame | None = None

    def sample(self, k: int, *, column: str = "value") -> Sample:
        """Row `k` as a sample; of another column than `value`, such as `published`, as a published number."""
        if column != "value" or self._is_published[k]:
            return Sample(float(self.rows[column].iloc[k]))
        seeds = np.empty(0) if self.seeds is None else self.seeds[k].astype(float)
        seeds = seeds[~np.isnan(seeds)]
        seeds = seeds if len(seeds) > 1 else np.empty(0)
        images = self._of("images", k, 0)
        images = int(images) if np.isfinite(images) else 0
        drawn = self.replicates[k].astype(float)
        return Sample(float(self._values[k]), drawn, seeds, str(self._of("origin", k, k)), images)

    def reach(self, k: int) -> float:
        """How far the attack of row `k` can move."""
        reach = float(self._of("reach", k, np.inf))
        return np.inf if np.isnan(reach) else reach

    def _of(self, name: str, k: int, otherwise: Any) -> Any:
        return otherwise if self.side is None else self.side[name].iloc[k]

    @cached_property
    def _values(self) -> np.ndarray:
        return self.rows["value"].to_numpy(float)

    @cached_property
    def _is_published(self) -> np.ndarray:
        return (sources_of(self.rows) == "published").to_numpy()


def sources_of(rows: pd.DataFrame) -> pd.Series:
    """Whose numbers the rows are, "ours" or "published"; only figures with published points tell."""
    return rows["source"].fillna("ours") if "source" in rows else pd.Series("ours", rows.index)


def not_learnt(rows: pd.DataFrame) -> pd.Series:
    """Whether the network of each row is not shown to have learnt."""
    return rows["learnt"] == "no" if "learnt" in rows else pd.Series(False, rows.index)
