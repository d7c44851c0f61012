"""The demo, end to end: it runs as the README says, and what comes out keeps its promises."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT

from spatial_adversarial.catalog import load
from spatial_adversarial.records.identity import run_and_weights
from spatial_adversarial.records.tidy import COLUMNS
from spatial_adversarial.results.store import read_evaluation, read_rows

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


def naturally_trained(demo, path: str) -> bool:
    """Whether a run (or the snapshot at a run's end) has seen natural images alone, in its last stage at least."""
    _, weights = run_and_weights(path)
    recipe = demo.recipe(path)
    ended = weights in ("weights", f"step{sum(phase.get('steps', 0) for phase in recipe['phases'])}")
    return ended and not recipe["mix"] and not any(phase["method"] for phase in recipe["phases"])


def test_every_naturally_trained_network_has_learnt_half_of_what_there_is_to_learn(demo):
    seen = {}
    for path, profiles in demo.profiles.items():
        if naturally_trained(demo, path):
            file = max(profiles, key=lambda name: (profiles[name]["sample"], name))
            found = read_evaluation(RESULTS / "evaluations" / path / "seed0" / f"{file}.h5")
            classes = demo.registry["data"][demo.recipe(path)["data"]]["classes"]
            seen[path] = ((found.clean == found.label).mean(), (1 + 1 / classes) / 2)
    print(
        *(f"{path:70s} clean {clean:.3f}, half-way {half:.3f}" for path, (clean, half) in seen.items()),
        sep="\n",
    )
    assert not {path: pair for path, pair in seen.items() if pair[0] < pair[1]} and len(seen) > 80


def test_families_on_mnist_are_large_enough_for_a_trend(demo):
    for name, family in (("fig1", "rotate"), ("fig3", "rotate"), ("fig5", "pgd")):
        for panel in demo.targets["invariance", name].panels:
            assert panel.family == family and len(panel.members) >= 5


def test_titles_tell_what_was_run_and_nothing_published_stands_beside_it(demo):
    for target in demo.targets.values():
        if target.kind == "architectures":  # of the full-size networks, whatever stands in for their data
            continue
        if target.kind != "theory":
            assert " in place of " in target.title, target.name
            rows = read_rows(
                RESULTS / ("tables" if target.is_table else "figures") / target.paper / f"{target.name}.csv"
            )
            assert "published" not in rows or rows.published.isna().all()
            assert "source" not in rows or not (rows.source == "published").any()
        if target.is_table:
            text = (RESULTS / "tables" / target.paper / f"{target.name}.md").read_text(encoding="utf-8")
            assert " in place of " in " ".join(text.split()) and "| published" not in text
            assert max(map(len, text.splitlines())) <= 200


def test_every_target_is_drawn_with_the_shared_columns(demo):
    for target in demo.targets.values():
        folder = RESULTS / ("tables" if target.is_table else "figures") / target.paper
        for kind in ("csv", "md", "tex") if target.is_table else ("csv", "pdf", "png"):
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


def claims_of(demo) -> list[tuple[str, str, dict]]:
    return [(paper, key, claim) for paper, keys in demo.claims.items() for key, claim in keys.items()]


def all_at_full_size(claim: dict) -> bool:
    return all(test.get("full_size") for test in claim["tests"].values())


def test_every_key_is_judged_and_every_claim_on_what_was_run(demo):
    claims = pd.read_csv(RESULTS / "claims.csv", dtype={"panel": str})
    ran = claims[claims.status != "not run"]
    assert len(ran) > 30 and set(ran.verdict) <= {"holds", "fails", "undecided", "not informative"}
    ours = ran[ran.source == "ours"]
    judged = set(zip(ours.paper, ours.key, strict=True))
    full_size = {(paper, key) for paper, key, claim in claims_of(demo) if all_at_full_size(claim)}
    assert full_size == {("features", "F10")}, "its published check is of a full-size network"
    assert judged == {(paper, key) for paper, key, _ in claims_of(demo)} - full_size
    for _, claim in claims[claims.status == "not run"].iterrows():
        if demo.targets[claim.paper, claim.target].kind == "results":
            assert "no number" in claim.statistic or "has a number" in claim.statistic, claim.to_dict()
            continue
        if "of full size" in claim.statistic:
            assert (claim.paper, claim.key) in full_size
            continue
        panels = {p.letter: p for p in demo.targets[claim.paper, claim.target].panels}
        missing = ("was not run", "not comparable")
        assert panels[claim.panel].reason or any(told in claim.statistic for told in missing), claim.to_dict()


def test_the_report_is_there(demo):
    assert (RESULTS / "report.zip").stat().st_size > 100_000
