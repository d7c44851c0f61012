"""Fetch a run that others trained, from a folder or URL in `runs_from`; each file's checksum is verified first."""

import logging
from pathlib import Path

from spatial_adversarial.results.shared_runs import Wanted, fetch_run
from spatial_adversarial.runner.job import job

if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        wanted = Wanted(
            run=f"{smk.wildcards.run}/seed{smk.wildcards.seed}",
            recipe=smk.params.recipe,
            data=smk.params.data,
            files=tuple(Path(file).name for file in smk.output),
            folder=Path(smk.output.weights).parent,
            prepared=Path(smk.params.prepared),
        )
        logging.info("fetched from %s", fetch_run(wanted, smk.config["runs_from"]))
