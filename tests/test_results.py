"""Tables of results: their rows and cells, published numbers beside them, differences, and claims on them."""

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from make_table import tabulate_results
from spatial_adversarial import panels
from spatial_adversarial.catalog import CatalogError, load, published
from spatial_adversarial.judging import judge_claim
from spatial_adversarial.panels.table import derive
from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.plan import Plan
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.panel import Line, Profile
from spatial_adversarial.records.tidy import CellRow
from spatial_adversarial.reporting.attack_settings import attack_words
from spatial_adversarial.reporting.captions import caption, comparable, figure, table
from spatial_adversarial.reporting.markup import to_markdown
from spatial_adversarial.reporting.result_tables import _bold, results_layout
from spatial_adversarial.results.aggregate import Aggregator
from spatial_adversarial.statistics.sample import Sample

HEAD = "paper,target,dataset,model,method,train_data,augmentation,lr,attack,norm,eps_255,alpha,step,metric,percent"
PUBLISHED = f"""{HEAD}
byhand,table1,cifar10,VGG-16,natural,D,,,clean,,,,,natural_accuracy,90
byhand,table1,cifar10,VGG-16,PGD-AT,D,,,clean,,,,,natural_accuracy,75.5
byhand,table1,cifar10,VGG-16,natural,D,,,pgd,linf,8,,,robust_accuracy,1
byhand,table1,cifar10,VGG-16,PGD-AT,D,,,pgd,linf,8,,,robust_accuracy,40
byhand,fig1,cifar10,VGG-16,natural,D_mix,,,clean,,,1,,natural_accuracy,60
byhand,fig1,cifar10,VGG-16,natural,D_mix,,,clean,,,0,,natural_accuracy,90
byhand,fig1,cifar10,VGG-16,natural,D_mix,,,pgd,,,0,,spatial_accuracy,20
byhand,other,cifar10,VGG-16,PGD-AT,D,,,pgd,linf,8,,,robust_accuracy,41
"""
SPEC = """
title: By hand
recipes:
  short: {optimiser: {name: sgd, lr: 0.1}, batch: 128, epochs: 2}
families:
  plain: {label: plain, base: short, recipe: {}}
  pgd8: {label: PGD, base: short, recipe: {method: {pgd: {eps: 8/255, step: 2/255, steps: 10}}}}
  then:
    label: both
    start: plain
    base: short
    recipe: {method: {pgd: {eps: 8/255, step: 2/255, steps: 10}}}
profiles:
  attack: {label: PGD, metric: robust_accuracy, unit: eps, attack: pgd, grid: [8/255], step: 2/255, steps: 10}
  turned: {label: turned, metric: spatial_accuracy, unit: degrees, transform: rotate, grid: [0, 180]}
tables:
  table1:
    kind: results
    title: Methods
    data: cifar10
    model: vgg16
    bold: 1
    numbered: true
    published: {}
    columns:
      natural: {label: Natural, profile: turned, at: 180, metric: natural_accuracy, published: {attack: clean}}
      adversarial: {label: PGD, profile: attack, published: {attack: pgd, eps_255: 8}}
      spatial: {label: Spatial, profile: turned, at: 180}
    rows:
      h: {heading: Baselines}
      1: {label: natural, family: plain}
      2: {label: PGD, family: pgd8, columns: [natural, adversarial]}
      3: {label: rotated, family: rotate, strength: 60, recipe: {split: {validation: 0}}, published: {method: OA-AT}}
      gain: {label: PGD less natural, gain: [2, 1]}
      best: {label: the best, best_of: [1, 2, more.4]}
  more:
    kind: results
    data: cifar10
    model: vgg16
    columns: {natural: {label: Natural, profile: attack, metric: natural_accuracy}}
    rows: {4: {label: warm, family: then}}
lines:
  both:
    - {label: Natural, profile: turned, at: 180, metric: natural_accuracy, published: {attack: clean}}
    - {label: Spatial, profile: turned, at: 180, metric: spatial_accuracy, published: {attack: pgd}}
figures:
  fig1:
    title: Against the mixture
    data: cifar10
    panels:
      a: {model: vgg16, family: rotate, lines: both, published: {target: fig1, x: alpha}}
claims:
  B1:
    says: PGD wins where it is attacked, and loses elsewhere
    in: table1
    tests:
      wins: {columns: [adversarial, natural], gain: {rows: [2, 1]}, above: 0}
      is best: {columns: [adversarial], best: {row: 2}, above: 0}
      value: {columns: [natural], cell: {row: 1}, above: 0.85}
      robustness costs: {columns: [natural], gap: {to: adversarial}, above: 0}
"""


@pytest.fixture
def byhand(full_config, specs):
    """byhand(edit of the spec, **changes of the config) -> the catalog of one table made up here."""
    (specs / "published" / "published.csv").write_text(PUBLISHED, encoding="utf-8")
    published._read.cache_clear()

    def make(spec: str = SPEC.replace("OA-AT", "natural"), **config):
        (specs / "byhand.yaml").write_text(spec, encoding="utf-8")
        return load(full_config | {"papers": ["byhand"]} | config, specs)

    yield make
    published._read.cache_clear()


ACCURACY = {"natural": 0.9, "pgd8-255": 0.8, "pgd8-255-after-natural": 0.85}


def fill(catalog, name: str = "table1", seeds: int = 1, history=None):
    """(target, rows, replicates) of a table whose evaluations are drawn with known accuracies."""
    target = catalog.targets["byhand", name]
    bootstrap = {"replicates": 200, "level": 0.95, "seed": 0}
    aggregator = Aggregator(
        target,
        seeds=lambda run: list(range(seeds)),
        bootstrap=bootstrap,
        status=lambda *run: "run",
        evaluation=lambda *key: key,
        classes={name: entry["classes"] for name, entry in catalog.registry["data"].items()},
    )
    aggregator.inputs.evaluation = draw
    aggregator.inputs.history = history
    return target, *aggregator.table({})[:2]


def draw(path: str, profile: Profile, seed: int) -> Evaluation:
    """1000 images, of which a model gets its share right; attacked, an undefended one gets none."""
    words = path.split("/")[-1].rsplit("-", 1)[0]
    label = np.arange(1000) % 10
    rng = np.random.default_rng([seed, len(path)])
    clean = (label + (rng.random(1000) > ACCURACY.get(words, 0.7))) % 10
    hard = clean if words.startswith("pgd") or "transform" in profile.settings else (label + 1) % 10
    x = np.array(profile.settings["grid"], dtype=float)
    return Evaluation(label, clean, x, np.broadcast_to(hard, (len(x), 1, 1000)))


def of(rows: pd.DataFrame, row: str, column: str) -> pd.Series:
    (found,) = (one for _, one in rows[(rows.panel == row) & (rows.column == column)].iterrows())
    return found


def test_a_row_is_a_run_and_a_cell_a_profile_at_a_point(byhand):
    target = byhand().targets["byhand", "table1"]
    panels = {panel.letter: panel for panel in target.panels}
    assert list(panels) == ["1", "2", "3", "more.4"]
    assert [line.name for line in panels["2"].lines] == ["natural", "adversarial"]
    assert target.is_table and len(target.paths()) == 4
    rotated = panels["3"].members[0]
    assert rotated.strength == 60 and rotated.recipe["split"]["validation"] == 0
    assert panels["more.4"].members[0].recipe["start"] == panels["1"].members[0].path
    assert panels["2"].lines[1].at == {panels["2"].members[0].path: pytest.approx(8 / 255)}


def test_one_published_number_a_cell_or_none(byhand):
    target = byhand().targets["byhand", "table1"]
    cells = {(panel.letter, line.name): line.published for panel in target.panels for line in panel.lines}
    assert cells["1", "natural"] == 0.9 and cells["2", "adversarial"] == 0.4
    assert cells["1", "spatial"] is None


def test_two_published_numbers_for_a_cell_are_an_error_that_names_the_filter(byhand, specs):
    clash = SPEC.replace("OA-AT", "natural").replace("published: {}", "published: {target: table1}")
    clash = clash.replace(", published: {attack: pgd, eps_255: 8}", ", published: {metric: natural_accuracy}")
    byhand(clash)
    both = PUBLISHED + "byhand,table1,cifar10,VGG-16,natural,D,std,,clean,,,,,natural_accuracy,91\n"
    (specs / "published" / "published.csv").write_text(both, encoding="utf-8")
    published._read.cache_clear()
    with pytest.raises(CatalogError, match=r"2 published numbers, not one, with .*attack clean"):
        byhand(clash)


def test_a_filter_that_no_published_number_has_is_named(byhand):
    with pytest.raises(CatalogError, match=r"rows\.3: published\.method: no published number has 'OA-AT'"):
        byhand(SPEC)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("family: pgd8", "family: pgd9", "unknown family 'pgd9'"),
        ("strength: 60", "strength: 61", "unknown strength 61"),
        (", strength: 60", "", "which of"),
        ("gain: [2, 1]}\n      best", "gain: [2, 9]}\n      best", "unknown row '9'"),
        ("more.4", "more.5", "unknown row '5'"),
        ("columns: [natural, adversarial]}", "columns: [naturel]}", "unknown column 'naturel'"),
        ("gain: {rows: [2, 1]}", "gain: {rows: [2, 7]}", "unknown row '7'"),
        ("at: 180}", "at: 90}", "90 is not on the grid"),
        ("at: 180}", "at: 180, rows: [7]}", "unknown row '7'"),
        ("at: 180}", "at: 180, metric: mean_l2_distance}", "no distances"),
        ("Spatial, profile: turned, at: 180", "Spatial, profile: turned", "at which of"),
    ],
)
def test_what_a_table_names_wrongly_is_told_in_one_line(byhand, old, new, said):
    assert old in SPEC
    with pytest.raises(CatalogError, match=rf"^[^\n]*\.yaml: [^\n]*{said}[^\n]*$"):
        byhand(SPEC.replace("OA-AT", "natural").replace(old, new))


def test_cells_gains_and_the_best_of_several(byhand):
    _, rows, replicates = fill(byhand())
    natural, pgd = of(rows, "1", "natural"), of(rows, "2", "natural")
    assert natural.value == pytest.approx(0.9, abs=0.03) and natural.low < natural.value < natural.high
    gain = of(rows, "gain", "natural")
    assert gain.value == pytest.approx(pgd.value - natural.value)
    drawn = replicates[pgd.name] - replicates[natural.name]
    assert [gain.low, gain.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), abs=1e-6)
    assert gain.published == pytest.approx(0.755 - 0.9)
    best = of(rows, "best", "natural")
    assert (best.chosen, best.value) == ("1", natural.value)
    attacked = of(rows, "best", "adversarial")
    assert attacked.chosen == "more.4" and attacked.value > of(rows, "2", "adversarial").value
    told = of(rows, "2", "adversarial")
    assert (told.attack, told.loss, told.steps, told.step) == ("pgd", "cross_entropy", 10, "2/255")
    assert of(rows, "2", "natural").attack == of(rows, "1", "spatial").loss == ""


@pytest.mark.parametrize(
    ("second", "expected"), [("run", "run"), ("reduced", "reduced"), ("not run", "reduced")]
)
def test_the_best_of_fewer_rows_than_named_or_of_reduced_ones_is_reduced(second, expected):
    common = {"paper": "p", "target": "t", "kind": "row", "column": "natural", "metric": "natural_accuracy"}
    statuses = {"1": "run", "2": second}
    made = [
        (
            CellRow(**common, panel=name, row=name, profile="p", value=0.9, status=status, published=None),
            Sample(0.9, np.full(5, 0.9)),
        )
        for name, status in statuses.items()
    ]
    best_row = {"kind": "best", "label": "B", "of": ["1", "2"], "columns": ["natural"], "published": {}}
    ((best, _),) = derive({"rows": {"best": best_row}}, made, 0.95)
    assert (best.chosen, best.status) == ("1", expected)


def test_what_has_not_learnt_is_the_best_only_of_its_like():
    """A network that predicts one class is right on a tenth of the images under any attack."""
    common = {"paper": "p", "target": "t", "kind": "row", "column": "c", "metric": "robust_accuracy"}
    best_row = {"kind": "best", "label": "B", "of": ["1", "2"], "columns": ["c"], "published": {}}

    def best(**learnt) -> str:
        made = [
            (CellRow(**common, panel=name, row=name, value=value, status="run", learnt=told), Sample(value))
            for (name, told), value in zip(
                {"1": learnt["one"], "2": learnt["two"]}.items(), (0.1, 0.09), strict=True
            )
        ]
        ((row, _),) = derive({"rows": {"best": best_row}}, made, 0.95)
        return row.chosen

    assert [best(one=one, two=two) for one, two in (("yes", "yes"), ("no", "yes"), ("no", "no"))] == [
        "1",
        "2",
        "1",
    ]


def test_a_difference_that_was_not_run_has_no_values_by_seed(byhand):
    _, rows, _ = fill(byhand(), seeds=3)
    gain = of(rows, "gain", "natural")
    by_seed = [[float(one) for one in of(rows, row, "natural").by_seed.split()] for row in ("1", "2")]
    assert [float(one) for one in gain.by_seed.split()] == pytest.approx(
        np.subtract(*by_seed[::-1]).tolist(), abs=2e-6
    )
    common = {"paper": "p", "target": "t", "kind": "row", "column": "c", "metric": "m", "published": None}
    made = [
        (
            CellRow(**common, panel=name, row=name, value=0.5, status=status),
            Sample(0.5, np.zeros(5), np.zeros(3)),
        )
        for name, status in (("1", "run"), ("2", "not run"))
    ]
    gain = {"kind": "gain", "label": "G", "of": ["1", "2"], "columns": ["c"], "published": {}}
    ((row, sample),) = derive({"rows": {"gain": gain}}, made, 0.95)
    assert row.status == "not run" and not len(sample.seeds)


@pytest.mark.parametrize(
    ("told", "chosen"), [((0.90, 0.78, 0.83), "2"), ((0.79, 0.9, 0.5), "1"), ((0.5, 0.6, 0.83), "more.4")]
)
def test_the_row_nearest_to_a_validation_accuracy_is_chosen_whole(
    byhand, tmp_path, monkeypatch, told, chosen
):
    """By the last line of each candidate's history, the mean over seeds; test accuracy has no part in it."""
    spec = SPEC.replace("OA-AT", "natural").replace(
        "best_of: [1, 2, more.4]", "best_of: [1, 2, more.4], nearest: 0.8"
    )
    catalog = byhand(spec)
    target = catalog.targets["byhand", "table1"]
    runs = {panel.letter: panel.members[0].path for panel in target.panels}
    assert set(target.histories()) == {runs["1"], runs["2"], runs["more.4"]}
    for row, last in zip(("1", "2", "more.4"), told, strict=True):
        for seed, moved in ((0, -0.01), (1, 0.01)):
            history = pd.DataFrame({"epoch": [1, 2], "validation_accuracy": [0.8, last + moved]})
            history.to_csv(tmp_path / f"{runs[row].replace('/', ' ')} {seed}", index=False)
    _, rows, _ = fill(
        catalog,
        seeds=2,
        history=lambda run, seed: pd.read_csv(tmp_path / f"{run.replace('/', ' ')} {seed}"),
    )
    cells = rows[rows.panel == "best"]
    assert set(cells.chosen) == {chosen} and len(cells) in (1, 2, 3)
    for cell in cells.itertuples():
        assert cell.value == of(rows, chosen, cell.column).value
    assert "Nearest to 80%: by accuracy on the validation images" in caption(catalog, target)


def test_several_seeds_give_intervals_over_seeds(byhand):
    _, rows, _ = fill(byhand(), seeds=3)
    cell = of(rows, "1", "natural")
    assert (cell.interval, cell.n, cell.seed) == ("seeds", 3, "0 1 2")


def test_the_markdown_has_ours_published_and_the_difference(byhand, tmp_path):
    catalog = byhand()
    target, rows, _ = fill(catalog)
    tabulate_results(catalog, target, rows, tmp_path / "t.csv", tmp_path / "t.md")
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    head, _, heading, *body = [line for line in text.splitlines() if line.startswith("|")]
    assert "PGD, eps 8/255 (%) ¹" in head and "Spatial, ±180° (%) |" in head
    assert "¹ eps 8/255, 10 steps of 2/255." in text.splitlines()
    assert "published" in head and "**Baselines**" in heading
    assert len(body) == 5 and "more.4" not in text
    natural, pgd, _, gain, _ = body
    value = of(rows, "1", "natural").value
    assert f"{100 * value:.2f}" in natural
    assert "90.00" in natural and f"{100 * (value - 0.9):+.2f}" in natural
    assert "**" not in gain and "-" in gain and "–" in pgd
    tidy = pd.read_csv(tmp_path / "t.csv")
    cell = tidy[(tidy.panel == "1") & (tidy.column == "natural")].iloc[0]
    assert cell.difference == pytest.approx(cell.value - 0.9)


def test_published_numbers_are_not_printed_beside_stand_ins(byhand, tmp_path):
    catalog = byhand(stand_ins={"cifar10": "digits_colour"})
    target, rows, _ = fill(catalog)
    assert rows.published.notna().any(), "the paper's own numbers are still there to be judged"
    tabulate_results(catalog, target, rows, tmp_path / "t.csv", tmp_path / "t.md")
    assert "published" not in (tmp_path / "t.md").read_text(encoding="utf-8")
    tidy = pd.read_csv(tmp_path / "t.csv")
    assert tidy.published.isna().all() and tidy.difference.isna().all()
    fewer = byhand(stand_ins={"cifar10": "digits_colour"}, budget={"rows": {"byhand/table1": [1, 3]}})
    _, rows, _ = fill(fewer)
    nowhere = rows[rows.data.fillna("") == ""]
    assert set(nowhere.panel) >= {"gain"} and comparable(fewer, rows).published.isna().all()
    target, rows, _ = fill(catalog, "fig1")
    shown = comparable(catalog, rows)
    assert (rows.source == "published").any() and len(shown) == (rows.source != "published").sum()
    assert "Hollow markers" not in caption(catalog, target)
    full = byhand()
    _, rows, _ = fill(full, "fig1")
    assert comparable(full, rows).equals(rows)


def test_what_is_not_run_is_written_and_says_so(byhand, tmp_path):
    catalog = byhand(only_data=["mnist"])
    target, rows, _ = fill(catalog)
    assert set(rows.status) == {"not run"} and len(rows) == 8 + 3 + 2 + 3  # rows, candidate, gain, best
    assert rows.published.notna().any()
    tabulate_results(catalog, target, rows, tmp_path / "t.csv", tmp_path / "t.md")
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert "CIFAR-10 is not in only_data" in text and "5 of 5 rows were not run" in text
    assert not [line for line in text.splitlines() if line.startswith("| 1")]


def test_rows_of_one_name_that_were_not_run_are_told_apart_by_their_sections():
    told = {
        "first": {"kind": "heading", "label": "CIFAR-10"},
        "a": {"kind": "row", "label": "PGD"},
        "b": {"kind": "row", "label": "TRADES"},
        "second": {"kind": "heading", "label": "CIFAR-100"},
        "c": {"kind": "row", "label": "PGD"},
    }
    frame = {
        "column": "x",
        "status": "not run",
        "value": np.nan,
        "published": np.nan,
        "difference": np.nan,
        "data": "",
    }
    rows = pd.DataFrame([{"panel": key, "kind": "row"} | frame for key in "abc"])
    table = {"numbered": False, "columns": {"x": "x"}, "bold": 0, "notes": [], "rows": told}
    assert results_layout(rows, table).folded == {
        "3 of 3 rows were not run": "CIFAR-10: PGD; TRADES. CIFAR-100: PGD"
    }


def test_a_budget_leaves_rows_out_and_they_are_not_run(byhand):
    catalog = byhand(budget={"rows": {"byhand/table1": [1, 3]}})
    target, rows, _ = fill(catalog)
    assert len(target.paths()) == 3  # with more.4, that `best` names
    assert of(rows, "2", "natural").status == of(rows, "gain", "natural").status == "not run"
    with pytest.raises(CatalogError, match="unknown table 'byhand/table9'"):
        byhand(budget={"rows": {"byhand/table9": [1]}})


def test_the_plan_counts_a_tables_runs_and_its_aggregate(byhand):
    catalog = byhand()
    networks = {"cifar10/vgg16": {"multiply_adds": 1e6, "parameters": 10}}
    jobs = Plan(catalog, networks, find_rates(catalog.config)).jobs(catalog.targets["byhand", "table1"])
    outputs = {str(output) for job in jobs for output in job.outputs}
    assert sum(job.kind == "train" for job in jobs) == 4
    assert {
        f"results/{name}" for name in ("aggregates/byhand/table1.h5", "tables/byhand/table1.csv")
    } < outputs
    assert "results/networks.json" not in outputs


def judged(byhand, **changes) -> pd.DataFrame:
    catalog = byhand(**changes)
    _, rows, replicates = fill(catalog)
    ((key, claim),) = catalog.claims["byhand"].items()
    return pd.DataFrame(judge_claim(key, claim, {"table1": (rows, replicates)}, 0.95))


def test_claims_on_cells_are_judged_on_ours_and_as_published(byhand):
    frame = judged(byhand).set_index(["test", "panel", "source"])
    verdicts = frame.verdict.to_dict()
    assert verdicts["wins", "adversarial", "ours"] == verdicts["wins", "adversarial", "published"] == "holds"
    assert verdicts["wins", "natural", "ours"] == verdicts["wins", "natural", "published"] == "fails"
    assert (
        verdicts["is best", "adversarial", "ours"] == "fails"
    )  # the row of another table is better, by `best`
    assert verdicts["robustness costs", "natural", "published"] == "holds"
    printed = frame.loc["wins", "adversarial", "published"]
    assert (
        printed.value == pytest.approx(0.39) and np.isnan(printed.low) and "as printed" in printed.statistic
    )


def test_claims_on_rows_that_are_not_run_say_so(byhand):
    frame = judged(byhand, only_data=["mnist"])
    assert set(frame.verdict[frame.source == "ours"]) == {"not run"}
    assert (frame.source == "published").any(), "what is printed can be judged without a run of ours"


def test_published_points_of_a_figure_are_rows_of_their_own_and_judged_as_printed(byhand):
    catalog = byhand()
    target, rows, replicates = fill(catalog, "fig1")
    theirs = rows[rows.source == "published"]
    assert theirs[["metric", "strength", "value"]].to_numpy().tolist() == [
        ["natural_accuracy", "0", 0.9],
        ["natural_accuracy", "1", 0.6],
        ["spatial_accuracy", "0", 0.2],
    ]
    falls = {"panels": ["a"], "metric": "natural_accuracy", "trend": {"x": 180}, "below": 0}
    claim = {"says": "", "in": "fig1", "tests": {"falls": falls}}
    ours, published_row = judge_claim("F", claim, {"fig1": (rows, replicates)}, 0.95)
    assert (published_row["source"], published_row["verdict"], published_row["value"]) == (
        "published",
        "holds",
        pytest.approx(-0.3),
    )
    assert ours["source"] == "ours" and "low" in ours and "low" not in published_row
    assert "Hollow markers" in caption(catalog, target)
    (axes, *_) = panels.draw(rows, figure(catalog, target)).axes
    hollow = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert [len(line.get_xdata()) for line in hollow] == [2, 1]
    assert len({matplotlib.colors.to_hex(line.get_color()) for line in axes.lines}) == 2


@pytest.mark.parametrize(
    ("settings", "x", "words"),
    [
        ({"transform": "rotate"}, 180, "±180°"),
        ({"transform": "translate"}, 0.2, "±0.2 of the side"),
        ({"transform": "rotate", "sample": 2000}, 0, "2,000 images drawn at random"),
        (
            {"attack": "pgd", "norm": "linf", "steps": 10, "step": 2 / 255},
            8 / 255,
            "eps 8/255, 10 steps of 2/255",
        ),
        ({"attack": "pgd", "norm": "l2", "steps": 100, "step": 0.1}, 0.25, "L2 eps 0.25, 100 steps of 0.1"),
        (
            {"attack": "pgd", "norm": "linf", "steps": 7, "step": {"of_eps": 0.25}},
            0.1,
            "eps 0.1, 7 steps of 0.25 eps",
        ),
        ({"attack": "square", "norm": "linf", "queries": 5000}, 12 / 255, "eps 12/255, 5,000 queries"),
        (
            {"attack": "spatial", "turns": 31, "shifts": 5, "pixels": 3},
            30,
            "worst of 31 rotations in ±30° and 5 × 5 shifts of up to 3 px",
        ),
    ],
)
def test_a_heading_states_the_attack_that_really_ran(settings, x, words):
    profile = Profile("p", "P", "robust_accuracy", "eps", {"sample": None} | settings)
    assert attack_words(Line("P", "robust_accuracy", {"run": profile}, {"run": x})) == words
    natural = attack_words(Line("P", "natural_accuracy", {"run": profile}, {"run": x}))
    assert natural == ("2,000 images drawn at random" if "sample" in settings else "")
    of_all = attack_words(Line("P", "natural_accuracy", {"run": profile}, {"run": x}), test_images=2000)
    assert of_all == ""


@pytest.mark.parametrize(
    ("best", "lows", "bold"),
    [
        (1, {"a": 0.8, "b": 0.5, "c": 0.4}, {"a"}),  # intervals .1 wide: a's begins above b's end
        (1, {"a": 0.8, "b": 0.75, "c": 0.4}, set()),  # a's and b's overlap
        (1, {"a": 0.75, "b": 0.65, "c": 0.4}, set()),  # they touch
        (2, {"a": 0.8, "b": 0.75, "c": 0.4}, {"a", "b"}),  # two of them, whichever is first
        (2, {"a": 0.8, "b": 0.5, "c": 0.45}, {"a"}),
        (1, {"a": 0.8}, set()),  # nothing that it is best of
    ],
)
def test_bold_where_ranks_are_decided_only(best, lows, bold):
    rows = pd.DataFrame(
        [
            {"panel": name, "column": "c", "kind": "row", "data": data, "value": low + 0.05, "low": low}
            for name, low, data in (*((*one, "here") for one in lows.items()), ("z", 0.9, "elsewhere"))
        ]
    )
    rows["high"] = rows.low + 0.1
    top = rows.iloc[[0]].assign(panel="best", kind="best", chosen="a")
    assert _bold(pd.concat([rows, top]), best) == {
        (name, "c") for name in (*bold, *(["best"] if "a" in bold else []))
    }


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({}, True),
        ({"models": {"vgg16": {"recipe": "short"}}}, True),
        ({"models": {"vgg16": {"width": 0.5}}}, False),
    ],
)
def test_a_difference_to_published_numbers_is_of_the_papers_own_network(byhand, tmp_path, overrides, told):
    catalog = byhand(overrides=overrides)
    target, rows, _ = fill(catalog)
    tabulate_results(catalog, target, rows, tmp_path / "t.csv", tmp_path / "t.md", tmp_path / "t.tex")
    assert pd.read_csv(tmp_path / "t.csv").difference.notna().any() == told
    for name in ("t.md", "t.tex"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "published" in text and ("difference" in text) == told
        assert max(map(len, text.splitlines())) <= 200 or name == "t.tex"


def test_no_row_of_any_papers_table_is_longer_than_a_screen(full_config):
    """Every cell run, with its interval and, where the paper prints one, the published number."""
    catalog, longest = load(full_config, ROOT / "figures"), {}
    for target in catalog.targets.values():
        if target.kind == "results":
            panels = {panel.letter: {line.name: line for line in panel.lines} for panel in target.panels}
            cells = [
                {
                    "panel": key,
                    "column": column,
                    "kind": told["kind"],
                    "published": printed_number(panels, key, column),
                }
                for key, told in target.spec["rows"].items()
                if told["kind"] != "heading"
                for column in target.spec["columns"]
            ]
            frame = pd.DataFrame(cells).assign(
                value=0.5, low=0.45, high=0.55, status="run", difference=-0.125, data=""
            )
            text = to_markdown(
                results_layout(frame, table(catalog, target)), caption=caption(catalog, target)
            )
            longest[target.paper, target.name] = max(map(len, text.splitlines()))
            assert "[45.00, 55.00]" in text and "rows were not run" not in text
    assert len(longest) > 10 and max(longest.values()) <= 200, longest


def printed_number(panels, key, column):
    line = panels.get(key, {}).get(column)
    return np.nan if line is None or line.published is None else line.published
