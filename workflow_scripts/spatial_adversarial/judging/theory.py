"""Claims on a theorem: its inequality, on every simulation where its hypothesis holds."""

import pandas as pd

SLACK = 0.01  # how far sampling error may carry an interval below a bound that is attained


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
