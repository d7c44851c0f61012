"""What the terminal shows when the work is done: what the call was asked for, and where it is."""

from collections.abc import Iterable
from pathlib import Path

from spatial_adversarial.catalog import Catalog, Target
from spatial_adversarial.results.finished import file_of, is_done, networks, rows_of, verdicts
from spatial_adversarial.runner.paths import Paths

EVERYTHING = {"all", "report", "claims", "site"}


def closing_words(catalog: Catalog, asked: Iterable[str]) -> str:
    """A dozen lines at most on what Snakemake was asked for, rules, papers or files; empty where that shows no results.

    asked: the targets of the call; none stands for `all`.
    """
    asked = set(asked) or {"all"}
    paths = Paths.of(catalog.config)
    papers = [paper for paper in catalog.config["papers"] if asked & {paper, *EVERYTHING}]
    if papers:
        return "\n".join(_of_papers(catalog, paths, papers))
    files = {Path(one).with_suffix("") for one in asked}
    targets = [one for one in catalog.targets.values() if file_of(paths, one, "csv").with_suffix("") in files]
    return "\n".join(_of_targets(paths, [one for one in targets if is_done(paths, one)]))


def _of_papers(catalog: Catalog, paths: Paths, papers: list[str]) -> list[str]:
    targets = [target for target in catalog.targets.values() if target.paper in papers]
    there = [target for target in targets if is_done(paths, target)]
    lines, results = [], paths.results
    for kind, tables in (("Figures", False), ("Tables", True)):
        all_of_it = [target for target in targets if target.is_table is tables]
        done = sum(target in there for target in all_of_it)
        lines += [f"{kind}: {done} of {len(all_of_it)} in {results}/{kind.lower()}"] if all_of_it else []
    judged = {paper: rows_of(paths.claims(paper)) for paper in papers}
    if any(judged.values()):
        lines.append(f"Claims, judged on our results ({results}/claims):")
    lines += [f"  {paper:<12}{verdict_words(verdicts(claims))}" for paper, claims in judged.items() if claims]
    lines += _learnt(paths, there)
    site, report = Path(paths.site), Path(paths.report)
    none = "none yet; the same command with `site` in place of its targets makes it"
    lines.append(f"Site: {site if site.exists() else none}")
    return lines + ([f"Report: {report}"] if report.exists() else [])


def _of_targets(paths: Paths, targets: list[Target]) -> list[str]:
    lines = []
    for target in targets[:6]:
        kinds = ("csv", "md", "tex") if target.is_table else ("pdf", "png", "csv")
        place = file_of(paths, target, "csv").with_suffix("")
        there = [f".{kind}" for kind in kinds if file_of(paths, target, kind).exists()]
        lines.append(f"{'Table' if target.is_table else 'Figure'}: {place} ({', '.join(there)})")
    lines += [f"and {len(targets) - 6} more"] if len(targets) > 6 else []
    return lines + _learnt(paths, targets)


def verdict_words(counted: dict[str, int]) -> str:
    """ "3 hold, 1 fails, 2 undecided": verdicts and how many tests have each."""
    plural = {"holds": "hold", "fails": "fail"}
    return ", ".join(f"{n} {plural.get(name, name) if n != 1 else name}" for name, n in counted.items())


def _learnt(paths: Paths, targets: list[Target]) -> list[str]:
    found = networks(paths, targets)
    lost = sum(not learnt for learnt in found.values())
    return [f"Networks not shown to have learnt: {lost} of {len(found)}"] if found else []
