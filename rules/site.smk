# It has no inputs and declares no outputs: it shows what is there, and trains nothing.
rule site:
    log:
        paths.log("site"),
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Write the site of what is in {config[results]}."
    script:
        "../workflow_scripts/make_site.py"


rule site_of_all:
    input:
        products.of_all(catalog, paths),
    output:
        html=paths.site,
    log:
        paths.log("site_of_all"),
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "Write the site of every figure, table and claim."
    script:
        "../workflow_scripts/make_site.py"
