"""Describe every network of the catalog: layers, parameters, operations and its equivariance error, in one file."""

import json
from pathlib import Path

from spatial_adversarial.files import write_atomic
from spatial_adversarial.jobs import job, progress


def describe_all(networks: dict[str, dict], data: dict[str, dict], output: str | Path) -> None:
    """Write {<data>/<model>: description} as JSON; `networks` is Catalog.networks(), `data` the registry's entries."""
    import torch

    from spatial_adversarial import models
    from spatial_adversarial.models.count import describe, equivariance_error

    described = {}
    for name, network in progress(networks.items(), "networks"):
        entry = data[network["data"]]
        shape = {"channels": entry["channels"], "side": entry["side"]}
        torch.manual_seed(0)
        plain = [0.5] * entry["channels"]
        built = models.build(
            network["model"], classes=entry["classes"], mean=plain, std=plain, **shape
        ).eval()
        described[name] = describe(built, **shape) | {
            "equivariance_error": equivariance_error(built, **shape, seed=0)
        }
    with write_atomic(output) as temporary:
        temporary.write_text(json.dumps(described, indent=1), encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        describe_all(snakemake.params.networks, snakemake.params.data, snakemake.output.json)  # noqa: F821
