"""Optional rows of tables: off unless the config asks for them, and then there wherever they are named."""

from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import CatalogError, load

ROOT = Path(__file__).parents[1]
PAPER = """
title: Rows that may be left out
tables:
  table1:
    kind: results
    title: Rotations
    data: mnist
    model: stdcnn
    columns:
      natural: {label: Natural, profile: rotation, at: 0, metric: natural_accuracy}
      spatial: {label: Spatial, profile: rotation, at: 180, metric: spatial_accuracy}
      turned_only: {label: at 30, profile: rotation, at: 30, metric: spatial_accuracy, rows: [turned, half]}
    rows:
      plain: {label: upright, family: rotate, strength: 0}
      turned: {label: any angle, family: rotate, strength: 180}
      half: {label: half way, family: rotate, strength: 90, optional: true}
      best: {label: best, best_of: [turned, half]}
  table2:
    like: table1
    kind: results
    model: gcnn
figures:
  fig1:
    kind: pareto
    table: table1
    x: natural
    y: spatial
    methods: {ends: [plain, turned], middle: [half]}
    zoom: [ends, middle]
claims:
  M1:
    says: Turning costs
    in: table1
    tests:
      at all: {columns: [natural], gain: {rows: [turned, plain]}, below: 0}
      half way: {columns: [natural], gain: {rows: [half, plain]}, below: 0}
  M2:
    says: Half way is best
    in: table1
    tests:
      best: {columns: [spatial], best: {row: half}, above: 0}
"""


@pytest.fixture
def catalog_with(full_config, specs):
    """catalog_with(*rows, budget): the catalog of the paper above with optional rows asked for."""
    (specs / "mine.yaml").write_text(PAPER, encoding="utf-8")

    def made(*rows: str, **more):
        return load(full_config | {"papers": ["mine"], "optional_rows": list(rows)} | more, specs)

    return made


def rows_of(catalog, table: str) -> list[str]:
    return list(catalog.targets["mine", table].spec["rows"])


def test_an_optional_row_trains_nothing_and_is_not_printed_unless_asked_for(catalog_with):
    without, asked = catalog_with(), catalog_with("mine/table1/half")
    assert rows_of(without, "table1") == rows_of(without, "table2") == ["plain", "turned", "best"]
    assert rows_of(asked, "table1") == ["plain", "turned", "half", "best"]
    assert rows_of(asked, "table2") == ["plain", "turned", "best"], "a table that is like it asks for its own"
    (more,) = set(asked.recipes) - set(without.recipes)
    assert "/rotate90-" in more
    assert without.targets["mine", "table1"].spec["rows"]["best"]["of"] == ["turned"]
    assert asked.targets["mine", "table1"].spec["rows"]["best"]["of"] == ["turned", "half"]
    cells = {p.letter: [line.name for line in p.lines] for p in without.targets["mine", "table1"].panels}
    assert cells == {"plain": ["natural", "spatial"], "turned": ["natural", "spatial", "turned_only"]}


def test_figures_and_claims_follow(catalog_with):
    without, asked = catalog_with(), catalog_with("mine/table1/half")
    assert without.targets["mine", "fig1"].spec["methods"] == {"ends": ["plain", "turned"]}
    assert without.targets["mine", "fig1"].spec["zoom"] == ["ends"]
    assert asked.targets["mine", "fig1"].spec["methods"] == {"ends": ["plain", "turned"], "middle": ["half"]}
    assert {key: list(claim["tests"]) for key, claim in without.claims["mine"].items()} == {"M1": ["at all"]}
    assert list(asked.claims["mine"]["M1"]["tests"]) == ["at all", "half way"]
    assert list(asked.claims["mine"]["M2"]["tests"]) == ["best"]


def test_a_row_asked_for_is_run_whatever_the_budget_keeps(catalog_with):
    asked = catalog_with("mine/table1/half", budget={"rows": {"mine/table1": ["plain"]}})
    reasons = {panel.letter: bool(panel.reason) for panel in asked.targets["mine", "table1"].panels}
    assert reasons == {"plain": False, "turned": True, "half": False}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("mine/table1/halv", "config: optional_rows: unknown optional row 'mine/table1/halv' (did you mean"),
        ("mine/table1/plain", "unknown optional row 'mine/table1/plain'"),
        ("half", "'half' is no <paper>/<table>/<row>"),
    ],
)
def test_what_is_no_optional_row_is_told(catalog_with, asked, said):
    with pytest.raises(CatalogError, match="optional_rows") as error:
        catalog_with(asked)
    assert said in str(error.value)


def test_no_optional_row_is_on_by_default(full_config):
    assert yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["optional_rows"] == []
    assert full_config["optional_rows"] == []
