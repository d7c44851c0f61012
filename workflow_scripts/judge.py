"""Judge the claims of one paper on the aggregates of its targets."""

import pandas as pd

from spatial_adversarial.files import write_atomic
from spatial_adversarial.jobs import job
from spatial_adversarial.judging import COLUMNS, judge_claim
from spatial_adversarial.store import read_aggregate


def judge(paper: str, claims: dict, targets: dict, level: float, output: str) -> pd.DataFrame:
    """Write the verdicts on `claims`; targets: {name: (tidy rows, replicates)}."""
    rows = [row for key, claim in claims.items() for row in judge_claim(key, claim, targets, level)]
    frame = pd.DataFrame([{"paper": paper} | row for row in rows], columns=COLUMNS)
    with write_atomic(output) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.6g")
    return frame


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        fingerprints = smk.params.fingerprints
        read = {
            name: read_aggregate(path, fingerprints[name])
            for name, path in zip(fingerprints, smk.input.aggregates, strict=True)
        }
        judge(smk.wildcards.paper, smk.params.claims, read, smk.config["bootstrap"]["level"], smk.output.csv)
