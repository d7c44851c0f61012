"""Put the side files of all finished runs and evaluations into one CSV: seconds, device, versions, memory."""

import json
from pathlib import Path

import pandas as pd

from spatial_adversarial.results.store import read_evaluation
from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job import job
from spatial_adversarial.runner.paths import Paths


def collect(results: Path, output: str) -> pd.DataFrame:
    """Write a CSV, a row a side file, `result` naming what it stands beside.

    `clean_accuracy` of an evaluation is that of the images as its profile finds them, before attack or transform.
    """
    rows = []
    for file in sorted([*results.glob("runs/**/provenance.json"), *results.glob("evaluations/**/*.h5.json")]):
        beside = file.parent if file.name == "provenance.json" else file.with_suffix("")
        row = {"result": str(beside.relative_to(results))} | json.loads(file.read_text(encoding="utf-8"))
        if beside.suffix == ".h5":
            evaluation = read_evaluation(beside)
            row["clean_accuracy"] = (evaluation.clean == evaluation.label).mean()
        rows.append(row)
    frame = pd.DataFrame(rows).drop(columns="run", errors="ignore")
    with write_atomic(output) as temporary:
        frame.to_csv(temporary, index=False)
    return frame


if "snakemake" in globals():
    with job(snakemake):
        collect(Path(snakemake.config["results"]), Paths.of(snakemake.config).provenance)
