"""Judge a paper's claims: a statistic of a target's curves, its bootstrap interval, and a verdict."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from spatial_adversarial.catalog.reading import numbers

COLUMNS = [
    "paper",
    "key",
    "test",
    "target",
    "panel",
    "attack_space",
    "source",
    "says",
    "statistic",
    "value",
    "low",
    "high",
    "line",
    "verdict",
    "status",
    "contradicts",
]
SLACK = 0.01  # how far sampling error may carry an interval below a bound that is attained


class NotRun(Exception):
    """What a claim needs was not run; its text says what."""


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
    "alike": (
        "Kendall's tau between two panels' orders of the models",
        lambda curves, other: _tau(curves.areas(), other.areas()),
    ),
}


def line_of(
    rows: pd.DataFrame, panel: str, profile: str | None = None, metric: str | None = None
) -> pd.DataFrame:
    """The rows of one panel (and of one of its lines, where it has several); NotRun where it was not run."""
    chosen = (rows.panel == panel) & (rows.status != "not run")
    chosen &= (rows.profile == profile) if profile else True
    chosen &= (rows.metric == metric) if metric else True
    if not chosen.any():
        raise NotRun(f"panel {panel} was not run")
    return rows[chosen]


def curves_of(line: pd.DataFrame, replicates: np.ndarray) -> Curves:
    """The curves of a line's rows, and of their replicates."""
    found = {}
    for strength, part in line.groupby("strength", sort=False):
        xs = np.array([float(numbers(str(x))) for x in part.x])
        ys = np.column_stack([part.value.to_numpy(dtype=float), replicates[part.index]])
        found[float(numbers(str(strength)))] = (xs, ys)
    return Curves(found)


def judge(low: float, high: float, test: dict) -> tuple[str, str]:
    """(the line, the verdict) for an interval [low, high] under `above`, `below` or `between` of a test.

    holds: the whole interval lies on the right side; fails: on the wrong one; else undecided.
    """
    if "above" in test:
        line, right, wrong = f"> {test['above']:g}", low > test["above"], high <= test["above"]
    elif "below" in test:
        line, right, wrong = f"< {test['below']:g}", high < test["below"], low >= test["below"]
    else:
        first, last = test["between"]
        line = f"{first:g} to {last:g}"
        right, wrong = first <= low and high <= last, high < first or low > last
    return line, "holds" if right else "fails" if wrong else "undecided"


def judge_panel(
    test: dict,
    panel: str,
    rows: pd.DataFrame,
    replicates: np.ndarray,
    level: float,
    targets: dict[str, tuple[pd.DataFrame, np.ndarray | None]] | None = None,
) -> dict:
    """One row of the claims table: a test on one panel of a target's rows.

    A statistic's `other` is a panel of the same target, or "<target>.<panel>" of one of `targets`.
    """
    name = next(key for key in test if key in STATISTICS)
    what, statistic = STATISTICS[name]
    row = {"panel": panel, "source": "ours", "statistic": what}
    try:
        line = line_of(rows, panel, test.get("profile"), test.get("metric"))
        parameters = dict(test[name] or {})
        if "other" in parameters:
            target, _, letter = parameters["other"].rpartition(".")
            other, drawn = targets[target] if target else (rows, replicates)
            parameters["other"] = curves_of(line_of(other, letter, test.get("profile")), drawn)
        drawn = statistic(curves_of(line, replicates), **parameters)
    except NotRun as missing:
        return row | {"verdict": "not run", "status": "not run", "statistic": f"{what}: {missing}"}
    low, high = np.nanquantile(drawn[1:], [(1 - level) / 2, (1 + level) / 2])
    against, verdict = judge(low, high, test)
    row |= {"value": drawn[0], "low": low, "high": high, "line": against, "verdict": verdict}
    return row | {"status": line.status.iloc[0], "attack_space": line.attack_space.iloc[0]}


def judge_claim(
    key: str, claim: dict, targets: dict[str, tuple[pd.DataFrame, np.ndarray | None]], level: float
) -> list[dict]:
    """The rows of one claim: each of its tests on each of its panels. targets: {name: (tidy rows, replicates)}."""
    judged = []
    for name, test in claim["tests"].items():
        target = test.get("in", claim["in"])
        rows, replicates = targets[target]
        frame = {
            "key": key,
            "test": name,
            "target": target,
            "says": claim["says"],
            "contradicts": claim.get("contradicts", ""),
        }
        if "slack" in test:
            judged.append(frame | judge_slack(rows, test))
            continue
        judged += [
            frame | judge_panel(test, panel, rows, replicates, level, targets)
            for panel in test.get("panels", ["a"])
        ]
    return judged


def judge_slack(rows: pd.DataFrame, test: dict) -> dict:
    """A theorem's inequality: the least slack (right less left side) of its simulations where its hypothesis holds.

    fails: some simulation's whole interval lies below 0. holds: none reaches below -SLACK; a bound that a
    classifier attains has slack 0 exactly, so that half its intervals reach a little below.
    """
    chosen = rows[(rows.statement == test["slack"]) & (rows.metric == "slack") & (rows.hypothesis == "holds")]
    chosen = chosen[chosen.panel.isin(test["panels"])] if "panels" in test else chosen
    if chosen.empty:
        raise ValueError(f"no simulation of {test['slack']!r} where its hypothesis holds")
    violated = (chosen.high < 0).any()
    least = chosen.loc[chosen.high.idxmin() if violated else chosen.low.idxmin()]
    return {
        "panel": least.panel,
        "source": "ours",
        "statistic": f"least slack of {len(chosen)} simulations",
        "value": least.value,
        "low": least.low,
        "high": least.high,
        "line": ">= 0",
        "verdict": "fails" if violated else "holds" if least.low >= -SLACK else "undecided",
        "status": "run",
    }
