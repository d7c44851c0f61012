rule networks:
    output:
        json=f"{RESULTS}/networks.json",
    log:
        f"{RESULTS}/logs/networks.log",
    benchmark:
        f"{RESULTS}/benchmarks/networks.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_of("networks"),
        networks=catalog.networks(),
        data=lambda wildcards: {name: catalog.data_identity(name) for name in data_of_networks()},
    message:
        "Count the layers, parameters and operations of every network."
    script:
        "../workflow_scripts/networks.py"


rule tabulate:
    input:
        unpack(table_inputs),
    output:
        csv=f"{RESULTS}/tables/{{paper}}/{{target}}.csv",
        md=report(
            f"{RESULTS}/tables/{{paper}}/{{target}}.md",
            caption="captions/target.rst",
            category="{paper}",
            labels={"target": "{target}", "kind": "table"},
        ),
        tex=f"{RESULTS}/tables/{{paper}}/{{target}}.tex",
    log:
        f"{RESULTS}/logs/tabulate/{{paper}}/{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate/{{paper}}/{{target}}.tsv"
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("make_table"),
        fingerprint=lambda wildcards: catalog.fingerprint(target_of(wildcards)),
        caption=lambda wildcards: caption(catalog, target_of(wildcards)),
    message:
        "Write the table {wildcards.paper} {wildcards.target}."
    script:
        "../workflow_scripts/make_table.py"


rule judge:
    input:
        aggregates=lambda wildcards: [
            f"{RESULTS}/aggregates/{wildcards.paper}/{name}.h5"
            for name in catalog.claimed_targets(wildcards.paper)
        ],
    output:
        csv=report(
            f"{RESULTS}/claims/{{paper}}.csv",
            caption="captions/target.rst",
            category="{paper}",
            labels={"target": "claims", "kind": "claims"},
        ),
        published=f"{RESULTS}/claims_published/{{paper}}.csv",
    log:
        f"{RESULTS}/logs/judge/{{paper}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/judge/{{paper}}.tsv"
    priority: 2
    conda:
        ENVIRONMENT
    params:
        code=code_of("judge"),
        claims=lambda wildcards: catalog.claims[wildcards.paper],
        fingerprints=lambda wildcards: {
            name: catalog.fingerprint(catalog.targets[wildcards.paper, name])
            for name in catalog.claimed_targets(wildcards.paper)
        },
        caption="The paper's sentences that can be checked: statistic, interval, and whether it holds on our results.",
    message:
        "Judge the claims of {wildcards.paper} on our results, and on the paper's own numbers."
    script:
        "../workflow_scripts/judge.py"


rule claims:
    input:
        [f"{RESULTS}/claims/{paper}.csv" for paper, claims in catalog.claims.items() if claims],
    output:
        csv=f"{RESULTS}/claims.csv",
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
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
        [f"{RESULTS}/claims_published/{paper}.csv" for paper, claims in catalog.claims.items() if claims],
    output:
        csv=f"{RESULTS}/claims_published.csv",
    log:
        f"{RESULTS}/logs/claims_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_published.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_of("claims"),
    message:
        "Put the claims of all papers, judged on the papers' own numbers, in one file."
    script:
        "../workflow_scripts/claims.py"


for paper in config["papers"]:

    rule:
        name:
            paper
        input:
            results_of(paper),
        message:
            f"Every figure, table and claim of {paper}."


rule report:
    input:
        [file for paper in config["papers"] for file in results_of(paper)],
    output:
        zip=f"{RESULTS}/report.zip",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    conda:
        ENVIRONMENT
    message:
        "Write Snakemake's report: every figure, table and claim with its caption, by paper."
    script:
        "../workflow_scripts/make_report.py"
