"""Compute one target's tidy rows from the evaluations of its runs, or by simulation for a theory target."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from spatial_adversarial.catalog import Catalog, Target, of_job
from spatial_adversarial.panels import TARGETS
from spatial_adversarial.results.store import Aggregate, copy_aggregate, write_aggregate
from spatial_adversarial.runner.job import job
from spatial_adversarial.runner.paths import Paths


def aggregate(
    catalog: Catalog, target: Target, evaluations: Sequence[str], slices: Sequence[str], output: str
) -> None:
    """Write the aggregate of `target` to `output`.

    evaluations, slices: files in the order of the catalog's evaluation_keys and slice_keys.
    """
    fingerprint = catalog.fingerprint(target)
    rows = TARGETS[target.kind].simulate(target.paper, target.spec, catalog.config["bootstrap"]["seed"])
    if rows is not None:
        write_aggregate(output, Aggregate(rows), fingerprint=fingerprint)
        return
    from spatial_adversarial.results.aggregate import Aggregator

    files = dict(zip(catalog.evaluation_keys(target), map(Path, evaluations), strict=True))
    paths = Paths.of(catalog.config)
    aggregator = Aggregator(
        target,
        seeds=catalog.seeds,
        bootstrap=catalog.config["bootstrap"],
        status=partial(catalog.status, target.paper),
        evaluation=lambda path, profile, seed: files[path, profile, seed],
        run=lambda path, seed: Path(paths.run(path, seed)),
        origin=catalog.origin,
        classes={name: entry["classes"] for name, entry in catalog.registry["data"].items()},
    )
    planes = dict(zip(target.slices(), map(Path, slices), strict=True))
    write_aggregate(output, aggregator.table(planes), fingerprint=fingerprint)


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        papers = of_job(smk, smk.wildcards.paper)
        target = papers.targets[smk.wildcards.paper, smk.wildcards.target]
        if smk.params.twin:
            copy_aggregate(
                smk.input.twin,
                smk.output.h5,
                paper=target.paper,
                target=target.name,
                made_as=smk.params.twin,
                fingerprint=papers.fingerprint(target),
            )
        else:
            aggregate(papers, target, smk.input.evaluations, smk.input.slices, smk.output.h5)
