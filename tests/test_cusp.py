"""CuSP: which theta, eps and rate each epoch gets, its baselines, and Pareto fronts with their hypervolume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from spatial_adversarial import panels
from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.judging import judge_claim
from spatial_adversarial.metrics.hypervolume import hypervolume, on_front
from spatial_adversarial.panels.pareto import dominated
from spatial_adversarial.plots import style
from spatial_adversarial.records.tidy import CellRow, frame
from spatial_adversarial.reporting.captions import figure
from spatial_adversarial.statistics.intervals import Sample
from spatial_adversarial.training.schedules import Clock, value

ROOT = Path(__file__).parents[1]
RATES = [0.1] * 74 + [pytest.approx(0.01)] * 15 + [pytest.approx(0.001)] * 10 + [pytest.approx(0.0001)] * 21
PGD, TRADES = range(7, 16), range(20, 29)  # the rows of CuSP in table 4


@pytest.fixture(scope="module")
def catalog():
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return load(config | {"papers": ["cusp"], "only_data": None}, ROOT / "figures")


@pytest.fixture(scope="module")
def controls():
    """The catalog with table 1's optional rows."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    rows = [f"cusp/table1/{row}" for row in ("random_pairs", "reversed", "pgd_180_240")]
    return load(config | {"papers": ["cusp"], "only_data": None, "optional_rows": rows}, ROOT / "figures")


def recipe_of(catalog, table: str, row: str | int) -> dict:
    (panel,) = (panel for panel in catalog.targets["cusp", table].panels if panel.letter == str(row))
    return panel.members[0].recipe


def epochs_of(recipe: dict) -> list[tuple]:
    """(theta, eps, rate) of each epoch, read as the training loop reads them."""
    clock = Clock(recipe["phases"])
    seen = []
    for epoch in range(clock.length):
        phase = clock.phase(clock.time(epoch * 313, 313))
        (method,) = phase["method"].values()
        rate = value(recipe["optimiser"]["lr"], epoch, clock.length)
        seen.append((phase["augment"]["rotate"], round(255 * method["eps"]), pytest.approx(rate)))
    return seen


@pytest.mark.parametrize("row", [7, 14, 15, 20, 27, 28])
@pytest.mark.parametrize("table", ["table4", "table5", "table6"])
def test_every_epoch_of_the_papers_list_gets_its_theta_eps_and_rate(catalog, table, row):
    expected = [(120, 2, 0.1)] * 74 + [(150, 4, 0.01)] * 15 + [(180, 8, 0.001)] * 10 + [(180, 8, 0.0001)] * 21
    recipe = recipe_of(catalog, table, row)
    assert epochs_of(recipe) == expected
    assert recipe["model"]["normalise"] == "none" and recipe["split"]["validation"] == 10000
    phase = recipe["phases"][0]
    assert (phase["augment"]["crop"], phase["augment"]["flip"], recipe["batch"]) == (4, True, 128)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((8, 21), [(60, 2)] * 74 + [(120, 4)] * 15 + [(180, 8)] * 31),
        ((9, 22), [(30, 2)] * 74 + [(90, 4)] * 15 + [(180, 8)] * 31),
        ((10, 23), [(180, 2)] * 74 + [(180, 4)] * 15 + [(180, 8)] * 31),
        ((11, 24), [(120, 8)] * 74 + [(150, 8)] * 15 + [(180, 8)] * 31),
        ((12, 25), [(120, 4)] * 74 + [(150, 8)] * 15 + [(180, 8)] * 31),
        ((13, 26), [(0, 0)] * 74 + [(90, 4)] * 15 + [(180, 8)] * 31),
    ],
)
def test_the_other_lists_do_what_their_labels_say(catalog, rows, expected):
    for row in rows:
        assert [epoch[:2] for epoch in epochs_of(recipe_of(catalog, "table4", row))] == expected


def test_the_random_pairs_have_row_7s_shares_and_its_rates(controls):
    row, control = recipe_of(controls, "table1", 7), recipe_of(controls, "table1", "random_pairs")
    pairs = [epoch[:2] for epoch in epochs_of(row)]
    phase = control["phases"][0]
    theta, eps = phase["augment"]["rotate"], phase["method"]["pgd"]["eps"]
    assert theta["schedule"] == eps["schedule"] == "random" and theta["weights"] == eps["weights"]
    drawn = zip(theta["values"], eps["values"], theta["weights"], strict=True)
    assert {(angle, round(255 * size)): count for angle, size, count in drawn} == {
        pair: pairs.count(pair) for pair in pairs
    }
    assert {**control, "phases": 0} == {**row, "phases": 0} and phase["epochs"] == 120


def test_the_reversed_curriculum_is_row_7_backwards_at_its_rates(controls):
    row, control = (epochs_of(recipe_of(controls, "table1", key)) for key in (7, "reversed"))
    assert [epoch[:2] for epoch in control] == [epoch[:2] for epoch in reversed(row)]
    assert [epoch[2] for epoch in control] == [pytest.approx(rate) for rate in RATES]


def test_row_4_for_240_epochs_is_row_4_at_half_the_pace(controls):
    row, control = (epochs_of(recipe_of(controls, "table1", key)) for key in (4, "pgd_180_240"))
    assert len(control) == 240 and control[::2] == control[1::2]
    assert [epoch[:2] for epoch in control[::2]] == [epoch[:2] for epoch in row]
    assert [epoch[2] for epoch in control[::2]] == RATES


def test_the_controls_cost_nothing_unless_asked_for(catalog, controls):
    assert len(set(controls.recipes) - set(catalog.recipes)) == 3 and set(catalog.recipes) < set(
        controls.recipes
    )
    assert controls.targets["cusp", "fig6"].spec["methods"]["matched controls"] == [
        "random_pairs",
        "reversed",
        "pgd_180_240",
    ]
    assert "matched controls" not in catalog.targets["cusp", "fig6"].spec["methods"]
    assert "C10" in controls.claims["cusp"] and "C10" not in catalog.claims["cusp"]


@pytest.mark.parametrize("name", ["fig18", "fig20", "fig22"])
def test_trades_figures_draw_the_pgd_baselines_as_well(catalog, name):
    drawn = {row for rows in catalog.targets["cusp", name].spec["methods"].values() for row in rows}
    assert drawn == {str(row) for row in (*range(1, 7), *range(16, 29))}


def test_the_rate_of_fig4s_trades_drops_in_the_same_epochs_as_the_tables(catalog):
    found = [panel.members[-1].recipe for panel in catalog.targets["cusp", "fig4"].panels]
    assert {tuple(recipe["optimiser"]["lr"]["at"]) for recipe in found} == {(74, 89, 99)}


@pytest.mark.parametrize(("name", "drops"), [("75", [74, 89, 99]), ("40", [39, 79]), ("50", [49, 99])])
def test_theta_and_eps_go_up_where_the_rate_drops(catalog, name, drops):
    seen = epochs_of(recipe_of(catalog, "table7", f"cusp_{name}"))
    for kind in (0, 1):
        moves = [k for k in range(1, 120) if seen[k][kind] != seen[k - 1][kind]]
        assert moves == drops[:2]
    rates = [
        value(recipe_of(catalog, "table7", f"pgd_{name}")["optimiser"]["lr"], k, 120) for k in range(120)
    ]
    assert [k for k in range(1, 120) if rates[k] != rates[k - 1]] == drops


@pytest.mark.parametrize(
    ("row", "first"), [(5, 3), (6, 2), (14, 3), (15, 2), (18, 16), (19, 2), (27, 16), (28, 2)]
)
def test_second_stages_are_whole_runs_that_start_from_the_first(catalog, row, first):
    (panel,) = (panel for panel in catalog.targets["cusp", "table4"].panels if panel.letter == str(first))
    recipe = recipe_of(catalog, "table4", row)
    assert recipe["start"] == panel.members[0].path
    assert [phase["epochs"] for phase in recipe["phases"]] == [120] and recipe["optimiser"]["lr"][
        "from"
    ] == 0.1


def test_a_runs_name_tells_its_lists(catalog):
    names = [path.split("/")[-1] for path in catalog.targets["cusp", "table4"].paths()]
    assert any(name.startswith("rotate120-150-180_pgd2-4-8-255-") for name in names)
    assert len(set(names)) == 28


def test_trades_rows_are_attacked_by_the_divergence_as_well(catalog):
    panels = {int(panel.letter): panel for panel in catalog.targets["cusp", "table4"].panels}
    for row, panel in panels.items():
        profiles = [next(iter(line.profiles.values())).settings for line in panel.lines]
        assert any(profile.get("loss") == "kl" for profile in profiles) == (row > 15)


def test_the_tables_show_no_published_numbers(catalog):
    for target in catalog.targets.values():
        assert all(
            line.published is None and not line.points for panel in target.panels for line in panel.lines
        )


# Pareto fronts


def test_the_front_is_what_no_point_dominates():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 8, (2, 40)) / 10
    brute = [
        not any((a >= p and b >= q) and (a > p or b > q) for a, b in zip(x, y, strict=True))
        for p, q in zip(x, y, strict=True)
    ]
    assert on_front(x, y).tolist() == brute and 0 < sum(brute) < 40


def test_the_hypervolume_is_the_share_of_the_square_that_is_dominated():
    rng = np.random.default_rng(1)
    x, y = rng.random((2, 6, 3))
    cells = (np.arange(400) + 0.5) / 400
    for k, area in enumerate(hypervolume(x, y)):
        covered = ((cells[:, None, None] < x[:, k]) & (cells[None, :, None] < y[:, k])).any(axis=-1).mean()
        assert area == pytest.approx(covered, abs=0.01)
    assert hypervolume(np.array([0.5]), np.array([0.4])) == pytest.approx(0.2)
    both = hypervolume(np.array([0.5, 0.5]), np.array([0.4, 0.4]))
    assert both == pytest.approx(0.2), "a point twice dominates no more"


POINTS = {"1": (0.9, 0.1), "2": (0.2, 0.8), "3": (0.5, 0.5), "4": (0.4, 0.45), "5": (0.6, 0.55)}
METHODS = {"baseline": ["1", "2", "3"], "ours": ["4", "5"]}


def made(noise: float = 0.01, not_run: str = "", lost: str = ""):
    """(rows, replicates) of a Pareto figure on POINTS, with the hypervolumes; `lost`: rows that have not learnt."""
    rng, pairs = np.random.default_rng(2), []
    for key, point in POINTS.items():
        for column, number in zip(("spatial", "adversarial"), point, strict=True):
            row = {
                "panel": key,
                "row": key,
                "kind": "row",
                "column": column,
                "metric": column,
                "paper": "cusp",
            }
            row |= {
                "target": "fig6",
                "data": "d",
                "model": "m",
                "interval": "test images",
                "n": 9,
                "seed": "0",
            }
            row |= {
                "value": number,
                "low": number - noise,
                "high": number + noise,
                "status": "run",
                "published": None,
            }
            row |= {"status": "not run", "value": np.nan} if key in not_run else {}
            row |= {"learnt": "no" if key in lost else "yes"}
            drawn = (number + rng.normal(0, noise, 300)).astype(np.float32)
            pairs.append((CellRow(**row), Sample(number, drawn, np.array([number]))))
    spec = {"x": "spatial", "y": "adversarial", "methods": METHODS}
    pairs += list(dominated(spec, pairs, 0.95))
    rows, drawn = zip(*pairs, strict=True)
    return frame(rows), np.stack([sample.drawn for sample in drawn])


def test_each_methods_hypervolume_has_an_interval():
    rows, drawn = made()
    volumes = rows[rows.metric == "hypervolume"].set_index("panel")
    expected = {"baseline": 0.9 * 0.1 + 0.5 * 0.4 + 0.2 * 0.3, "ours": 0.6 * 0.55}
    for method, area in expected.items():
        assert volumes.value[method] == pytest.approx(area)
        assert volumes.low[method] < area < volumes.high[method] < area + 0.1
    assert drawn.shape == (12, 300)


def test_a_method_not_run_has_no_hypervolume():
    rows, _ = made(not_run="45")
    volumes = rows[rows.metric == "hypervolume"].set_index("panel")
    assert volumes.status.to_dict() == {"baseline": "run", "ours": "not run"}


def test_the_area_of_fewer_models_than_a_method_has_is_reduced():
    rows, _ = made(not_run="1")
    assert rows[rows.metric == "hypervolume"].status.tolist() == ["reduced", "run"]


@pytest.mark.parametrize(
    ("test", "value", "verdict"),
    [
        ({"area": {"to": "adversarial", "row": 5, "over": [1, 2, 3]}, "above": 0}, 0.08, "holds"),
        ({"area": {"to": "adversarial", "row": 4, "over": [1, 5]}, "above": 0}, -0.15, "fails"),
        (
            {"adds": {"to": "adversarial", "rows": [5], "over": [1, 2, 3]}, "above": 0},
            0.33 - 0.25 - 0.01 - 0.01,
            "holds",
        ),
        ({"adds": {"to": "adversarial", "rows": [4], "over": [1, 2, 3]}, "above": 0}, 0, "fails"),
        ({"ahead": {"to": "adversarial", "rows": [5], "over": [1, 2, 3]}, "above": 0}, 0.1, "holds"),
        ({"ahead": {"to": "adversarial", "rows": [4, 5], "over": [1, 2, 3]}, "above": 0}, -0.05, "fails"),
        ({"nearer": {"to": "adversarial", "rows": [5], "over": [3]}, "below": 0}, -0.05, "holds"),
    ],
)
def test_claims_on_fronts(test, value, verdict):
    claim = {"says": "", "in": "table1", "tests": {"t": {"columns": ["spatial"]} | test}}
    (row,) = judge_claim("C", claim, {"table1": made()}, 0.95)
    assert row["value"] == pytest.approx(value) and row["verdict"] == verdict


def test_a_claim_on_sets_of_rows_is_judged_on_those_that_were_run_and_says_so():
    asked = {"to": "adversarial", "rows": [4, 5], "over": [1, 2, 3]}
    claim = {"says": "", "in": "table1", "tests": {"t": {"columns": ["spatial"], "ahead": asked, "above": 0}}}
    (row,) = judge_claim("C", claim, {"table1": made(not_run="14")}, 0.95)
    assert row["value"] == pytest.approx(0.1) and "(3 of 5 rows)" in row["statistic"]
    (row,) = judge_claim("C", claim, {"table1": made(not_run="45")}, 0.95)
    assert row["verdict"] == "not run" and "none of the rows 4, 5 has a number" in row["statistic"]


def drawn_figure(catalog, rows):
    described = figure(catalog, catalog.targets["cusp", "fig6"])
    (panel,) = described.panels
    described = replace(described, panels=(replace(panel, methods=METHODS, zoom=["ours"]),))
    return panels.draw(rows, described)


def test_every_model_is_numbered_once_and_lists_are_compared_with_one_model(catalog):
    canvas = drawn_figure(catalog, made()[0])
    plane, lists = canvas.axes
    assert sorted(text.get_text() for text in plane.texts) == sorted(POINTS)
    marks = {shape: [line for line in lists.lines if line.get_marker() == shape] for shape in "os"}
    gains = {shape: [x for line in own for x in line.get_xdata()] for shape, own in marks.items()}
    assert np.allclose(gains["o"], [-10, 10]) and np.allclose(gains["s"], [-5, 5])  # less row 3
    bars = [
        line.get_xdata() for line in lists.lines if line.get_marker() == "None" and line is not lists.lines[0]
    ]
    assert len(bars) == 4 and all(low < high for low, high in bars)
    told = lists.texts[0].get_text().replace("\n", " ")
    assert "Of 2 lists 1 gain in spatial accuracy, 1 in adversarial, 1 in both" in told
    assert "ours as a set: +8.0 points of dominated area" in told  # .33 - .25
    labels = [text.get_text() for text in canvas.legends[0].get_texts()]
    assert labels[1].startswith("ours (2 models): 33.0 [") and len(labels) == 2


def test_models_not_shown_to_have_learnt_dominate_nothing(catalog):
    rows, _ = made(lost="15")
    volumes = rows[rows.metric == "hypervolume"].set_index("panel").value
    assert volumes.baseline == pytest.approx(0.5 * 0.5 + 0.2 * 0.3) and volumes.ours == pytest.approx(
        0.4 * 0.45
    )
    canvas = drawn_figure(catalog, rows)
    assert canvas.axes[0].get_title(loc="left") == "front: rows 2, 3"
    assert "pale" in canvas.legends[0].get_texts()[-1].get_text()
    lists = canvas.axes[1]
    assert "Of 1 list 0 gain in spatial accuracy, 0 in adversarial" in lists.texts[0].get_text().replace(
        "\n", " "
    )
    assert [
        line.get_alpha() for line in lists.lines if line.get_marker() == "o" and len(line.get_xdata())
    ] == [
        1,
        style.PALE,
    ]
    rows, _ = made(lost="45")
    ours = rows[(rows.metric == "hypervolume") & (rows.panel == "ours")].iloc[0]
    assert np.isnan(ours.value) and ours.learnt == "no" and ours.status == "run"
    canvas = drawn_figure(catalog, rows)
    assert canvas.legends[0].get_texts()[1].get_text() == "ours (2 models): not learnt"


def test_a_pareto_figure_with_nothing_run_says_so(catalog):
    canvas = drawn_figure(catalog, made(not_run="12345")[0])
    assert all("not run" in axes.texts[0].get_text() for axes in canvas.axes[:2])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"figures.fig6.table": "table99"}, "unknown table 'table99'"),
        ({"figures.fig6.table": "table2"}, "no table of results"),
        ({"figures.fig6.x": "spatially"}, "unknown column 'spatially'"),
        ({"figures.fig6.methods": {"natural": [1, 99]}}, "unknown row '99'"),
        ({"figures.fig6.zoom": ["Cusp"]}, "unknown method 'Cusp'"),
        ({"figures.fig6.methods": ...}, "needs 'methods'"),
    ],
)
def test_a_pareto_figure_names_what_there_is(full_config, specs, edit, changes, said):
    edit("cusp.yaml", changes)
    with pytest.raises(CatalogError, match=rf"^[^\n]*cusp\.yaml: figures\.fig6[^\n]*{said}[^\n]*$"):
        load(full_config | {"papers": ["cusp"]}, specs)
