"""List at which scale each figure and table of the papers has been made in a folder of kept results.

    python workflow_scripts/list_kept.py docs/results

Writes targets.md there: for each stage what it was planned to cost and what it did, for each target the panels (of a
table the rows) at the paper's scale, those reduced, and the stages that have them.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

from spatial_adversarial.catalog import Target, load
from spatial_adversarial.records.reading import read
from spatial_adversarial.records.tidy import least_status
from spatial_adversarial.runner.files import write_atomic

ROOT = Path(__file__).parents[1]
SCALES = {"run": "paper's scale", "reduced": "reduced"}
HEAD = """# At which scale each target has been made

Written by `python workflow_scripts/list_kept.py docs/results` from the files here. Paper's scale: recipe, data and
attack are the paper's, and at least 500 test images were attacked. Letters are a figure's panels, names a table's
rows; a panel may lack members of its family, which its stage's config.yaml then names.
Planned hours are those of `plan` with what `calibrate` measured on the machine that made the rest, one thread a job
(`docs/results/plan.csv`, for the stages of `profiles/overnight`); measured ones are those of the runs and evaluations
that were made, on a CPU its CPU hours, on a GPU the hours of the jobs, of which several shared it.
"""


def statuses(file: Path, target: Target) -> dict[str, str]:
    """{panel or row: "run", "reduced" or "not run"} of a tidy CSV; a target without panels is one, named ""."""
    found = defaultdict(list)
    for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
        if row.get("source", "ours") in ("ours", ""):
            found[row["panel"] if target.panels else ""].append(row["status"])
    return {panel: least_status(of) for panel, of in found.items()}


def made(folder: Path, target: Target) -> dict[str, tuple[str, str]]:
    """{panel or row: (status, stage)}, the best of all stages in `folder`, of what has been made of a target."""
    found: dict[str, tuple[str, str]] = {}
    kind = "tables" if target.is_table else "figures"
    for file in sorted(folder.glob(f"*/{kind}/{target.paper}/{target.name}.csv")):
        for panel, status in statuses(file, target).items():
            better = panel not in found or (status, found[panel][0]) == ("run", "reduced")
            if status in SCALES and better:
                found[panel] = status, file.relative_to(folder).parts[0]
    return found


def line(folder: Path, target: Target, twin: Target | None = None) -> str:
    """A target's row of the Markdown table; its numbers are those of its twin in another paper, if it has one."""
    found = made(folder, twin or target)
    panels = [panel.letter for panel in target.panels] or [""]
    cells = [target.paper, target.name]
    for scale in SCALES:
        of = [panel for panel in panels if found.get(panel, ("", ""))[0] == scale]
        cells.append("all" if of == panels else ", ".join(of))
    missing = [panel for panel in panels if panel not in found]
    cells.append("all" if missing == panels else f"{len(missing)} of {len(panels)}" if missing else "")
    cells.append(", ".join(sorted({stage for _, stage in found.values()})))
    return f"| {' | '.join(cells)} |"


def cost(folder: Path, stage: dict[str, str]) -> str:
    """A stage's row of the Markdown table: planned and measured hours, of what it has of its runs."""
    file, cpu, gpu, runs = folder / stage["stage"] / "provenance.csv", 0.0, 0.0, 0
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines()) if file.exists() else ()
    for row in rows:
        if row["device"] == "cpu":
            cpu += float(row["cpu_seconds"])
        else:
            gpu += float(row["seconds"])
        runs += row["result"].startswith("runs/")
    planned = f"{stage['stage']} | {stage['runs']} | {stage['planned_cpu_hours']}"
    on_cpu, on_gpu = (f"{seconds / 3600:.2f}" if seconds else "" for seconds in (cpu, gpu))
    return f"| {planned} | {runs} | {on_cpu if runs else 'not run'} | {on_gpu} |"


def stages(folder: Path) -> list[dict[str, str]]:
    """The stages by name: {"stage", "runs", "planned_cpu_hours"}, the last two empty where none was planned."""
    planned = list(csv.DictReader((folder / "plan.csv").read_text(encoding="utf-8").splitlines()))
    found = {stage["stage"]: stage for stage in planned}
    for file in folder.glob("*/provenance.csv"):
        none = {"stage": file.parent.name, "runs": "", "planned_cpu_hours": ""}
        found.setdefault(file.parent.name, none)
    return [found[name] for name in sorted(found)]


def text(folder: Path) -> str:
    """The page of the results kept in `folder`."""
    catalog = load(read(ROOT / "config.yaml"), ROOT / "figures")
    lines = [
        HEAD,
        "| stage | runs | planned CPU hours | runs made | measured CPU hours | job hours on a GPU |",
        "|---|---|---|---|---|---|",
    ]
    lines += [cost(folder, stage) for stage in stages(folder)]
    lines += [
        "",
        "| paper | target | paper's scale | reduced | not run | stage |",
        "|---|---|---|---|---|---|",
    ]
    lines += [line(folder, target, catalog.twin(target)) for target in catalog.targets.values()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    results = parser.parse_args().results
    with write_atomic(results / "targets.md") as temporary:
        temporary.write_text(text(results), encoding="utf-8")
