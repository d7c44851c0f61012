# None declares an output: each runs whenever it is asked for.
rule plan:
    input:
        networks=rules.networks.output.json,
    log:
        f"{RESULTS}/logs/plan.log",
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Plan: runs, jobs, estimated hours and disk of every figure and table, in {RESULTS}/plan.csv too."
    script:
        "../workflow_scripts/make_plan.py"


rule calibrate:
    input:
        networks=rules.networks.output.json,
    log:
        f"{RESULTS}/logs/calibrate.log",
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        gpu=1,
    params:
        device=config["device"],
        threads=config["threads"],
    message:
        "Measure this machine's rate for the plan, in two minutes."
    script:
        "../workflow_scripts/calibrate.py"


rule provenance:
    log:
        f"{RESULTS}/logs/provenance.log",
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Collect what each finished run and evaluation was made with, in {RESULTS}/provenance.csv."
    script:
        "../workflow_scripts/collect_provenance.py"
