rule aggregate:
    input:
        unpack(aggregate_inputs),
    output:
        h5=f"{RESULTS}/aggregates/{{paper}}/{{target}}.h5",
    log:
        f"{RESULTS}/logs/aggregate/{{paper}}/{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/aggregate/{{paper}}/{{target}}.tsv"
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("aggregate"),
        fingerprint=lambda wildcards: catalog.fingerprint(target_of(wildcards)),
        twin=twin_fingerprint,
    message:
        "Compute the numbers of {wildcards.paper} {wildcards.target}."
    script:
        "../workflow_scripts/aggregate.py"


rule draw:
    input:
        h5=aggregate_of,
    output:
        pdf=f"{RESULTS}/figures/{{paper}}/{{target}}.pdf",
        png=report(
            f"{RESULTS}/figures/{{paper}}/{{target}}.png",
            caption="captions/target.rst",
            category="{paper}",
            labels={"target": "{target}", "kind": "figure"},
        ),
        csv=f"{RESULTS}/figures/{{paper}}/{{target}}.csv",
        checksum=f"{RESULTS}/figures/{{paper}}/{{target}}.csv.sha256",
    log:
        f"{RESULTS}/logs/draw/{{paper}}/{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/draw/{{paper}}/{{target}}.tsv"
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("draw"),
        fingerprint=lambda wildcards: catalog.fingerprint(target_of(wildcards)),
        caption=lambda wildcards: caption(catalog, target_of(wildcards)),
    message:
        "Draw {wildcards.paper} {wildcards.target}."
    script:
        "../workflow_scripts/draw.py"
