# From tidy CSVs alone: no torch, no data, no training. `tidy` names the folder that holds <paper>/<target>.csv.
rule redraw_figure:
    input:
        csv=f"{TIDY}/{{paper}}/{{target}}.csv",
    output:
        pdf=f"{RESULTS}/redrawn/{{paper}}/{{target}}.pdf",
        png=f"{RESULTS}/redrawn/{{paper}}/{{target}}.png",
        csv=f"{RESULTS}/redrawn/{{paper}}/{{target}}.csv",
        checksum=f"{RESULTS}/redrawn/{{paper}}/{{target}}.csv.sha256",
    log:
        f"{RESULTS}/logs/redraw/{{paper}}/{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/redraw/{{paper}}/{{target}}.tsv"
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
        redrawn(),
    message:
        "Every figure with a CSV in {TIDY} is in {RESULTS}/redrawn."
