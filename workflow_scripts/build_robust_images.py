"""Build D_R from a robust run: an image for each training image that shows what the run's network sees in it."""

import shutil
from pathlib import Path

import numpy as np

from spatial_adversarial.records.identity import completed
from spatial_adversarial.records.identity import digest as digest_of
from spatial_adversarial.runner.files import digest, lock
from spatial_adversarial.runner.gpu_leases import lease
from spatial_adversarial.runner.job import job, now, progress, record
from spatial_adversarial.runner.run_folder import checked, read_run, run_name


def build_robust_images(
    run: Path, data: str, settings: dict, h5: Path, png: Path, *, device: str, threads: int
) -> None:
    """Write the images that show the features of the network in folder `run`, and a picture of some of them.

    Targets are the run's own training images, in the prepared data set `data`; the set is labelled like them. What
    an interrupted attempt has finished is taken over.
    """
    from spatial_adversarial.data.images import origin
    from spatial_adversarial.data.prepare import write
    from spatial_adversarial.evaluation import robust_images
    from spatial_adversarial.models.loading import load_network
    from spatial_adversarial.plots import image_pairs
    from spatial_adversarial.plots.style import save_png
    from spatial_adversarial.runner.device import pick_device
    from spatial_adversarial.training.data import splits

    started, (images_digest, _) = now(), origin(data)
    told = read_run(run, data=images_digest)
    recipe, weights = told["recipe"], checked(run, "weights.pt", told)
    target = pick_device(device, threads, repeatable=True)
    images, _ = splits(data, recipe["split"], target)
    network = load_network(recipe["model"], images, seed=0, weights=weights).to(target)
    checksum = digest(weights)
    made_of = {key: value for key, value in settings.items() if key not in ("of", "share")}
    made_of |= {"run": told["run"], "weights": checksum, "data": images_digest}
    parts = h5.with_suffix(f".{digest_of(made_of)}.parts")
    with lock(parts / "lock", wait=False, doing=f"building {h5}"):
        found = robust_images.build(
            network, images, settings, parts, lambda chunks: progress(chunks, f"robust images of {run}")
        )
        labels = images.labels[: len(found["images"])].cpu().numpy()
        write(
            h5,
            {"train": (found["images"], labels)},
            name=h5.stem,
            classes=images.classes,
            source=f"robust features of {run}",
            files={"weights.pt": f"sha256:{checksum}"},
            made_of=made_of,
        )
        starts = robust_images.partners(len(labels), settings["seed"])[: image_pairs.COUNT]
        shown = {
            "starts from": images.images[starts],
            "shows the features of": images.images[: image_pairs.COUNT],
        }
        save_png(
            image_pairs.draw(
                {name: part.cpu().numpy() for name, part in shown.items()}, found, f"{recipe['data']}, D_R"
            ),
            png,
        )
        distances = {key: float(np.mean(found[key])) for key in ("before", "after")}
        record(f"{h5}.json", started, run=run_name(run), images=len(labels), feature_distance=distances)
    shutil.rmtree(parts)


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        if smk.config["device"] != "cpu":
            lease(per_device=smk.config["jobs_per_gpu"])
        build_robust_images(
            Path(smk.input.run).parent,
            smk.input.data,
            completed(smk.params.settings, "recipe")["mix"],
            Path(smk.output.h5),
            Path(smk.output.png),
            device=smk.config["device"],
            threads=smk.config["threads"],
        )
