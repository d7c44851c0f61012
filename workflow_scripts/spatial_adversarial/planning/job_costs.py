"""The jobs that Snakemake is about to run, each with what the plan says it takes."""

from collections.abc import Iterable
from math import isnan
from pathlib import Path

from spatial_adversarial.planning.plan import Job, Plan
from spatial_adversarial.runner.status import ListedJob


def cost(plan: Plan, rule: str, wildcards: dict, output: Iterable[str]) -> Job:
    """A job of the plan for one of Snakemake's, by its rule's name, its wildcards and its files."""
    files = tuple(Path(file) for file in output)
    if rule.startswith("train"):
        return plan.training(wildcards["run"], int(wildcards["seed"]))
    if rule.startswith("evaluate"):
        return plan.evaluation(wildcards["run"], tuple(file.stem for file in files), int(wildcards["seed"]))
    if rule == "build_robust_images":
        mix = plan.catalog.robust_images[wildcards["run"], wildcards["images"]]
        return plan.robust_images(mix | {"share": 1})
    if rule in ("download", "prepare"):
        return plan.download(wildcards["data"]) if rule == "download" else plan.preparation(wildcards["data"])
    return Job("other", files)


def listed(job, plan: Plan) -> tuple[ListedJob, Job]:
    """A job of Snakemake's DAG, one with a log, as the status lists it, and with its cost."""
    planned = cost(plan, job.rule.name, job.wildcards_dict, map(str, job.output))
    seconds = 0.0 if isnan(planned.hours) else planned.hours * 3600
    name = (job.message or job.rule.name).rstrip(".")
    network = job.wildcards_dict.get("run", "").rpartition("/")[0]
    guessed = seconds > 0 and plan.networks[network].get("guessed", False)
    return ListedJob(name, planned.kind, str(job.log[0]), seconds, guessed), planned
