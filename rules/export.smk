# It declares no output: it runs whenever it is asked for.
rule export:
    log:
        paths.log("export"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=export_folder,
    message:
        "Copy the finished runs to {params.folder}, with their checksums, for the runs_from of others."
    script:
        "../workflow_scripts/export_runs.py"
