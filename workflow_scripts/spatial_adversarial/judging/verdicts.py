"""Verdicts: on which side of a claim's line an interval lies."""

import numpy as np


class NotRun(Exception):
    """What a claim needs was not run; its text says what."""


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


def judge_drawn(drawn: np.ndarray, what: str, test: dict, level: float) -> dict:
    """The verdict on a statistic [1 + B], the estimate and its replicates.

    Without replicates it is a published number, judged as it is printed, and `what` it is says so.
    """
    value, replicates = drawn[0], drawn[1:]
    if not len(replicates):
        line, verdict = judge(value, value, test)
        told = f"{what} (as printed, without an interval)"
        return {"statistic": told, "value": value, "line": line, "verdict": verdict}
    low, high = np.nanquantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    line, verdict = judge(low, high, test)
    return {"value": value, "low": low, "high": high, "line": line, "verdict": verdict}
