# None declares an output: each runs whenever it is asked for.
rule plan:
    input:
        networks=rules.networks.output.json,
    log:
        paths.log("plan"),
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Plan: runs, jobs, estimated hours and disk of every figure and table, in {paths.plan} too."
    script:
        "../workflow_scripts/make_plan.py"


rule calibrate:
    input:
        networks=rules.networks.output.json,
    log:
        paths.log("calibrate"),
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        **gpu_request(config),
    params:
        device=config["device"],
        threads=config["threads"],
    message:
        "Measure this machine's rate for the plan, in two minutes."
    script:
        "../workflow_scripts/calibrate.py"


rule provenance:
    log:
        paths.log("provenance"),
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Collect what each finished run and evaluation was made with, in {paths.provenance}."
    script:
        "../workflow_scripts/collect_provenance.py"
