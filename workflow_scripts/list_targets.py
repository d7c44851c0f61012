"""Print every target, one line each: what it shows, its runs, its cost, and whether it is done."""

import json
from pathlib import Path

from spatial_adversarial.catalog import Catalog, of_job
from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.network_sizes import sizes
from spatial_adversarial.planning.plan import Plan
from spatial_adversarial.planning.target_list import target_list
from spatial_adversarial.runner.gpu_leases import machine_has_gpu
from spatial_adversarial.runner.job import job
from spatial_adversarial.runner.paths import Paths


def main(catalog: Catalog) -> str:
    """The list, by what is known so far: networks that were described count exactly, others by proportion."""
    paths = Paths.of(catalog.config)
    described, measured = _read(paths.networks) or {}, _read(paths.calibration)
    rates = find_rates(catalog.config, measured, gpu=machine_has_gpu())
    return target_list(Plan(catalog, sizes(catalog, described) | described, rates))


def _read(path: str) -> dict | None:
    return json.loads(Path(path).read_text(encoding="utf-8")) if Path(path).exists() else None


if "snakemake" in globals():
    with job(snakemake):
        print(main(of_job(snakemake)), flush=True)
