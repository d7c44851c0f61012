"""Evaluate one trained run: per-image predictions of each profile asked for, one HDF5 file a profile."""

import logging
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spatial_adversarial.records.identity import completed, read_out_path
from spatial_adversarial.runner.files import digest as file_digest
from spatial_adversarial.runner.gpu_leases import lease
from spatial_adversarial.runner.job import job, now, record
from spatial_adversarial.runner.run_folder import run_name

if TYPE_CHECKING:
    from spatial_adversarial.data.images import ImageSet
    from spatial_adversarial.models.trained import Trained
    from spatial_adversarial.records.evaluation import Evaluation
    from spatial_adversarial.records.profile import ProfileSettings

BLOCKS_ON_GPU = 8  # of all jobs that share it


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
    from spatial_adversarial.data.images import load_sample, origin
    from spatial_adversarial.evaluation.resume import Blocks
    from spatial_adversarial.models.trained import Trained
    from spatial_adversarial.records.identity import digest as digest_of
    from spatial_adversarial.records.profile import ProfileSettings
    from spatial_adversarial.records.survivors import in_order
    from spatial_adversarial.results.store import write_evaluation
    from spatial_adversarial.runner.device import pick_device

    target = pick_device(device, threads, repeatable=True)
    largest = BLOCK * (blocks_on_gpu if target.type == "cuda" else 1)
    images_digest, _ = origin(data)
    trained = Trained.of(run, weights, images_digest)
    name, _, seed = trained.name.rpartition("/")
    made_of = {
        "run": f"{read_out_path(name, trained.weights.stem)}/{seed}",
        "weights": file_digest(trained.weights),
        "data": images_digest,
    }
    finished: list[Blocks] = []
    for output, profile in in_order(profiles).items():
        started, settings = now(), ProfileSettings.of(profile)
        images = load_sample(data, settings.sample, device=target)
        source = (
            Trained.of(sources[profile["source"]], "weights.pt", images_digest) if profile["source"] else None
        )
        digests, smaller = smaller_evaluation(output, profile, made_of)
        parts = made_of | ({"source": file_digest(source.weights)} if source else {}) | digests
        blocks = Blocks(output, digest_of([parts, profile]))
        result = measured(
            trained,
            images,
            settings,
            largest,
            tell=partial(logging.info, "%s %s: %s", run, Path(output).stem),
            kept=blocks,
            source=source and source.network(images),
            smaller=smaller,
        )
        write_evaluation(output, result, x_unit=settings.perturbation.unit, profile=profile, made_of=parts)
        finished.append(blocks)
        if "file" in trained.model:
            doubt(run, result.clean, result.label, images.classes)
        record(f"{output}.json", started, run=run_name(run), images=len(images))
    # Snakemake deletes all outputs of a job that fails: a first profile is whole when the last one is
    for blocks in finished:
        blocks.remove()


def measured(
    trained: "Trained", images: "ImageSet", settings: "ProfileSettings", largest: int, **more
) -> "Evaluation":
    """`evaluation.profiles.evaluate`, in batches of at most `largest` images, smaller where memory does not suffice.

    ValueError that names the weights where logits or gradients are no numbers.
    """
    from spatial_adversarial.evaluation.finite import NotFinite
    from spatial_adversarial.evaluation.profiles import evaluate
    from spatial_adversarial.runner.device import halve_when_full

    network = trained.network(images)
    try:
        return halve_when_full(
            lambda batch: evaluate(network, images, settings, batch=batch, **more), largest
        )
    except NotFinite as error:
        raise ValueError(f"{trained.weights}: network {trained.model['name']}: {error}") from None


def smaller_evaluation(
    output: str, profile: dict, made_of: dict[str, str]
) -> tuple[dict[str, str], "Evaluation | None"]:
    """({"survivors_of": its digest}, the evaluation) that a profile goes on from, beside `output`; else ({}, None).

    An evaluation of all test images is brought into the order of samples where the profile is of a sample.
    """
    from spatial_adversarial.data.images import sample_order
    from spatial_adversarial.records.survivors import smaller, smaller_file
    from spatial_adversarial.results.store import read_evaluation

    if not (named := smaller(profile)):
        return {}, None
    file = Path(output).with_name(f"{smaller_file(profile)}.h5")
    found = read_evaluation(file, profile=named[1], **made_of)
    if profile["sample"] and not named[1]["sample"]:
        order = sample_order(len(found.label))
        found = replace(found, label=found.label[order], prediction=found.prediction[..., order])
    return {"survivors_of": file_digest(file)}, found


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
            blocks_on_gpu=max(1, BLOCKS_ON_GPU // smk.config["jobs_per_gpu"]),
        )
