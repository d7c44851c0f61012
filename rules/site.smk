# It has no inputs and declares no outputs: it shows what is there, and trains nothing.
rule site:
    log:
        f"{RESULTS}/logs/site.log",
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Write the site of what is in {RESULTS}."
    script:
        "../workflow_scripts/make_site.py"


rule site_of_all:
    input:
        all_but_the_site(),
    output:
        html=f"{RESULTS}/site/index.html",
    log:
        f"{RESULTS}/logs/site_of_all.log",
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Write the site of every figure, table and claim."
    script:
        "../workflow_scripts/make_site.py"
