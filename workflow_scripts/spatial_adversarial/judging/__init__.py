"""Judge a paper's claims: a statistic of a target's numbers, its interval, and a verdict."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from spatial_adversarial.judging.cells import CELL_STATISTICS, judge_cells
from spatial_adversarial.judging.curves import STATISTICS, judge_panel
from spatial_adversarial.judging.target_numbers import Numbers
from spatial_adversarial.judging.theorems import THEORY_TESTS, judge_theory

__all__ = [
    "CELL_STATISTICS",
    "COLUMNS",
    "STATISTICS",
    "THEORY_TESTS",
    "Numbers",
    "judge_claim",
    "judge_panel",
]

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
    "because",
    "members",
    "tau",
    "nan",
]


def judge_claim(
    key: str,
    claim: dict,
    targets: Mapping[str, Numbers | tuple[pd.DataFrame, np.ndarray | None]],
    level: float,
) -> list[dict]:
    """The rows of one claim: each of its tests on each of its panels or columns, ours and as published.

    targets: {name: its numbers, or (tidy rows, replicates) alone}.
    """
    targets = {name: one if isinstance(one, Numbers) else Numbers(*one) for name, one in targets.items()}
    judged = []
    for name, test in claim["tests"].items():
        target = test.get("in", claim["in"])
        numbers = targets[target]
        frame = {
            "key": key,
            "test": name,
            "target": target,
            "says": claim["says"],
            "contradicts": claim.get("contradicts", ""),
            "because": test.get("because", ""),
        }
        if any(kind in test for kind in THEORY_TESTS):
            judged.append(frame | judge_theory(numbers.rows, test))
            continue
        if CELL_STATISTICS.keys() & test.keys():
            judged += [frame | _at_full_size(test, row) for row in judge_cells(test, numbers, level)]
            continue
        for panel in test.get("panels", ["a"]):
            judged.append(frame | _at_full_size(test, judge_panel(test, panel, numbers, level, targets)))
            published = judge_panel(test, panel, numbers, level, targets, "published")
            judged += [frame | published] if published["verdict"] != "not run" else []
    return judged


def _at_full_size(test: dict, row: dict) -> dict:
    """A row of the claims table, without its verdict where the test is of full size alone and the run is reduced."""
    if not test.get("full_size") or row["source"] == "published" or row["status"] != "reduced":
        return row
    said = f"{row['statistic']}: not comparable, the paper's number is of full size"
    kept = {key: row[key] for key in ("panel", "source", "attack_space") if key in row}
    return kept | {"statistic": said, "verdict": "not run", "status": "not run"}
