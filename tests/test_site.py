"""The results site, and what the terminal shows at the end, of a small folder of made-up results."""

import csv
import json
import re
import shutil
import subprocess
from copy import copy
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import matplotlib.pyplot as plt
import pytest
from conftest import ROOT

from spatial_adversarial.catalog import load
from spatial_adversarial.judging import COLUMNS
from spatial_adversarial.records.reading import merge, read
from spatial_adversarial.reporting.closing import closing_words
from spatial_adversarial.reporting.site import _environment, contents, make_site, markdown
from spatial_adversarial.results.finished import natural, networks, rows_of, verdicts
from spatial_adversarial.runner.paths import Paths

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WORDS = ["holds", "fails", "undecided", "not informative", "not run"]
TABLE = "Architectures.\n\n|   | A \\| B | n |\n| --- | --- | --: |\n| **part** |   |   |\n| 1 | `x` < 2 | 1,000 |\n"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory, request):
    """The demo's catalog of two papers, its results in a folder with a few of them done."""
    import yaml

    settings = [ROOT / "config.yaml", ROOT / "profiles/demo/demo.yaml"]
    config = {k: v for file in settings for k, v in yaml.safe_load(file.read_text(encoding="utf-8")).items()}
    folder = tmp_path_factory.mktemp("results")
    made = load(config | {"papers": ["invariance", "cusp"], "results": str(folder)}, ROOT / "figures")
    for paper, name in (
        ("invariance", "fig1"),
        ("invariance", "fig3"),
        ("cusp", "fig15"),
        ("cusp", "theory"),
    ):
        draw(folder / "figures" / paper, made.targets[paper, name])
    image(folder / "figures/invariance/fig1_2.png")
    (folder / "tables/invariance").mkdir(parents=True)
    (folder / "tables/invariance/table1.md").write_text(TABLE, encoding="utf-8")
    (folder / "tables/invariance/table1.csv").write_text(
        "paper,target\ninvariance,table1\n", encoding="utf-8"
    )
    for paper in ("invariance", "cusp"):
        for kind in ("claims", "claims_published"):
            judge(made.claims[paper], paper, folder / kind / f"{paper}.csv", kind != "claims")
    path = made.targets["invariance", "fig1"].paths()[0]
    side = {"seconds": 3600, "started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T01:00:00+00:00"}
    for file in (f"runs/{path}/seed0/provenance.json",):
        (folder / file).parent.mkdir(parents=True)
        (folder / file).write_text(json.dumps(side | {"device": "cpu", "torch": "2"}), encoding="utf-8")
    return made


def image(file: Path) -> None:
    figure = plt.figure(figsize=(4, 3))
    figure.savefig(file)
    plt.close(figure)


def draw(folder: Path, target) -> None:
    """A figure's files: the weakest member of each panel has learnt, the strongest has not."""
    folder.mkdir(parents=True, exist_ok=True)
    name = target.name
    image(folder / f"{name}.png")
    (folder / f"{name}.pdf").write_bytes(b"%PDF-1.4")
    rows = [["panel", "strength", "learnt"]]
    for panel in target.panels:
        if panel.members and panel.members[0].strength is not None:
            ends = panel.members[0].strength, panel.members[-1].strength
            rows += [[panel.letter, f"{ends[0]:g}", "yes"], [panel.letter, ends[1], "no"]]
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def judge(claims: dict, paper: str, file: Path, printed: bool) -> None:
    """Rows of verdicts, each in its turn, on every test of a paper's claims."""
    rows = []
    for key, claim in claims.items():
        for name, test in claim["tests"].items():
            for panel in test.get("panels", ["a"]):
                row = dict.fromkeys(COLUMNS, "") | {"paper": paper, "key": key, "test": name, "panel": panel}
                row |= {
                    "target": test.get("in", claim["in"]),
                    "says": claim["says"],
                    "line": "> 0",
                    "status": "reduced",
                }
                row |= {"because": test.get("because", ""), "value": "0.123456", "statistic": "<difference>"}
                row |= {} if printed else {"low": "0.1", "high": "0.2"}
                rows.append(row | {"verdict": WORDS[len(rows) % 5]})
    file.parent.mkdir(exist_ok=True)
    with open(file, "w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def site(catalog) -> Path:
    return make_site(catalog, ROOT / "figures", ROOT / "docs").parent


def by_paper(catalog) -> list[list]:
    return [[one for one in catalog.targets.values() if one.paper == key] for key in catalog.config["papers"]]


class Page(HTMLParser):
    """The links, images, ids, headings and text of a page; whether every element that opens is closed."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, file: Path):
        super().__init__()
        self.links, self.images, self.ids, self.levels, self.open, self.text = [], [], [], [], [], ""
        self.regions = []
        self.feed(file.read_text(encoding="utf-8"))
        assert not self.open

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.links += [told[key] for key in ("href", "src") if key in told]
        self.images += [told] if tag == "img" else []
        self.ids += [told["id"]] if "id" in told else []
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.regions += [told["aria-label"]] if told.get("role") == "region" else []
        if tag == "html":
            assert told["lang"] == "en"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_link_and_image_resolves_within_the_folder_and_no_page_asks_the_network(site):
    pages = {file.name: Page(file) for file in site.glob("*.html")}
    names = {"index", "claims", "published", "deviations", "invariance", "cusp"}
    assert set(pages) == {f"{name}.html" for name in names}
    checked = 0
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            if link == "data:,":
                continue
            assert "://" not in link, f"{name}: {link}"
            file, part = urldefrag(unquote(link))
            target = (site / (file or name)).resolve()
            assert target.is_file() and target.is_relative_to(site.resolve()), f"{name}: {link}"
            assert not part or part in pages[target.name].ids, f"{name}: {link}"
            checked += 1
    assert checked > 150
    assert "http" not in (site / "style.css").read_text() + (site / "sort.js").read_text()


def test_headings_go_down_by_one_and_every_image_is_told(site):
    for file in site.glob("*.html"):
        page = Page(file)
        assert page.levels[0] == 1 and page.levels.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:], strict=False)), file
        assert all(len(one["alt"]) > 20 for one in page.images)
        assert len(page.regions) == len(set(page.regions)), file


def test_a_paper_has_its_figures_in_natural_order_with_all_their_pages(site, catalog):
    text = (site / "invariance.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)">', text)[:3] == ["fig1", "fig3", "table1"]
    assert re.findall(r'<img src="(\S+)"', text) == [
        f"files/invariance/{name}.png" for name in ("fig1", "fig1_2", "fig3")
    ]
    assert (
        "Figure 1, page 2 of 2: " in text
        and f"{len(by_paper(catalog)[0]) - 3} of {len(by_paper(catalog)[0])} figures" in text
    )
    assert "in place of MNIST" in text and "not shown to have learnt: 1" in text
    assert "trainings: 1, 60 min of computing" in text and "device: cpu" in text
    assert sorted(["fig10", "fig2", "fig2_2"], key=natural) == ["fig2", "fig2_2", "fig10"]


def test_a_claim_has_its_sentence_number_interval_reason_and_a_word_for_its_colour(site, catalog):
    page = Page(site / "claims.html")
    keys = [key for paper in ("invariance", "cusp") for key in catalog.claims[paper]]
    assert set(keys) <= set(page.ids)
    text = " ".join(page.text.split())
    for paper in ("invariance", "cusp"):
        for claim in catalog.claims[paper].values():
            assert " ".join(claim["says"].split()) in text
    assert "0.1235" in text and "0.1 to 0.2" in text and "Because" in text and "<difference>" in text
    assert all(word in text for word in (*WORDS, "mixed"))
    assert "0.1 to 0.2" not in Page(site / "published.html").text


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (["holds", "holds", "not run"], "holds"),
        (["holds", "fails"], "mixed"),
        (["not run"], "not run"),
        (["undecided", "not informative"], "mixed"),
    ],
)
def test_a_claim_of_several_tests_has_one_word(found, word):
    rows = [{"verdict": one} for one in found]
    assert contents.overall(rows) == word and sum(verdicts(rows).values()) == len(rows)


def test_markdown_tables_become_tables():
    made = markdown.html(TABLE, "Table 1")
    assert "<td>A" not in made and '<th scope="col">A | B</th>' in made
    assert "<code>x</code> &lt; 2" in made and '<td class="number">1,000</td>' in made
    both = markdown.html(f"{TABLE}\n{TABLE}", "Table 1")
    assert re.findall('aria-label="([^"]*)"', both) == ["Table 1", "Table 1, part 2"]
    assert '<tr class="part"><th scope="rowgroup" colspan="3"><strong>part</strong></th></tr>' in made
    assert markdown.inline(r"\*a\* <b> [c](d.md) [e](https://f.g)") == (
        '*a* &lt;b&gt; c <a href="https://f.g">e</a>'
    )


def test_the_cost_is_of_the_cpu_and_a_commit_that_was_changed_says_so(catalog):
    side = [
        {
            "result": "runs/a",
            "device": "cpu",
            "seconds": "4978.5",
            "cpu_seconds": "248",
            "commit": "0123456789abcdef-dirty",
        },
        {"result": "runs/b", "device": "NVIDIA H200", "seconds": 100, "cpu_seconds": 90},
        {"result": "evaluations/a", "device": "cpu", "seconds": 10},
    ]
    made = contents.cost(side)
    assert (made["runs_seconds"], made["evaluations_seconds"]) == (348, 10)
    page = (
        _environment()
        .from_string("{% import 'parts.html' as parts %}{{ parts.made_with(made) }}")
        .render(made=made)
    )
    assert "commit: 0123456789ab-dirty" in page


def test_deviations_touch_the_papers_that_they_name_or_all():
    text = "# D\n\n## Text\n\n| | text | here |\n|---|---|---|\n| CuSP: a | b | c |\n| d | CuSP | e |\n\n"
    text += "OA-AT's paper\n\n| | ours |\n|---|---|\n| f | g |\n\n| | measured |\n|---|---|\n| h | 1 |\n"
    found = markdown.deviations(text, ["cusp", "oaat", "tradeoff"])
    told = {paper: [row[0] for _, _, rows in parts for row in rows] for paper, parts in found.items()}
    assert told == {"cusp": ["CuSP: a", "d"], "oaat": ["d", "f"], "tradeoff": ["d"]}


def test_the_site_is_made_of_nothing_too(tmp_path, catalog):
    empty = copy(catalog)
    empty.config = catalog.config | {"results": str(tmp_path)}
    page = Page(make_site(empty, ROOT / "figures", ROOT / "docs"))
    assert not (tmp_path / "site/published.html").exists() and "Published numbers" not in page.text
    assert "Site: " in closing_words(empty, []) and "none yet" not in closing_words(empty, [])
    (tmp_path / "site/index.html").unlink()
    assert "the same command with `site` in place of its targets" in closing_words(empty, [])
    told = " ".join(page.text.split())
    assert all(f"0 of {len(one)} figures" in told for one in by_paper(catalog)) and "not judged" in told


def test_the_closing_words_tell_what_was_asked_for(catalog, site):
    folder = catalog.config["results"]
    lines = closing_words(catalog, []).splitlines()
    assert lines == closing_words(catalog, ["all"]).splitlines() and len(lines) <= 12
    assert (
        lines[0]
        == f"Figures: 4 of {sum(not t.is_table for t in catalog.targets.values())} in {folder}/figures"
    )
    assert f"Site: {site}/index.html" in lines
    counted = verdicts(rows_of(f"{folder}/claims/cusp.csv"))
    (cusp,) = (line for line in lines if line.startswith("  cusp"))
    assert f"{counted['holds']} hold, {counted['fails']} fail, {counted['undecided']} undecided" in cusp
    shown = networks(Paths.of(catalog.config), catalog.targets.values())
    assert f"Networks not shown to have learnt: {list(shown.values()).count(False)} of {len(shown)}" in lines
    one = closing_words(catalog, ["invariance"])
    assert "  invariance" in one and "  cusp" not in one
    figure = f"{folder}/figures/invariance/fig1"
    assert closing_words(catalog, [f"{figure}.pdf", f"{figure}.csv"]).splitlines() == [
        f"Figure: {figure} (.pdf, .png, .csv)",
        "Networks not shown to have learnt: 1 of 2",
    ]
    assert closing_words(catalog, ["plan"]) == closing_words(catalog, [f"{folder}/networks.json"]) == ""


def test_a_network_that_one_figure_shows_lost_is_lost(tmp_path, catalog):
    targets = [catalog.targets["invariance", name] for name in ("fig1", "fig3")]
    ends = [[panel.members[k].path for k in (0, -1)] for target in targets for panel in target.panels]
    assert networks(Paths.of(catalog.config), targets) == {
        path: not k for first in ends for k, path in enumerate(first)
    }  # "180" and 180.0, in several panels of a figure: one network
    assert len({path for first in ends for path in first}) == 4
    assert networks(Paths(str(tmp_path)), targets) == {}


def test_networks_of_strength_0_are_one():
    made = load(
        merge(read(ROOT / "config.yaml"), read(ROOT / "docs/results/1_mnist/config.yaml")), ROOT / "figures"
    )
    found = networks(Paths(str(ROOT / "docs/results/1_mnist")), made.targets.values())
    assert len(found) == 20 and all(found.values())  # 7 + 4 + 4 StdCNN, 5 GCNN


PROBE = """<script>
const errors = [];
addEventListener("error", (event) => errors.push(String(event.message)), true);
addEventListener("load", () => {
  const heads = document.querySelectorAll("table.sortable th button");
  if (heads.length) heads[heads.length - 1].click();
  const told = {errors, wide: document.documentElement.scrollWidth - innerWidth, sorts: heads.length,
    broken: [...document.images].filter((one) => !one.naturalWidth).map((one) => one.src)};
  document.documentElement.dataset.told = JSON.stringify(told);
});
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium")
@pytest.mark.parametrize("size", ["1400,900", "500,900"])  # headless Chromium has no window below 500
def test_a_browser_shows_every_page_without_an_error(site, tmp_path, size):
    copy = Path(shutil.copytree(site, tmp_path / "site"))
    for file in copy.glob("*.html"):
        file.write_text(
            file.read_text(encoding="utf-8").replace("<head>", "<head>" + PROBE), encoding="utf-8"
        )
        command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={size}"]
        command += [
            f"--user-data-dir={tmp_path}/profile",
            "--enable-logging=stderr",
            "--dump-dom",
            file.as_uri(),
        ]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert ":CONSOLE" not in shown.stderr
        told = json.loads(re.search(r'data-told="([^"]*)"', shown.stdout)[1].replace("&quot;", '"'))
        assert told["errors"] == told["broken"] == [] and told["wide"] <= 0, f"{file.name}: {told}"
        assert told["sorts"] or file.name not in ("index.html", "claims.html")
