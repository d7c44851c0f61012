"""Describe every network of the catalog in one file: layers, parameters, operations, equivariance error."""

import json
from pathlib import Path

from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.job import job, progress
from spatial_adversarial.runner.paths import LISTED


def describe_all(networks: dict[str, dict], data: dict[str, dict], output: str | Path) -> None:
    """Write {<data>/<model>: description} as JSON; `networks` is Catalog.networks(), `data` the registry's entries.

    The networks that tables of architectures list are built in full, and their equivariance error is measured. Of the
    others, which the plan asks, no weight is made: their shapes, on the meta device, tell all there is to count.
    """
    import torch

    from spatial_adversarial import models
    from spatial_adversarial.models.counting import describe, equivariance_error

    described = {}
    for name, network in progress(networks.items(), "networks"):
        entry = data[network["data"]]
        shape = {"channels": entry["channels"], "side": entry["side"]}
        plain = [0.5] * entry["channels"]
        settings = {"classes": entry["classes"], "mean": plain, "std": plain} | shape
        in_a_table = name.startswith(LISTED)
        torch.manual_seed(0)
        # a user's own builder may compute with numbers, which the meta device has none of
        with torch.device("cpu" if in_a_table or "file" in network["model"] else "meta"):
            built = models.build(network["model"], **settings).eval()
        described[name] = describe(built, **shape)
        if in_a_table:
            described[name]["equivariance_error"] = equivariance_error(built, **shape, seed=0)
    with write_atomic(output) as temporary:
        temporary.write_text(json.dumps(described, indent=1), encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        describe_all(snakemake.params.networks, snakemake.params.data, snakemake.output.json)
