"""Compute one target's tidy rows from the evaluations of its runs, or by simulation for a theory target."""

from pathlib import Path

from spatial_adversarial.catalog import Catalog, Target, load
from spatial_adversarial.results.store import Aggregate, copy_aggregate, write_aggregate
from spatial_adversarial.runner.job import job


def aggregate(catalog: Catalog, target: Target, results: Path, output: str) -> None:
    """Write the aggregate of `target` to `output`, reading evaluations and slices below `results`."""
    fingerprint = catalog.fingerprint(target)
    if target.kind == "theory":
        from spatial_adversarial.theory.statements import simulate

        rows = simulate(target.paper, target.spec["settings"], catalog.config["bootstrap"]["seed"])
        write_aggregate(output, Aggregate(rows), fingerprint=fingerprint)
        return
    from spatial_adversarial.results.aggregate import Aggregator

    aggregator = Aggregator(
        target,
        seeds=catalog.seeds,
        bootstrap=catalog.config["bootstrap"],
        status=catalog.status,
        evaluation=lambda path, profile, seed: (
            results / "evaluations" / path / f"seed{seed}" / f"{profile}.h5"
        ),
        run=lambda path, seed: results / "runs" / path / f"seed{seed}",
        origin=catalog.origin,
        classes={name: entry["classes"] for name, entry in catalog.registry["data"].items()},
    )
    slices = {
        pair: results
        / "slices"
        / pair[0]
        / f"seed{catalog.seeds(pair[0])[0]}"
        / f"{pair[1].split('/')[-1]}.h5"
        for pair in target.slices()
    }
    write_aggregate(output, aggregator.table(slices), fingerprint=fingerprint)


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        folder = Path(smk.scriptdir).parent / smk.config["figures"]
        papers = load(smk.config, folder, smk.wildcards.paper)
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
            aggregate(papers, target, Path(smk.config["results"]), smk.output.h5)
