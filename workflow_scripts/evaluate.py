"""Evaluate one trained run: per-image predictions of each profile asked for, one HDF5 file a profile."""

import logging
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from spatial_adversarial.records.identity import completed, read_out_path
from spatial_adversarial.runner.files import digest as file_digest
from spatial_adversarial.runner.gpu_leases import lease
from spatial_adversarial.runner.job import job, now, record
from spatial_adversarial.runner.run_folder import checked, read_run, run_name

BLOCKS_ON_GPU = 8  # where a job has the GPU for itself


def evaluate(
    run: Path,
    data: str,
    profiles: dict[str, dict],
    *,
    device: str,
    threads: int,
    weights: str = "weights.pt",
    sources: dict[str, Path] | None = None,
    blocks_on_gpu: int = 1,
) -> None:
    """Evaluate the `weights` in folder `run` on the test images of the prepared data set `data`.

    profiles: {output path: resolved profile}; the evaluation that a profile's `survivors_of` names lies beside its
    output, or is among them and made first. sources: {a profile's `source`: the folder of that run}. Each result has
    <output path>.json, its provenance, beside it. blocks_on_gpu: how many blocks of images a GPU takes at once, as far
    as its memory goes; a CPU takes one.
    """
    from spatial_adversarial.attacks.block import BLOCK
    from spatial_adversarial.data.images import load, origin
    from spatial_adversarial.evaluation.finite_logits import NonFiniteLogits
    from spatial_adversarial.evaluation.profiles import evaluate as measure
    from spatial_adversarial.evaluation.resume import Blocks
    from spatial_adversarial.models.loading import load_network
    from spatial_adversarial.records.identity import digest as digest_of
    from spatial_adversarial.records.profile import ProfileSettings
    from spatial_adversarial.records.survivors import in_order, smaller, smaller_file
    from spatial_adversarial.results.store import read_evaluation, write_evaluation
    from spatial_adversarial.runner.device import halve_when_full, pick_device

    target = pick_device(device, threads, repeatable=True)
    images_digest, _ = origin(data)
    told = read_run(run, data=images_digest)
    recipe, path = told["recipe"], checked(run, weights, told)
    name, _, seed = told["run"].rpartition("/")
    made_of = {
        "run": f"{read_out_path(name, path.stem)}/{seed}",
        "weights": file_digest(path),
        "data": images_digest,
    }

    def network_of(folder: Path, images):
        told = read_run(folder, data=images_digest)
        weights = checked(folder, "weights.pt", told)
        return load_network(told["recipe"]["model"], images, seed=0, weights=weights).to(target)

    def one(output: str, profile: dict) -> None:
        started = now()
        resolved = ProfileSettings.of(profile)
        images = load(data, "test", limit=resolved.images, device=target)
        network = load_network(recipe["model"], images, seed=0, weights=path).to(target)
        source = network_of(sources[profile["source"]], images) if profile["source"] else None
        parts = made_of
        if source is not None:
            parts = made_of | {"source": file_digest(sources[profile["source"]] / "weights.pt")}
        withstood = None
        if named := smaller(profile):
            file = Path(output).with_name(f"{smaller_file(profile)}.h5")
            withstood = read_evaluation(file, profile=named[1], **made_of)
            parts = parts | {"survivors_of": file_digest(file)}
        tell = partial(logging.info, "%s %s: %s", run, Path(output).stem)
        blocks = Blocks(output, digest_of([parts, profile]))
        try:
            result = halve_when_full(
                lambda batch: measure(
                    network,
                    images,
                    resolved,
                    batch=batch,
                    tell=tell,
                    kept=blocks,
                    source=source,
                    smaller=withstood,
                ),
                BLOCK * (blocks_on_gpu if target.type == "cuda" else 1),
            )
        except NonFiniteLogits as error:
            raise ValueError(f"{path}: network {recipe['model']['name']}: {error}") from None
        unit = resolved.perturbation.unit
        write_evaluation(output, result, x_unit=unit, profile=profile, made_of=parts)
        blocks.remove()
        if "file" in recipe["model"]:
            doubt(run, result.clean, result.label, images.classes)
        record(f"{output}.json", started, run=run_name(run), images=len(images))

    for output, profile in in_order(profiles).items():
        one(output, profile)


def doubt(run: Path, clean: np.ndarray, label: np.ndarray, classes: int) -> None:
    """Say what to look at where a user's own network knows hardly more than chance of images that it was made for.

    clean, label: classes that it predicts and those that are right, [N].
    """
    from spatial_adversarial.statistics.learnt import has_learnt

    if has_learnt(clean, label, classes):
        return
    line = (
        f"{run}: clean accuracy {100 * (clean == label).mean():.1f}%: does the network take float32 images "
        "[N, C, H, W] in [0, 1] as its entry's `normalise` leaves them, and number the classes as torchvision does "
        "(docs/extending.md)?"
    )
    logging.warning(line)
    print(line, file=sys.stderr, flush=True)


def source_folders(profiles: list[dict], weights: Iterable[str]) -> dict[str, Path]:
    """{a profile's `source`: the folder of that run}, by an evaluation's inputs, which have the same order."""
    runs = dict.fromkeys(profile["source"] for profile in profiles if profile["source"])
    return {run: Path(file).parent for run, file in zip(runs, weights, strict=True)}


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        if smk.config["device"] != "cpu":
            lease(per_device=smk.config["jobs_per_gpu"])
        profiles = [completed(profile, "profile") for profile in smk.params.profiles]
        outputs = dict(zip(smk.output, profiles, strict=True))
        evaluate(
            Path(smk.input.weights).parent,
            smk.input.data,
            outputs,
            weights=Path(smk.input.weights).name,
            sources=source_folders(profiles, smk.input.sources),
            device=smk.config["device"],
            threads=smk.config["threads"],
            blocks_on_gpu=BLOCKS_ON_GPU if smk.config["jobs_per_gpu"] == 1 else 1,
        )
