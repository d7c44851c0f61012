"""Cut the planes of tradeoff fig13 through the boundaries of two trained models."""

import json
from pathlib import Path

from spatial_adversarial.runner.files import digest
from spatial_adversarial.runner.gpu_leases import lease
from spatial_adversarial.runner.hdf5 import written
from spatial_adversarial.runner.job import job


def slice_boundaries(
    runs: list[Path], data: str, output: str, *, sample: int, device: str, threads: int
) -> None:
    """Write the slices through the models in the two run folders, at images of a random sample, to an HDF5 file.

    x, y and margin are the first image's, more/<k>/x and so on those of others; distance is DeepFool's, of more images.
    """
    from spatial_adversarial.data.images import load_sample, origin
    from spatial_adversarial.evaluation.boundary_slices import IMAGES, cut, distances
    from spatial_adversarial.models.trained import Trained
    from spatial_adversarial.runner.device import pick_device

    target = pick_device(device, threads, repeatable=True)
    images = load_sample(data, sample, device=target)
    networks, made_of = [], {"runs": [], "weights": [], "data": origin(data)[0]}
    for run in runs:
        trained = Trained.of(run, "weights.pt", made_of["data"])
        networks.append(trained.network(images))
        made_of["runs"].append(trained.name)
        made_of["weights"].append(digest(trained.weights))
    first, *more = cut(networks, images, IMAGES)
    distance = distances(networks, images)
    with written(output) as file:
        for name in ("x", "y", "margin"):
            file[name] = getattr(first, name).cpu().numpy()
            for k, one in enumerate(more, start=1):
                file[f"more/{k}/{name}"] = getattr(one, name).cpu().numpy()
        file["distance"] = distance.cpu().numpy()
        file.attrs["image"] = first.image
        file.attrs["made_of"] = json.dumps(made_of, sort_keys=True)


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        if smk.config["device"] != "cpu":
            lease(per_device=smk.config["jobs_per_gpu"])
        folders = [Path(weights).parent for weights in smk.input.weights]
        slice_boundaries(
            folders,
            smk.input.data,
            smk.output.h5,
            sample=smk.params.sample,
            device=smk.config["device"],
            threads=smk.config["threads"],
        )
