"""Write one table: tidy CSV, and Markdown to read."""

import json
from pathlib import Path

from spatial_adversarial import printed, tables
from spatial_adversarial.catalog import Catalog, Target, load
from spatial_adversarial.files import write_atomic
from spatial_adversarial.jobs import job


def tabulate(catalog: Catalog, target: Target, networks: dict, csv: str, md: str) -> None:
    """Write the architectures of `target` from the descriptions in networks.json."""
    models = catalog.registry["models"]
    described = {
        models[name]["label"]: networks[f"{target.spec['data']}/{name}"] for name in target.spec["models"]
    }
    table = tables.architecture_table(described, list(described))
    with write_atomic(csv) as temporary:
        table.to_csv(temporary, index=False)
    with write_atomic(md) as temporary:
        temporary.write_text(
            tables.architecture_markdown(table, caption=printed.caption(catalog, target)), encoding="utf-8"
        )


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        papers = load(smk.config, Path(smk.scriptdir).parent / smk.config["figures"])
        counted = json.loads(Path(smk.input.networks).read_text(encoding="utf-8"))
        tabulate(
            papers,
            papers.targets[smk.wildcards.paper, smk.wildcards.target],
            counted,
            smk.output.csv,
            smk.output.md,
        )
