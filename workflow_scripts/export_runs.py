"""Copy the finished runs of a configuration, with an index, to a folder that others name in their `runs_from`."""

import logging
from pathlib import Path

from spatial_adversarial.catalog import Catalog, of_job
from spatial_adversarial.results.shared_runs import export_runs
from spatial_adversarial.runner.job import job


def main(catalog: Catalog, folder: Path) -> str:
    """Export to `folder`; how many runs were, and a line for each finished one that was left out."""
    found = export_runs(catalog, folder)
    left_out = [f"not exported: {reason}" for reason in found.values() if reason]
    for run, reason in found.items():
        logging.info("%s: %s", run, reason or "exported")
    return "\n".join([*left_out, f"{len(found) - len(left_out)} runs exported to {folder}"])


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        print(main(of_job(smk), Path(smk.params.folder).expanduser()), flush=True)
