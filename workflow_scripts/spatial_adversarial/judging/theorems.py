"""Claims on the theorems: their inequalities, and sentences on accuracies, on the simulations of a theory target."""

import pandas as pd

from spatial_adversarial.judging.verdicts import judge
from spatial_adversarial.statistics.intervals import Interval
from spatial_adversarial.theory.estimates import MARGIN, Estimate, below_zero, combine, evidence, verdict

FORMS = {"stated": ("lower_bound", "upper_bound"), "tight": ("tight_lower", "tight_upper")}
THEORY_TESTS = ("slack", "accuracy", "accuracy_change")


def judge_theory(rows: pd.DataFrame, test: dict) -> dict:
    """One row of the claims table, of one of the THEORY_TESTS; ValueError where nothing that could fail was simulated.

    What x_0 alone decides is known without a simulation: it is no evidence for any of them.
    """
    rows = rows[rows.panel.isin(test["panels"])] if "panels" in test else rows
    name = next(key for key in THEORY_TESTS if key in test)
    judged = {"slack": _slack, "accuracy": _accuracy, "accuracy_change": _change}[name](rows, test)
    return {"source": "ours", "status": "run"} | judged


def _slack(rows: pd.DataFrame, test: dict) -> dict:
    """A theorem's inequality by its least slack (how far inside its side a simulation lies); see estimates.verdict."""
    simulations = evidence(
        rows[(rows.statement == test["slack"]) & rows.side.isin(FORMS[test.get("form", "stated")])]
    )
    if simulations.empty:
        raise ValueError(f"no simulation of {test['slack']!r} that could fail")
    violated = below_zero(simulations)
    least = simulations.loc[
        simulations[violated].high.idxmin() if violated.any() else simulations.low.idxmin()
    ]
    return {
        "panel": least.panel,
        "statistic": f"least slack of {len(simulations)} comparisons that could fail",
        **_numbers(least),
        "line": f">= 0, to within {MARGIN:g}",
        "verdict": verdict(simulations),
    }


def _accuracy(rows: pd.DataFrame, test: dict) -> dict:
    """An accuracy at its worst: the lowest one under `above`, else the highest.

    `robust`: of the classifiers and points whose adversarial accuracy's whole interval is at least that.
    """
    asked = test["accuracy"]
    metric, what = asked["metric"], asked["metric"].replace("_", " ")
    simulations = _simulated(rows, asked.get("classifier"))
    if "robust" in asked:
        place = ["panel", "classifier", "x"]
        robust = simulations[
            (simulations.metric == "adversarial_accuracy") & (simulations.low >= asked["robust"])
        ]
        simulations = simulations.merge(robust[place], on=place)
        what += f" where adversarial accuracy is at least {asked['robust']:g}"
    simulations = simulations[simulations.metric == metric]
    if simulations.empty:
        raise ValueError(f"no simulation of {what}")
    worst = simulations.loc[simulations.value.idxmin() if "above" in test else simulations.value.idxmax()]
    line, said = judge(Interval(worst.value, worst.low, worst.high), test)
    end = "lowest" if "above" in test else "highest"
    statistic = f"{end} {what}, {len(simulations)} simulations: {worst.classifier} at {worst.x:g}"
    return {"panel": worst.panel, "statistic": statistic, **_numbers(worst), "line": line, "verdict": said}


def _change(rows: pd.DataFrame, test: dict) -> dict:
    """A classifier's accuracy at the panel's last x less that at its first; independent simulations."""
    asked = test["accuracy_change"]
    simulations = _simulated(rows, asked["classifier"])
    simulations = simulations[simulations.metric == asked["metric"]].sort_values("x")
    if len(simulations) < 2:
        raise ValueError(f"no two simulations of {asked['classifier']!r}")
    ends = simulations.iloc[0], simulations.iloc[-1]
    found = combine([-1, 1], [Estimate(end.value, end.low, end.high) for end in ends])
    line, said = judge(Interval(found.value, found.low, found.high), test)
    what = f"change of {asked['metric'].replace('_', ' ')}, {asked['classifier']}"
    statistic = f"{what}: {ends[0].x_unit} {ends[0].x:g} to {ends[1].x:g}"
    return {"panel": ends[0].panel, "statistic": statistic, **_numbers(found), "line": line, "verdict": said}


def _simulated(rows: pd.DataFrame, classifier: str | None) -> pd.DataFrame:
    simulations = rows[(rows.side == "simulated") & (rows.hypothesis != "by construction")]
    return simulations[simulations.classifier == classifier] if classifier else simulations


def _numbers(found: pd.Series | Estimate) -> dict:
    return {"value": found.value, "low": found.low, "high": found.high}
