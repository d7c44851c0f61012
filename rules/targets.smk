# It declares no output: it runs whenever it is asked for; and no input, so that it answers in seconds.
rule targets:
    log:
        paths.log("targets"),
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "List every figure and table: data, networks, runs, cost, and whether it is done."
    script:
        "../workflow_scripts/list_targets.py"
