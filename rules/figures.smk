rule aggregate:
    input:
        unpack(inputs.aggregate),
    output:
        h5=paths.aggregate(),
    log:
        paths.log("aggregate/{paper}/{target}"),
    benchmark:
        paths.benchmark("aggregate/{paper}/{target}")
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("aggregate"),
        fingerprint=inputs.fingerprint,
        twin=inputs.twin_fingerprint,
    message:
        "Compute the numbers of {wildcards.paper} {wildcards.target}."
    script:
        "../workflow_scripts/aggregate.py"


rule draw:
    input:
        h5=inputs.drawn,
    output:
        pdf=paths.figure(),
        png=report(
            paths.figure(kind="png"),
            caption="captions/target.rst",
            category="{paper}",
            labels={"target": "{target}", "kind": "figure"},
        ),
        csv=paths.figure(kind="csv"),
        checksum=paths.figure(kind="csv.sha256"),
    log:
        paths.log("draw/{paper}/{target}"),
    benchmark:
        paths.benchmark("draw/{paper}/{target}")
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("draw"),
        fingerprint=inputs.fingerprint,
        caption=caption_of,
    message:
        "Draw {wildcards.paper} {wildcards.target}."
    script:
        "../workflow_scripts/draw.py"
