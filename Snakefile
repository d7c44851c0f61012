from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


report: "rules/captions/workflow.rst"


include: "rules/surroundings.smk"


for file in config_files():

    configfile: sound(file)


include: "rules/common.smk"


if config["container"]:

    container: config["container"]


wildcard_constraints:
    run=Paths.RUN,
    seed=r"\d+",
    profile=r"[\w-]+",
    images=r"[\w.-]+",
    paper="|".join(catalog.config["papers"]),
    target=r"\w+",


include: "rules/resources.smk"
include: "rules/data.smk"
include: "rules/shared_runs.smk"
include: "rules/fetch.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/figures.smk"
include: "rules/redraw.smk"
include: "rules/tables.smk"
include: "rules/site.smk"
include: "rules/plan.smk"
include: "rules/own.smk"
include: "rules/targets.smk"
include: "rules/export.smk"
include: "rules/watching.smk"


rule all:
    default_target: True
    input:
        products.of_all(catalog, paths),
        products.site(catalog, paths),
    message:
        "Every figure, table and claim of {catalog.config[papers]} is in {config[results]}."


if not AS_MODULE:
    check_targets(command_line(workflow), workflow.rules, results=products.of_papers(catalog, paths))


onstart:
    # Snakemake 9.27 sets a timer at each look for jobs, and each timer looks again: soon it does little else (pull
    # request 3744). It does so only while jobs are limited by time, which on one machine serves nothing, and which
    # no option turns off.
    if workflow.local_exec:
        check_threads()
        workflow.scheduler.job_rate_limiter = None
        share_memory(workflow.scheduler)
    begin()


onerror:
    end()


onsuccess:
    end()
    words = closing_words(catalog, workflow.dag_settings.targets)
    if words:
        print(words)
