"""Print every target, one line each: what it shows, its runs, its cost, and whether it is done."""

import json
from pathlib import Path

from spatial_adversarial.catalog import of_job
from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.plan import Plan
from spatial_adversarial.planning.target_list import target_list
from spatial_adversarial.runner.gpu_leases import machine_has_gpu
from spatial_adversarial.runner.job import job
from spatial_adversarial.runner.paths import Paths

if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        measured = Path(Paths.of(smk.config).calibration)
        plan = Plan(
            of_job(smk),
            json.loads(Path(smk.input.networks).read_text(encoding="utf-8")),
            find_rates(
                smk.config,
                json.loads(measured.read_text(encoding="utf-8")) if measured.exists() else None,
                gpu=machine_has_gpu(),
            ),
        )
        print(target_list(plan), flush=True)
