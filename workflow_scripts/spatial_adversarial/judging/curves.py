"""Claims on a figure's curves: values, falls, trends and leads, from the tidy rows of its panels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from spatial_adversarial.catalog.reading import numbers
from spatial_adversarial.judging.verdicts import NotRun, judge_drawn
from spatial_adversarial.labels import of_label


@dataclass(frozen=True)
class Curves:
    """A panel's curves: for each strength x [P] and y [P, 1 + B], the estimate first and then its replicates."""

    by_strength: dict[float, tuple[np.ndarray, np.ndarray]]

    def at(self, strength: float, x: float) -> np.ndarray:
        """The value [1 + B] of one model at one point; NotRun where either is missing."""
        xs, ys = self.of(strength)
        near = np.isclose(xs, x, rtol=0, atol=1e-6)
        if not near.any():
            raise NotRun(f"no point at {x:g}")
        return ys[near.argmax()]

    def of(self, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """One model's (x, y); NotRun where it was not trained."""
        if strength not in self.by_strength:
            raise NotRun(f"no model of strength {strength:g}")
        return self.by_strength[strength]

    def areas(self) -> np.ndarray:
        """Mean over the grid of each model's curve, [strengths, 1 + B], strengths rising."""
        return np.stack([self.of(strength)[1].mean(axis=0) for strength in sorted(self.by_strength)])

    def values(self, x: float | str | None) -> np.ndarray:
        """What a trend is of: each model's area, or its value at a point, [strengths, 1 + B]."""
        if x is None:
            return self.areas()
        return np.stack([self.at(strength, x) for strength in sorted(self.by_strength)])


def _tau(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kendall's tau [1 + B] between two sets of values [strengths, 1 + B]; nan where one does not vary."""
    if len(first) < 2:
        raise NotRun("a trend needs two models or more")
    return np.array([kendalltau(a, b).statistic for a, b in zip(first.T, second.T, strict=True)])


def _trend(curves: Curves, x: float | None = None) -> np.ndarray:
    values = curves.values(x)
    order = np.repeat(np.arange(len(values))[:, None], values.shape[1], axis=1)
    return _tau(order, values)


def _within(curves: Curves, range: list[float], x: float) -> np.ndarray:
    values = curves.values(x)
    return ((values >= range[0]) & (values <= range[1])).mean(axis=0)


def _trend_while(curves: Curves, other: Curves, range: list[float], x: float) -> np.ndarray:
    natural = {strength: float(ys[0, 0]) for strength, (_, ys) in other.by_strength.items()}
    chosen = [s for s in sorted(curves.by_strength) if range[0] <= natural.get(s, np.nan) <= range[1]]
    if len(chosen) < 2:
        raise NotRun(f"fewer than two models in {range[0]:g} to {range[1]:g}")
    return _trend(Curves({strength: curves.of(strength) for strength in chosen}), x)


def _lead(curves: Curves, strengths: list[float]) -> np.ndarray:
    first, second = (curves.of(strength)[1].mean(axis=0) for strength in strengths)
    return second - first


STATISTICS: dict[str, tuple[str, Callable[..., np.ndarray]]] = {
    "value": ("value at a point", lambda curves, strength, x: curves.at(strength, x)),
    "drop": (
        "fall from 0 to a point",
        lambda curves, strength, to: curves.at(strength, 0) - curves.at(strength, to),
    ),
    "change": (
        "change at a point between two models",
        lambda curves, strengths, x: curves.at(strengths[1], x) - curves.at(strengths[0], x),
    ),
    "lead": ("difference of mean profiles between two models", _lead),
    "kept": (
        "share of another panel's difference of mean profiles that is left",
        lambda curves, strengths, other: _lead(curves, strengths) / _lead(other, strengths),
    ),
    "trend": ("Kendall's tau of the mean profile with the training strength", _trend),
    "within": ("share of the models in a range", _within),
    "trend_while": (
        "Kendall's tau with the strength while another panel's value is in a range",
        _trend_while,
    ),
    "alike": (
        "Kendall's tau between two panels' orders of the models",
        lambda curves, other: _tau(curves.areas(), other.areas()),
    ),
}


def line_of(
    rows: pd.DataFrame,
    panel: str,
    profile: str | None = None,
    metric: str | None = None,
    source: str = "ours",
    attacked_label: str | bool | None = None,
) -> pd.DataFrame:
    """The rows of one panel (and of one of its lines, where it has several); NotRun where it was not run.

    attacked_label: the label that the attack climbs; None for the one that is drawn.
    """
    rows = of_label(rows, attacked_label)
    chosen = (rows.panel == panel) & (rows.status != "not run")
    chosen &= sources_of(rows) == source
    chosen &= (rows.profile == profile) if profile else True
    chosen &= (rows.metric == metric) if metric else True
    if not chosen.any():
        raise NotRun(f"panel {panel} was not run")
    return rows[chosen]


def sources_of(rows: pd.DataFrame) -> pd.Series:
    """Whose numbers the rows are, "ours" or "published"; only figures with published points tell."""
    return rows["source"].fillna("ours") if "source" in rows else pd.Series("ours", rows.index)


def curves_of(line: pd.DataFrame, replicates: np.ndarray) -> Curves:
    """The curves of a line's rows, and of their replicates."""
    found = {}
    for strength, part in line.groupby("strength", sort=False):
        xs = np.array([float(numbers(str(x))) for x in part.x])
        ys = np.column_stack([part.value.to_numpy(dtype=float), replicates[part.index]])
        found[float(numbers(str(strength)))] = (xs, ys)
    return Curves(found)


def judge_panel(
    test: dict,
    panel: str,
    rows: pd.DataFrame,
    replicates: np.ndarray,
    level: float,
    targets: dict[str, tuple[pd.DataFrame, np.ndarray | None]] | None = None,
    source: str = "ours",
) -> dict:
    """One row of the claims table: a test on one panel of a target's rows.

    A statistic's `other` is a panel of the same target, or "<target>.<panel>" of one of `targets`; `metric` says which
    of its lines where it has several. Of `source`
    "published" there are no replicates: the numbers are judged as they are printed.
    """
    name = next(key for key in test if key in STATISTICS)
    what, statistic = STATISTICS[name]
    row = {"panel": panel, "source": source, "statistic": what}
    try:
        label = test.get("attacked_label")
        line = line_of(rows, panel, test.get("profile"), test.get("metric"), source, label)
        parameters = dict(test[name] or {})
        if "other" in parameters:
            target, _, letter = parameters["other"].rpartition(".")
            other, drawn = targets[target] if target else (rows, replicates)
            metric = parameters.pop("metric", None)
            line_there = line_of(other, letter, test.get("profile"), metric, source, label)
            parameters["other"] = curves_of(line_there, drawn)
        drawn = statistic(curves_of(line, replicates), **parameters)
    except NotRun as missing:
        return row | {"verdict": "not run", "status": "not run", "statistic": f"{what}: {missing}"}
    row |= judge_drawn(drawn if source == "ours" else drawn[:1], what, test, level)
    return row | {"status": line.status.iloc[0], "attack_space": line.attack_space.iloc[0]}
