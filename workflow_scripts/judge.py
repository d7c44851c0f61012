"""Judge the claims of one paper: on the aggregates of its targets, and on the paper's own numbers."""

import pandas as pd

from spatial_adversarial.judging import COLUMNS, judge_claim
from spatial_adversarial.results.store import read_aggregate
from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job import job


def judge(
    paper: str, claims: dict, targets: dict, level: float, output: str, published: str
) -> dict[str, pd.DataFrame]:
    """Write the verdicts on our numbers to `output`, those on the paper's own to `published`, and return both.

    targets: {name: its aggregate}.
    """
    rows = [row for key, claim in claims.items() for row in judge_claim(key, claim, targets, level)]
    frame = pd.DataFrame([{"paper": paper} | row for row in rows], columns=COLUMNS)
    tables = {source: frame[frame.source == source] for source in ("ours", "published")}
    for source, path in (("ours", output), ("published", published)):
        with write_atomic(path) as temporary:
            tables[source].to_csv(temporary, index=False, float_format="%.6g")
    return tables


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        fingerprints = smk.params.fingerprints
        read = {
            name: read_aggregate(path, fingerprints[name])
            for name, path in zip(fingerprints, smk.input.aggregates, strict=True)
        }
        judge(smk.wildcards.paper, smk.params.claims, read, smk.config["bootstrap"]["level"], *smk.output)
