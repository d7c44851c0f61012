"""Evaluate one trained run: per-image predictions of each profile asked for, one HDF5 file a profile."""

import logging
import time
from pathlib import Path

import yaml

from spatial_adversarial.jobs import job, record
from spatial_adversarial.lease import lease


def evaluate(run: Path, data: str, profiles: dict[str, dict], *, device: str, threads: int) -> None:
    """Evaluate the weights in folder `run` on the test images of the prepared data set `data`.

    profiles: {output path: resolved profile}. Each result has <output path>.json, its provenance, beside it.
    """
    from spatial_adversarial.data.images import load
    from spatial_adversarial.evaluation import evaluate as evaluate_profile
    from spatial_adversarial.runtime import halve_when_full, load_network, pick_device
    from spatial_adversarial.store import write_evaluation

    target = pick_device(device, threads)
    recipe = yaml.safe_load((run / "run.yaml").read_text(encoding="utf-8"))["recipe"]
    for output, profile in profiles.items():
        started, name = time.time(), f"{run} {Path(output).stem}"
        images = load(data, "test", limit=profile["images"], device=target)
        network = load_network(recipe["model"], images, seed=0, weights=run / "weights.pt").to(target)
        result = halve_when_full(
            lambda batch: evaluate_profile(
                network, images, profile, batch=batch, tell=lambda line: logging.info("%s: %s", name, line)
            )
        )
        write_evaluation(
            output, result, x_unit=profile.get("transform", profile.get("attack")), profile=profile
        )
        record(f"{output}.json", started, run=str(run), images=len(images))


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        if smk.params.device != "cpu":
            lease(per_device=smk.params.jobs_per_gpu)
        outputs = dict(zip(smk.output, smk.params.profiles, strict=True))
        evaluate(
            Path(smk.input.weights).parent,
            smk.input.data,
            outputs,
            device=smk.params.device,
            threads=smk.params.threads,
        )
