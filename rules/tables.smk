rule networks:
    output:
        json=paths.networks,
    log:
        paths.log("networks"),
    benchmark:
        paths.benchmark("networks")
    conda:
        ENVIRONMENT
    params:
        code=code_of("networks"),
        networks=catalog.networks(),
        data=inputs.network_data(),
    message:
        "Count the layers, parameters and operations of every network."
    script:
        "../workflow_scripts/networks.py"


rule tabulate:
    input:
        unpack(inputs.tabulated),
    output:
        csv=paths.table(kind="csv"),
        md=report(
            paths.table(),
            caption="captions/target.rst",
            category="{paper}",
            labels={"target": "{target}", "kind": "table"},
        ),
        tex=paths.table(kind="tex"),
    log:
        paths.log("tabulate/{paper}/{target}"),
    benchmark:
        paths.benchmark("tabulate/{paper}/{target}")
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("make_table"),
        fingerprint=inputs.fingerprint,
        caption=caption_of,
    message:
        "Write the table {wildcards.paper} {wildcards.target}."
    script:
        "../workflow_scripts/make_table.py"


rule judge:
    input:
        aggregates=inputs.judged,
    output:
        csv=report(
            paths.claims(),
            caption="captions/target.rst",
            category="{paper}",
            labels={"target": "claims", "kind": "claims"},
        ),
        published=paths.claims_published(),
    log:
        paths.log("judge/{paper}"),
    benchmark:
        paths.benchmark("judge/{paper}")
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("judge"),
        claims=lambda wildcards: catalog.claims[wildcards.paper],
        fingerprints=inputs.judged_fingerprints,
        caption="The paper's sentences that can be checked: statistic, interval, and whether it holds on our results.",
    message:
        "Judge the claims of {wildcards.paper} on our results, and on the paper's own numbers."
    script:
        "../workflow_scripts/judge.py"


rule claims:
    input:
        [paths.claims(paper) for paper, claims in catalog.claims.items() if claims],
    output:
        csv=paths.all_claims,
    log:
        paths.log("claims"),
    benchmark:
        paths.benchmark("claims")
    conda:
        ENVIRONMENT
    params:
        code=code_of("claims"),
    message:
        "Put the claims of all papers in one file."
    script:
        "../workflow_scripts/claims.py"


rule claims_published:
    input:
        [paths.claims_published(paper) for paper, claims in catalog.claims.items() if claims],
    output:
        csv=paths.all_claims_published,
    log:
        paths.log("claims_published"),
    benchmark:
        paths.benchmark("claims_published")
    conda:
        ENVIRONMENT
    params:
        code=code_of("claims"),
    message:
        "Put the claims of all papers, judged on the papers' own numbers, in one file."
    script:
        "../workflow_scripts/claims.py"


for paper in catalog.config["papers"]:

    rule:
        name:
            paper
        input:
            products.of_paper(catalog, paths, paper),
        message:
            f"Every figure, table and claim of {paper}."


rule report:
    input:
        products.of_papers(catalog, paths),
    output:
        zip=paths.report,
    log:
        paths.log("report"),
    benchmark:
        paths.benchmark("report")
    conda:
        ENVIRONMENT
    message:
        "Write Snakemake's report: every figure, table and claim with its caption, by paper."
    script:
        "../workflow_scripts/make_report.py"
