# One rule for each rule that trains, of the same outputs: a run is made by one or by the other, for good.
for trainer, (kept, runs) in inputs.trainers().items() if FETCHED_RUNS else ():

    rule:
        name:
            trainer.replace("train", "fetch_run")
        output:
            weights=paths.weights(),
            history=paths.history(),
            run=paths.run_record(),
            kept=[paths.weights(name=name) for name in kept],
        log:
            paths.log("fetch_run/{run}/seed{seed}"),
        wildcard_constraints:
            run=f"(?={FETCHED_RUNS})(?:{runs})",
        localrule: True  # a cluster's compute nodes may have no network
        conda:
            ENVIRONMENT
        params:
            recipe=inputs.run_identity,
            data=inputs.data_identity,
            # where it lies fetches nothing again: what asks for the output is no trigger
            prepared=lambda wildcards, output: inputs.data(wildcards),
        message:
            "Fetch {wildcards.run}, seed {wildcards.seed}, which is not trained."
        script:
            "../workflow_scripts/fetch_run.py"
