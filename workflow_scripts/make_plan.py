"""Print the plan, and write it to plan.csv: runs, jobs, estimated hours and disk space of each figure and table."""

import json
from pathlib import Path

from pandas import DataFrame, MultiIndex

from spatial_adversarial.catalog import Catalog, of_job
from spatial_adversarial.planning.costs import find_rates
from spatial_adversarial.planning.plan import Plan
from spatial_adversarial.planning.reach import amount, beyond_reach
from spatial_adversarial.runner.files import write_atomic
from spatial_adversarial.runner.gpu_leases import machine_has_gpu
from spatial_adversarial.runner.job import job
from spatial_adversarial.runner.paths import Paths

HEADINGS = {
    "runs": ("runs", "all"),
    "runs_shared": ("runs", "shared"),
    "runs_done": ("runs", "done"),
    "runs_begun": ("runs", "begun"),
    "runs_failed": ("runs", "failed"),
    "train_jobs": ("jobs left", "train"),
    "evaluate_jobs": ("jobs left", "evaluate"),
    "other_jobs": ("jobs left", "other"),
    "train_hours": ("hours", "train"),
    "evaluate_hours": ("hours", "evaluate"),
    "hours_left": ("hours", "left"),
    "disk_bytes": ("disk", "GB"),
}


def make_plan(
    catalog: Catalog, networks: dict[str, dict], calibration: dict | None, csv: Path, *, gpu: bool = True
) -> str:
    """Write plan.csv and return the plan as printed: the table and what to know about its numbers.

    `networks` and `calibration` are what networks.json and, if there is one, calibration.json hold, `gpu` whether the
    machine has one. The columns of hours are named after the device: train_gpu_hours, or train_cpu_hours.
    """
    plan = Plan(catalog, networks, find_rates(catalog.config, calibration, gpu=gpu))
    table, unit = plan.table(), plan.rates.unit
    with write_atomic(csv) as temporary:
        named = table.rename(columns=lambda name: name.replace("hours", unit.lower().replace("-", "_")))
        named.round(6).to_csv(temporary, index=False)
    reach = beyond_reach(table.iloc[-1]["hours_left"], plan.rates, catalog.config)
    return "\n".join([text_of(table, unit), "", *notes(plan), *reach])


def text_of(table: DataFrame, unit: str) -> str:
    """The table of a plan as text in columns, hours headed by their unit."""
    gigabytes = table.assign(disk_bytes=table["disk_bytes"] / 1e9)
    shown = gigabytes.set_index(["paper", "target"])[list(HEADINGS)]
    headings = [(unit if group == "hours" else group, name) for group, name in HEADINGS.values()]
    shown.columns = MultiIndex.from_tuples(headings)
    return shown.to_string(float_format=amount)


def notes(plan: Plan) -> list[str]:
    """Lines on where the hours come from, what they leave out, and which runs failed."""
    rates, config = plan.rates, plan.catalog.config
    lines = [f"{rates.unit}: {rates.source}; starting a job takes some seconds more."]
    if rates.device == "cpu" and config["device"] == "auto":
        gpu = find_rates(config | {"device": "cuda"})
        total = Plan(plan.catalog, plan.networks, gpu).table().iloc[-1]
        lines.append(f"{gpu.unit}: {amount(total['hours_left'])} left at {gpu.source}.")
    lines.append(
        "Disk: weights, evaluations, downloads and prepared data; a run in training takes some 3 weights more."
    )
    lines += [
        f"Hours and disk leave {name} out: the registry has no number of images." for name in plan.uncounted()
    ]
    if unknown := plan.unknown_survivors():
        lines.append(
            f"Hours count all images of {unknown:,} evaluations of survivors, whose smaller eps is not done."
        )
    return lines + [f"Failed: {folder}: {line}" for folder, line in plan.failures().items()]


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        paths = Paths.of(smk.config)
        measured = Path(paths.calibration)
        text = make_plan(
            of_job(smk),
            json.loads(Path(smk.input.networks).read_text(encoding="utf-8")),
            json.loads(measured.read_text(encoding="utf-8")) if measured.exists() else None,
            Path(paths.plan),
            gpu=machine_has_gpu(),
        )
        print(text, flush=True)
