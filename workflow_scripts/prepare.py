"""Rule prepare: write a data set's HDF5 file from its raw files."""

from pathlib import Path

from spatial_adversarial.data.prepare import prepare
from spatial_adversarial.data.sources import folder
from spatial_adversarial.runner.job import job


def main(name: str, spec: dict, manifest: str | Path, path: str | Path) -> None:
    """Prepare data set `name`, whose raw files lie beside `manifest`, as the HDF5 file `path`."""
    prepare(name, spec, folder(name, spec, Path(manifest).parent), path)


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        main(smk.wildcards.data, smk.params.spec, smk.input.manifest, smk.output.h5)
