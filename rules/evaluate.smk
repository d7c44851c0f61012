# One rule for each set of profiles that some run is evaluated on: a single profile each, or with
# `evaluate: by_run` all those of a run, so that small runs start Python once.
for bundle, (files, runs) in catalog.bundles().items():

    rule:
        name:
            f"evaluate_{bundle}"
        input:
            unpack(trained),
            data=data_of,
            sources=partial(source_weights, files),
        output:
            [f"{RESULTS}/evaluations/{{run}}/seed{{seed}}/{file}.h5" for file in files],
        log:
            f"{RESULTS}/logs/evaluate/{{run}}/seed{{seed}}/{files[0]}.log",
        benchmark:
            f"{RESULTS}/benchmarks/evaluate/{{run}}/seed{{seed}}/{files[0]}.tsv"
        wildcard_constraints:
            run="|".join(map(re.escape, runs)),
        priority: 1  # before more training, so that figures appear as early as they can
        conda:
            ENVIRONMENT
        threads: config["threads"]
        resources:
            gpu=1,
        params:
            profiles=profile_identities,
        message:
            "Evaluate {wildcards.run}, seed {wildcards.seed}: its profiles in one start."
        script:
            "../workflow_scripts/evaluate.py"


rule slice_boundaries:
    input:
        data=data_of,
        weights=lambda wildcards: [
            f"{RESULTS}/runs/{path}/seed{wildcards.seed}/weights.pt" for path in slice_pair(wildcards)
        ],
    output:
        h5=f"{RESULTS}/slices/{{run}}/seed{{seed}}/{{other}}.h5",
    log:
        f"{RESULTS}/logs/slices/{{run}}/seed{{seed}}/{{other}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/slices/{{run}}/seed{{seed}}/{{other}}.tsv"
    priority: 1
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        gpu=1,
    message:
        "Cut a plane through the boundaries of {wildcards.run} and {wildcards.other}."
    script:
        "../workflow_scripts/slice_boundaries.py"
