"""Cut the plane of tradeoff fig13 through the boundaries of two trained models."""

from pathlib import Path

import h5py
import yaml

from spatial_adversarial.files import write_atomic
from spatial_adversarial.jobs import job
from spatial_adversarial.lease import lease


def slice_boundaries(runs: list[Path], data: str, output: str, *, device: str, threads: int) -> None:
    """Write x, y and margin of the slice through the models in the two run folders to an HDF5 file."""
    from spatial_adversarial.data.images import load
    from spatial_adversarial.runtime import load_network, pick_device
    from spatial_adversarial.slices import cut

    target = pick_device(device, threads)
    images = load(data, "test", limit=1000, device=target)
    networks = []
    for run in runs:
        recipe = yaml.safe_load((run / "run.yaml").read_text(encoding="utf-8"))["recipe"]
        networks.append(load_network(recipe["model"], images, seed=0, weights=run / "weights.pt").to(target))
    found = cut(networks, images)
    with write_atomic(output) as temporary, h5py.File(temporary, "w") as file:
        for name in ("x", "y", "margin"):
            file[name] = getattr(found, name).cpu().numpy()
        file.attrs["image"] = found.image


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        if smk.config["device"] != "cpu":
            lease(per_device=smk.config["jobs_per_gpu"])
        folders = [Path(weights).parent for weights in smk.input.weights]
        slice_boundaries(
            folders, smk.input.data, smk.output.h5, device=smk.config["device"], threads=smk.config["threads"]
        )
