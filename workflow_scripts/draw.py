"""Draw one figure: tidy rows, its aggregate's or those of a CSV, become a CSV, a PDF and a PNG."""

import logging
from pathlib import Path

import pandas as pd

from spatial_adversarial import panels
from spatial_adversarial.catalog import Catalog, Target, of_job
from spatial_adversarial.plots.style import save
from spatial_adversarial.records import climbed_label
from spatial_adversarial.reporting import captions
from spatial_adversarial.results import finished
from spatial_adversarial.results.figure_csv import read_tidy, write_tidy
from spatial_adversarial.results.store import read_aggregate
from spatial_adversarial.runner.job import job


def draw(catalog: Catalog, target: Target, rows: pd.DataFrame, pdf: str, png: str) -> None:
    """Draw `target` from its tidy rows: page 2 beside `png` as <target>_2.png, and none that it has no longer."""
    pages = save(panels.draw_pages(rows, captions.figure(catalog, target)), pdf, png)
    for file in finished.pages(catalog, target, Path(png).parent):
        if file not in [Path(png), *pages]:
            file.unlink()


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        papers = of_job(smk, smk.wildcards.paper)
        if "csv" in smk.input.keys():  # noqa: SIM118  (no mapping)
            unchecked = smk.config["redraw"]["unchecked"]
            numbers = read_tidy(smk.input.csv, smk.wildcards.paper, smk.wildcards.target, unchecked=unchecked)
            if climbed_label.COLUMN not in numbers:
                logging.warning(
                    "%s has no column attacked_label: its 1 - fooling rates are of attacks on the true label",
                    smk.input.csv,
                )
        else:
            numbers = read_aggregate(smk.input.h5, smk.params.fingerprint).rows
        numbers = captions.comparable(papers, numbers)
        write_tidy(smk.output.csv, numbers)
        draw(
            papers,
            papers.targets[smk.wildcards.paper, smk.wildcards.target],
            numbers,
            smk.output.pdf,
            smk.output.png,
        )
