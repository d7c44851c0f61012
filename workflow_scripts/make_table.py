"""Write one table: tidy CSV, Markdown to read, and LaTeX for a paper."""

import json
from pathlib import Path

import pandas as pd

from spatial_adversarial.catalog import Catalog, Target, of_job
from spatial_adversarial.catalog.catalog import listed
from spatial_adversarial.records.tidy import COLUMNS
from spatial_adversarial.reporting import captions, markup, result_tables
from spatial_adversarial.results.store import read_aggregate
from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job import job


def tabulate(catalog: Catalog, target: Target, networks: dict, csv: str, *texts: str) -> None:
    """Write the architectures of `target` from the descriptions in networks.json."""
    models = catalog.registry["models"]
    described = {name: networks[listed(target, name)] for name in target.spec["models"]}
    with write_atomic(csv) as temporary:
        tidy(catalog, target, described).to_csv(temporary, index=False)
    labelled = {models[name]["label"]: network for name, network in described.items()}
    table = markup.architecture_table(labelled, list(labelled))
    write_texts(catalog, target, markup.architectures_layout(table, list(labelled)), *texts)


def tabulate_results(catalog: Catalog, target: Target, rows: pd.DataFrame, csv: str, *texts: str) -> None:
    """Write a table of results from its tidy rows."""
    rows = captions.comparable(catalog, rows)
    rows = rows.assign(difference=(rows.value - rows.published).mask(captions.unlike(catalog, rows)))
    with write_atomic(csv) as temporary:
        rows.to_csv(temporary, index=False)
    write_texts(catalog, target, result_tables.results_layout(rows, captions.table(catalog, target)), *texts)


def write_texts(
    catalog: Catalog, target: Target, table: markup.TableLayout, md: str, tex: str | None = None
) -> None:
    """Write a table as Markdown, and as LaTeX where that is asked for."""
    caption = captions.caption(catalog, target)
    texts = {md: markup.to_markdown(table, caption=caption)}
    if tex:
        texts[tex] = markup.to_latex(table, caption=caption, label=f"{target.paper}-{target.name}")
    for path, text in texts.items():
        with write_atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def tidy(catalog: Catalog, target: Target, networks: dict) -> pd.DataFrame:
    """A row for each layer of each network, and one ("all") for its totals, with the tidy columns first."""
    rows = []
    for name, network in networks.items():
        frame = {"paper": target.paper, "target": target.name, "data": target.spec["data"], "model": name}
        frame |= {"group": catalog.registry["models"][name].get("group", "z2")}
        frame |= {"status": "run"}
        layers = [layer | {"output": "x".join(map(str, layer["output"]))} for layer in network["layers"]]
        totals = {key: network[key] for key in ("parameters", "multiply_adds", "equivariance_error")}
        rows += [frame | layer for layer in [*layers, {"layer": "all"} | totals]]
    made = pd.DataFrame(rows)
    return made.reindex(columns=[*COLUMNS, *(name for name in made if name not in COLUMNS)])


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        papers = of_job(smk, smk.wildcards.paper)
        asked, outputs = (
            papers.targets[smk.wildcards.paper, smk.wildcards.target],
            (smk.output.csv, smk.output.md, smk.output.tex),
        )
        if asked.has_aggregate:
            numbers = read_aggregate(smk.input.h5, smk.params.fingerprint).rows
            tabulate_results(papers, asked, numbers, *outputs)
        else:
            counted = json.loads(Path(smk.input.networks).read_text(encoding="utf-8"))
            tabulate(papers, asked, counted, *outputs)
