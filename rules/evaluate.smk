# One rule for each set of profiles that some run is evaluated on: a single profile each, or with
# `evaluate: by_run` all those of a run, so that small runs start Python once.
for bundle, (files, runs) in catalog.bundles().items():

    rule:
        name:
            f"evaluate_{bundle}"
        input:
            unpack(inputs.trained),
            data=inputs.data,
            sources=partial(inputs.source_weights, files),
            smaller_eps=partial(inputs.smaller_eps, files),
        output:
            [paths.evaluation(profile=file) for file in files],
        log:
            paths.log(f"evaluate/{{run}}/seed{{seed}}/{files[0]}"),
        benchmark:
            paths.benchmark(f"evaluate/{{run}}/seed{{seed}}/{files[0]}")
        wildcard_constraints:
            run="|".join(map(re.escape, runs)),
        priority: 1  # before more training, so that figures appear as early as they can
        conda:
            ENVIRONMENT
        threads: config["threads"]
        resources:
            **resources_of(evaluation_request(files)),
        params:
            profiles=inputs.profile_identities,
        message:
            "Evaluate {wildcards.run}, seed {wildcards.seed}: its profiles in one start."
        script:
            "../workflow_scripts/evaluate.py"


rule slice_boundaries:
    input:
        data=inputs.data,
        weights=inputs.sliced,
    output:
        h5=paths.slice(),
    log:
        paths.log("slices/{run}/seed{seed}/{other}"),
    benchmark:
        paths.benchmark("slices/{run}/seed{seed}/{other}")
    priority: 1
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        **resources_of(slices_request),
    params:
        sample=1000,  # test images, among which those are that both networks get right
    message:
        "Cut a plane through the boundaries of {wildcards.run} and {wildcards.other}."
    script:
        "../workflow_scripts/slice_boundaries.py"
