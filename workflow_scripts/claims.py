"""Put the claims of all papers, judged on our numbers or on their own, in one CSV."""

import pandas as pd

from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job import job


def collect(files: list[str], output: str) -> None:
    """Concatenate the papers' claims, CSVs with the same columns."""
    with write_atomic(output) as temporary:
        pd.concat([pd.read_csv(file, dtype=str, keep_default_na=False) for file in files]).to_csv(
            temporary, index=False
        )


if "snakemake" in globals():
    with job(snakemake):
        collect(list(snakemake.input), snakemake.output.csv)
