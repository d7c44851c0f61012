"""What a run of the workflow took, by rule: jobs, and the seconds of the clock and of the CPU that they had.

    python benchmarks/by_rule.py results/demo [other results to compare with]

From the files that Snakemake writes for each job below <results>/benchmarks. Snakemake's own time is not among them.
"""

import argparse
from pathlib import Path

import pandas as pd


def by_rule(results: Path) -> pd.DataFrame:
    """Columns jobs, seconds, cpu_seconds and least (CPU seconds of the smallest job), a row a rule and one of all."""
    folder = results / "benchmarks"
    jobs = [
        pd.read_csv(file, sep="\t", usecols=["s", "cpu_time"]).assign(rule=file.relative_to(folder).parts[0])
        for file in sorted(folder.rglob("*.tsv"))
    ]
    if not jobs:
        raise SystemExit(f"{folder}: no job has left its time there")
    table = pd.concat(jobs)
    table["rule"] = table.rule.str.removesuffix(".tsv")
    table["cpu_time"] = pd.to_numeric(table.cpu_time, errors="coerce").fillna(
        0
    )  # "NA" of a job of milliseconds
    total = table.assign(rule="all")
    grouped = pd.concat([table, total]).groupby("rule", sort=False)
    found = grouped.agg(
        jobs=("s", "size"), seconds=("s", "sum"), cpu_seconds=("cpu_time", "sum"), least=("cpu_time", "min")
    )
    return found.sort_values("cpu_seconds", ascending=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+")
    for one in parser.parse_args().results:
        print(f"{one}\n{by_rule(one).round(1).to_string()}\n")
