"""The results site: static HTML that opens from a folder, without a server and without a network."""

import csv
import shutil
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spatial_adversarial.catalog import Catalog
from spatial_adversarial.reporting.closing import verdict_words
from spatial_adversarial.reporting.site import contents, markdown
from spatial_adversarial.results.finished import VERDICTS, verdicts
from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.paths import Paths
from spatial_adversarial.runner.status import duration

HERE = Path(__file__).parent
ASSETS = ("style.css", "sort.js")
MARKS = {"holds": "✓", "fails": "✗", "undecided": "?", "not informative": "∅", "not run": "–", "mixed": "≠"}


def make_site(catalog: Catalog, specs: Path, docs: Path) -> Path:
    """Write <results>/site from what is in <results>, and return its first page.

    specs: the folder of the papers' YAML files; docs: the folder of deviations.md.
    """
    paths = Paths.of(catalog.config)
    first = Path(paths.site)
    site = first.parent
    papers = [contents.paper(catalog, key, specs) for key in catalog.config["papers"]]
    deviations = (docs / "deviations.md").read_text(encoding="utf-8")
    shared = {
        "papers": papers,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "report": Path(paths.report).exists(),
        "reduced": catalog.reduced(),
        "data": data_words(catalog),
        "cost": contents.cost(
            list({row["result"]: row for one in papers for row in one.provenance}.values())
        ),
        "deviations": Markup(markdown.html(deviations.partition("\n")[2], "deviations", level=1)),
        "touching": markdown.deviations(deviations, [one.key for one in papers]),
    }
    environment = _environment()
    shared["has_published"] = has_published = any(one.published for one in papers)
    (site / "published.html").unlink(missing_ok=True)  # of a call that had some
    for name in ("index", "claims", *(["published"] if has_published else []), "deviations"):
        _write(
            site / f"{name}.html", environment.get_template(f"{name}.html").render(shared | {"page": name})
        )
    for one in papers:
        files = _copied(one, site)
        page = environment.get_template("paper.html").render(
            shared | {"page": one.key, "paper": one, "files": files}
        )
        _write(site / f"{one.key}.html", page)
    for name in ASSETS:
        _write(site / name, (HERE / "templates" / name).read_text(encoding="utf-8"))
    return first


def data_words(catalog: Catalog) -> list[str]:
    """The data sets that are trained on, each with what it stands in for."""
    labels = {key: entry.get("label", key) for key, entry in catalog.registry["data"].items()}
    replaced = {small: full for full, small in catalog.config["stand_ins"].items()}
    used = {panel.data for one in catalog.targets.values() for panel in one.panels if not panel.reason}
    return [
        f"{labels[name]} in place of {labels[replaced[name]]}" if name in replaced else labels[name]
        for name in sorted(used)
    ]


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"marks": MARKS, "order": VERDICTS, "verdicts": verdicts, "overall": contents.overall}
    made.globals |= {"title_of": contents.title_of, "verdict_words": verdict_words}
    made.filters["inline"] = lambda text: Markup(markdown.inline(text))
    made.filters["commit"] = lambda text: text[:12] + ("-dirty" if text.endswith("-dirty") else "")
    made.filters["markdown"] = lambda text, label: Markup(markdown.html(text, label, level=4))
    made.filters |= {"number": number, "duration": duration}
    made.filters["css"] = lambda verdict: "v-" + verdict.replace(" ", "-")
    return made


def number(text: str) -> str:
    """A CSV's number to four digits; what is none, as it is."""
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def _copied(paper: contents.Paper, site: Path) -> dict[str, str]:
    """Copy a paper's files into the site, which then stands alone; {file: its address in the site}."""
    found, folder = {}, site / "files" / paper.key
    for one in paper.shown:
        for file in (*one.pages, *one.files.values()):
            with write_atomic(folder / file.name) as temporary:
                shutil.copyfile(file, temporary)
            found[str(file)] = f"files/{paper.key}/{file.name}"
    if paper.provenance:
        columns = list(dict.fromkeys(key for row in paper.provenance for key in row))
        with write_atomic(folder / "provenance.csv") as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(paper.provenance)
    return found


def _write(path: Path, text: str) -> None:
    with write_atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
