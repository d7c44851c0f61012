"""The files that a user may ask for: a paper's figures, tables and claims, and what closes all of them."""

from pathlib import Path

from spatial_adversarial.catalog import Catalog
from spatial_adversarial.runner.paths import Paths


def of_paper(catalog: Catalog, paths: Paths, paper: str) -> list[str]:
    """All that a paper consists of: figures, tables, and its claims where it has any."""
    files = []
    for target in catalog.targets.values():
        if target.paper == paper and target.is_table:
            files += [paths.table(paper, target.name, kind) for kind in ("csv", "md", "tex")]
        elif target.paper == paper:
            files += [paths.figure(paper, target.name, kind) for kind in ("pdf", "png", "csv")]
    return files + ([paths.claims(paper)] if catalog.claims[paper] else [])


def of_papers(catalog: Catalog, paths: Paths) -> list[str]:
    """Every paper's figures, tables and claims."""
    return [file for paper in catalog.config["papers"] for file in of_paper(catalog, paths, paper)]


def closing(catalog: Catalog, paths: Paths) -> list[str]:
    """What `all` makes of no single paper but for the site: the claims in one file, a report if it is wanted."""
    judged = [paths.all_claims, paths.all_claims_published] if any(catalog.claims.values()) else []
    return [*judged, *([paths.report] if catalog.config.get("report") else [])]


def of_all(catalog: Catalog, paths: Paths) -> list[str]:
    """What `all` makes but for the site: all papers' results, and what closes them."""
    return [*of_papers(catalog, paths), *closing(catalog, paths)]


def site(catalog: Catalog, paths: Paths) -> list[str]:
    """The first page of the site where the config wants one."""
    return [paths.site] if catalog.config.get("report") else []


def redrawn(catalog: Catalog, paths: Paths) -> list[str]:
    """The figures, redrawn, whose tidy CSVs are there."""
    figures = [key for key, target in catalog.targets.items() if not target.is_table]
    return [paths.redrawn(*key) for key in figures if Path(paths.tidy_csv(*key)).exists()]
