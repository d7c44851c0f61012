"""Rule download: bring a data set's raw files to data/raw and list them in a manifest."""

import json
from pathlib import Path

from spatial_adversarial.data.download import fetch
from spatial_adversarial.data.sources import folder
from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job import job


def main(name: str, spec: dict, manifest: str | Path, mirror: str | None = None) -> None:
    """Fetch data set `name` below the manifest's folder; write the manifest, JSON {raw file: checksum}."""
    root = folder(name, spec, Path(manifest).parent)
    if mirror is not None and folder(name, spec, Path(mirror).expanduser()).is_dir():
        mirror = folder(name, spec, Path(mirror).expanduser())
    files = fetch(name, spec, root, mirror=mirror)
    with write_atomic(manifest) as temporary:
        Path(temporary).write_text(json.dumps(files, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        main(smk.wildcards.data, smk.params.spec, smk.output.manifest, smk.config["data_mirror"])
