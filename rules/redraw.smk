# From tidy CSVs alone: no torch, no data, no training. `tidy` names the folder that holds <paper>/<target>.csv.
rule redraw_figure:
    input:
        csv=paths.tidy_csv(),
    output:
        pdf=paths.redrawn(),
        png=paths.redrawn(kind="png"),
        csv=paths.redrawn(kind="csv"),
        checksum=paths.redrawn(kind="csv.sha256"),
    log:
        paths.log("redraw/{paper}/{target}"),
    benchmark:
        paths.benchmark("redraw/{paper}/{target}")
    conda:
        ENVIRONMENT
    params:
        code=code_of("draw"),
    message:
        "Draw {wildcards.paper} {wildcards.target} again, from its CSV."
    script:
        "../workflow_scripts/draw.py"


rule redraw:
    input:
        products.redrawn(catalog, paths),
    message:
        "Every figure with a CSV in {paths.tidy} is in {config[results]}/redrawn."
