"""The demo, end to end: it runs as the README says, and what comes out keeps its promises."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT

from spatial_adversarial.aggregates import COLUMNS
from spatial_adversarial.catalog import load
from spatial_adversarial.catalog.recipes import run_and_step
from spatial_adversarial.store import read_evaluation, read_rows

pytestmark = pytest.mark.slow
RESULTS = ROOT / "results/demo"


@pytest.fixture(scope="module")
def demo():
    """The demo's catalog, once the demo has run (in seconds, where it has run before)."""
    settings = {
        name: yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
        for name in ("config.yaml", "profiles/demo/demo.yaml")
    }
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/demo", "--quiet", "rules"]
    subprocess.run(command, cwd=ROOT, check=True)
    return load(settings["config.yaml"] | settings["profiles/demo/demo.yaml"], ROOT / "figures")


def test_every_naturally_trained_member_is_three_times_better_than_chance(demo):
    seen = 0
    for path, profiles in demo.profiles.items():
        recipe = demo.recipe(path)
        if any(phase["examples"] for phase in recipe["phases"]) or recipe["mix"] or run_and_step(path)[1]:
            continue  # adversarial, not on natural images alone, or not at its end
        file = max(profiles, key=lambda name: ("transform" in profiles[name], name))
        found = read_evaluation(RESULTS / "evaluations" / path / "seed0" / f"{file}.h5")
        classes = demo.registry["data"][demo.recipe(path)["data"]]["classes"]
        assert (found.clean == found.label).mean() >= 3 / classes, path
        seen += 1
    assert seen >= 10


def test_every_target_is_drawn_with_the_shared_columns(demo):
    for target in demo.targets.values():
        folder = RESULTS / ("tables" if target.is_table else "figures") / target.paper
        for kind in ("csv", "md") if target.is_table else ("csv", "pdf", "png"):
            assert (folder / f"{target.name}.{kind}").stat().st_size > 100
        rows = read_rows(folder / f"{target.name}.csv")
        assert list(rows.columns[: len(COLUMNS)]) == COLUMNS
        assert set(rows.status) <= {"run", "not run", "reduced"}
        rows = rows[rows.source != "published"] if "source" in rows else rows
        shares = rows[rows.metric.isin(["rate_of_invariance", "one_minus_fooling_rate", "robust_accuracy"])]
        if target.kind in ("results", "pareto"):
            shares = shares[(shares.kind != "gain") & (shares.status != "not run")]
        assert shares.value.between(0, 1).all() and (shares.low <= shares.value).all()
        if target.kind == "panels":
            assert set(rows.status) <= {"not run", "reduced"}


def test_the_clean_point_of_every_profile_changes_no_prediction(demo):
    for target in demo.targets.values():
        if target.kind == "panels":
            rows = read_rows(RESULTS / "figures" / target.paper / f"{target.name}.csv")
            kept = rows[rows.metric.isin(["rate_of_invariance", "one_minus_fooling_rate"])]
            assert np.allclose(kept[kept.x.astype(str).isin(["0", "0.0"])].value, 1)


def test_every_claim_on_what_was_run_is_judged(demo):
    claims = pd.read_csv(RESULTS / "claims.csv", dtype={"panel": str})
    ran = claims[claims.status != "not run"]
    assert len(ran) > 30 and set(ran.verdict) <= {"holds", "fails", "undecided"}
    for _, claim in claims[claims.status == "not run"].iterrows():
        if demo.targets[claim.paper, claim.target].kind == "results":
            assert "no number" in claim.statistic or "has a number" in claim.statistic, claim.to_dict()
            continue
        panels = {p.letter: p for p in demo.targets[claim.paper, claim.target].panels}
        missing = ("was not run", "fewer than two models")
        assert panels[claim.panel].reason or any(told in claim.statistic for told in missing), claim.to_dict()


def test_the_report_is_there(demo):
    assert (RESULTS / "report.zip").stat().st_size > 100_000
