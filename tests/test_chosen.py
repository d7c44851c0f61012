"""What a config says of some runs, panels and rows only: budgets by recipe and data, panels, rows of its own."""

from pathlib import Path

import pytest

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.runner.paths import Paths

ROOT = Path(__file__).parents[1]
GRID = [(theta, eps) for theta in (0, 30, 60, 90, 120, 150, 180) for eps in (0, 2, 4, 8)]


def epochs_of(catalog, figure: tuple[str, str]) -> set:
    return {
        phase["epochs"]
        for path in catalog.targets[figure].paths()
        for phase in catalog.recipe(path)["phases"]
    }


def images_of(catalog, figure: tuple[str, str]) -> set:
    return {catalog.recipe(path)["split"]["limit"] for path in catalog.targets[figure].paths()}


# Budgets by recipe and by data

FIG1, FIG2, CUSP = ("invariance", "fig1"), ("invariance", "fig2"), ("cusp", "table1")


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.5, [{5}, {60}, {60}]),
        ({"cifar_sgd": 0.1}, [{10}, {12}, {120}]),
        ({"cusp_sgd": 0.1, "default": 0.5}, [{5}, {60}, {12}]),
        ({"by_data": {"mnist": 1, "default": 0.1}}, [{10}, {12}, {12}]),
        ({"by_data": {"mnist": 1, "default": {"cusp_sgd": 0.1, "default": 0.5}}}, [{10}, {60}, {12}]),
        ({"mnist_sgd": {"by_model": {"gcnn": 1, "default": 0.1}}}, [{1}, {120}, {120}]),
    ],
    ids=str,
)
def test_epochs_by_recipe_and_by_data(full_config, share, expected):
    config = full_config | {"papers": ["invariance", "cusp"], "budget": {"epochs": share}}
    catalog = load(config, ROOT / "figures")
    assert [epochs_of(catalog, name) for name in (FIG1, FIG2, CUSP)] == expected


def test_train_images_by_recipe_and_by_data(full_config):
    config = full_config | {"papers": ["invariance", "cusp"]}
    images = {"by_data": {"cifar10": {"cusp_sgd": 5000, "default": 20000}, "default": 30000}}
    catalog = load(config | {"budget": {"train_images": images}}, ROOT / "figures")
    assert [images_of(catalog, name) for name in (FIG1, FIG2, CUSP)] == [{30000}, {20000}, {5000}]
    # more than there are: the same run, not one of another id
    images["by_data"]["default"] = 60000
    plain, more = (
        load(config | {"budget": made}, ROOT / "figures") for made in ({}, {"train_images": images})
    )
    assert more.targets[FIG1].paths() == plain.targets[FIG1].paths()
    assert more.panel_statuses(more.targets[FIG1]) == plain.panel_statuses(plain.targets[FIG1])
    only = load(config | {"budget": {"train_images": {"cusp_sgd": 5000}}}, ROOT / "figures")
    assert [images_of(only, name) for name in (FIG1, FIG2, CUSP)] == [{None}, {None}, {5000}]
    assert set(only.targets[FIG2].paths()) == set(load(config, ROOT / "figures").targets[FIG2].paths())


def test_folders_may_end_with_a_slash():
    config = {"results": "results/mine/", "data": "data/", "tidy": None}
    assert Paths.of(config) == Paths.of({"results": "results/mine", "data": "data", "tidy": None})


def test_members_of_one_data_set_leave_the_targets_of_others_to_those_who_ask_for_them(full_config):
    """Strengths that CIFAR-10 has and MNIST has not; and fewer first stages than second ones."""
    members = {"pgd": [0, 8 / 255], "translate": [0, 0.2, 0.4]}
    catalog = load(full_config | {"papers": ["tradeoff"], "budget": {"members": members}}, ROOT / "figures")
    fits, other = (catalog.targets["tradeoff", name] for name in ("fig10", "fig7"))
    assert not catalog.refused(fits) and len(fits.paths()) == 2
    assert "budget.members.pgd" in catalog.refused(other)
    second = catalog.targets["tradeoff", "fig12"].panels[0].members
    assert [member.strength for member in second] == [0, 0.1, 0.2, 0.3, 0.4]


def test_the_second_stage_of_a_run_has_the_budget_of_its_own_recipe(full_config):
    config = full_config | {"papers": ["tradeoff"], "budget": {"epochs": {"cifar_sgd": 0.5}}}
    config["overrides"] = {"families": {"translate_then_pgd": {"base": "short"}}}
    config["overrides"]["recipes"] = {
        "short": {"optimiser": {"name": "sgd", "lr": 0.1}, "batch": 128, "epochs": 7}
    }
    catalog = load(config, ROOT / "figures")
    (panel,) = (panel for panel in catalog.targets["tradeoff", "fig12"].panels if panel.letter == "a")
    for member in panel.members:
        assert member.recipe["phases"][0]["epochs"] == 7
        assert catalog.recipe(member.recipe["start"])["phases"][0]["epochs"] == 60


# Panels of a figure


def test_panels_that_the_budget_leaves_out_are_not_run_and_say_so(full_config):
    config = full_config | {"papers": ["tradeoff"], "budget": {"panels": {"tradeoff/fig2": ["a", "b", "b'"]}}}
    full, fewer = (
        load(full_config | {"papers": ["tradeoff"]}, ROOT / "figures"),
        load(config, ROOT / "figures"),
    )
    panels = fewer.targets["tradeoff", "fig2"].panels
    assert [p.letter for p in panels] == [p.letter for p in full.targets["tradeoff", "fig2"].panels]
    assert {p.letter for p in panels if not p.reason} == {"a", "b", "b'"}
    assert {p.reason for p in panels} == {"", "left out by budget.panels"}
    assert all("/vgg16/" in path for path in fewer.targets["tradeoff", "fig2"].paths())
    assert len(fewer.targets["tradeoff", "fig2"].paths()) == 7
    assert fewer.targets["tradeoff", "fig3"].paths() == full.targets["tradeoff", "fig3"].paths(), (
        "`like` fig2"
    )
    assert fewer.claims == full.claims, "claims on the others are `not run`"


def test_members_that_lack_a_panels_strengths_are_a_mistake_for_its_target_alone(full_config):
    config = full_config | {"papers": ["tradeoff"], "budget": {"members": {"rotate": [60, 120]}}}
    catalog = load(config, ROOT / "figures")
    fig13 = catalog.targets["tradeoff", "fig13"]
    assert catalog.refused(fig13).startswith("config: budget.members: ")
    assert "not all of [0, 180] are trained in 'rotate'" in catalog.refused(fig13)
    assert not catalog.refused(catalog.targets["tradeoff", "fig1"])


def test_what_a_budget_says_by_default_leaves_out_the_other_figures_and_tables(full_config):
    budget = {"panels": {"default": [], "tradeoff/fig2": ["a"]}, "rows": {"default": [], "cusp/table1": [3]}}
    catalog = load(full_config | {"papers": ["tradeoff", "cusp"], "budget": budget}, ROOT / "figures")
    run = {name for name, target in catalog.targets.items() if target.paths()}
    assert run == {("tradeoff", "fig2"), ("cusp", "table1"), ("cusp", "fig6")}, "fig6 draws table1's rows"
    assert catalog.targets["tradeoff", "theory"].kind == "theory"


# Rows and figures of the config's own


def row(theta: list[int], eps: list[int]) -> dict:
    lists = {
        "augment": {"rotate": {"values": theta}},
        "method": {"pgd": {"eps": {"values": [e / 255 for e in eps]}}},
    }
    return {"label": f"mine: {theta}, {eps}", "family": "cusp_pgd", "recipe": lists}


def with_rows(config: dict, rows: dict, **more) -> dict:
    tables = {"tables": {"cusp/table1": {"rows": rows}}}
    return config | {"papers": ["cusp"], "overrides": tables | more}


def test_any_pair_of_the_papers_grid_is_a_row_of_the_config(full_config):
    plain = load(full_config | {"papers": ["cusp"]}, ROOT / "figures")
    rows = {f"grid_{theta}_{eps}": row([theta, 150, 180], [eps, 4, 8]) for theta, eps in GRID}
    catalog = load(with_rows(full_config, rows), ROOT / "figures")
    table = catalog.targets["cusp", "table1"]
    added = {panel.letter: panel for panel in table.panels if panel.letter in rows}
    assert len(added) == 28 and len({panel.members[0].path for panel in added.values()}) == 28
    for theta, eps in GRID:
        (phase,) = added[f"grid_{theta}_{eps}"].members[0].recipe["phases"]
        assert phase["augment"]["rotate"]["values"] == [theta, 150, 180]
        assert [round(255 * e) for e in phase["method"]["pgd"]["eps"]["values"]] == [eps, 4, 8]
    same = {panel.letter: panel for panel in table.panels}["7"].members[0].path
    assert added["grid_120_2"].members[0].path == same, "row 7 once more is no run more"
    assert [panel.letter for panel in table.panels][:15] == [str(k) for k in range(1, 16)]
    assert catalog.targets["cusp", "table4"] == plain.targets["cusp", "table4"], (
        "`like` table1, with rows of its own"
    )
    assert not catalog.reduced()


def test_a_row_of_the_config_in_a_pareto_figure_and_in_place_of_the_papers(full_config):
    rows = {"mine": row([30, 60, 90], [2, 2, 2]), 15: {"label": "another name"}}
    figures = {"cusp/fig6": {"methods": {"mine": ["mine"]}}}
    catalog = load(with_rows(full_config, rows, figures=figures), ROOT / "figures")
    drawn = catalog.targets["cusp", "fig6"]
    assert drawn.spec["methods"]["mine"] == ["mine"] and "mine" in {panel.letter for panel in drawn.panels}
    assert catalog.targets["cusp", "table1"].spec["rows"]["15"]["label"] == "another name"
    assert list(catalog.targets["cusp", "table1"].spec["rows"]) == [*map(str, range(1, 16)), "mine"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"budget.epochs": {"cusp_sdg": 0.5}},
            "config: budget.epochs: unknown recipe 'cusp_sdg' (did you mean",
        ),
        (
            {"budget.train_images": {"by_data": {"minst": 5}}},
            "config: budget.train_images.by_data: unknown data set",
        ),
        ({"budget.epochs": {"default": 0}}, "budget.epochs.default: 0"),
        (
            {"budget.panels": {"tradeoff/fig99": ["a"]}},
            "config: budget.panels: unknown figure 'tradeoff/fig99'",
        ),
        (
            {"budget.panels": {"tradeoff/fig2": ["z"]}},
            "config: budget.panels.tradeoff/fig2: unknown panel 'z'",
        ),
        (
            {"overrides.tables": {"cusp/table11": {}}},
            "config: overrides.tables: unknown table 'cusp/table11'",
        ),
        ({"overrides.tables": {"table1": {}}}, "config: overrides.tables: unknown table 'table1'"),
        (
            {"overrides.tables": {"cusp/table1": {"rows": {"mine": {"famly": "pgd_0"}}}}},
            "config: overrides.tables.cusp/table1: tables.table1.rows.mine",
        ),
        (
            {"overrides.tables": {"cusp/table1": {"rows": {"mine": {"family": "cusp_pdg"}}}}},
            "tables.table1.rows.mine.family: unknown family 'cusp_pdg'",
        ),
    ],
    ids=str,
)
def test_what_is_not_there_is_told_in_one_line(edited, changes, said):
    with pytest.raises(CatalogError, match=r"^[^\n]*$") as error:
        load(edited(changes), ROOT / "figures")
    assert said in str(error.value)
