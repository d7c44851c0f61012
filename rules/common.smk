"""What all rules share: the catalog, where files lie, and what each job takes."""

import re
from functools import partial

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.planning import products
from spatial_adversarial.planning.job_inputs import JobInputs
from spatial_adversarial.reporting.captions import caption
from spatial_adversarial.reporting.closing import closing_words
from spatial_adversarial.runner.ancient_inputs import look_behind_ancient_inputs
from spatial_adversarial.runner.command_line import check_targets
from spatial_adversarial.runner.imports import code_digest
from spatial_adversarial.runner.paths import Paths

look_behind_ancient_inputs()

ENVIRONMENT = "../envs/environment.yaml"

if AS_MODULE:  # the outer workflow's `config:` replaces config files: the repository's stays below it
    config = merge(read(HERE / "config.yaml"), config)
else:
    for file in workflow.configfiles:
        sound(file)

try:
    catalog = load(config, HERE / config["figures"])
except CatalogError as error:
    raise WorkflowError(str(error)) from None

paths = Paths.of(config)
inputs = JobInputs(catalog, paths)


def code_of(script):
    """What a cheap stage's script is made of, as a parameter of its rule: where it changes, the stage runs again."""
    return code_digest(HERE / f"workflow_scripts/{script}.py")


def caption_of(wildcards):
    """The caption of a figure or table, as a parameter of its rule."""
    return caption(catalog, inputs.target(wildcards))


def check_threads():
    """WorkflowError for more threads a job than this machine, on which the jobs run, has."""
    if config["threads"] > os.cpu_count():
        raise WorkflowError(f"config: threads: {config['threads']}, but this machine has {os.cpu_count()}")


def no_own_models(wildcards):
    """WorkflowError: the input of the rule `own` where no model of the user's names profiles."""
    raise WorkflowError(
        "config: own: no model names profiles to be evaluated on: own: {mine: {profiles: [rotation, pgd]}}"
    )
