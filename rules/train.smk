# One rule for the runs whose last weights are all that is asked for, and one for each other list of weights that are
# kept beside them (at some steps, averaged, of the most robust epoch): no part of a run's identity, so that more of
# them train it again, to the same weights.
for trainer, (kept, runs) in inputs.trainers().items():

    rule:
        name:
            trainer
        input:
            unpack(inputs.training),
        output:
            weights=paths.weights(),
            history=paths.history(),
            run=paths.run_record(),
            kept=[paths.weights(name=name) for name in kept],
        log:
            paths.log("train/{run}/seed{seed}"),
        benchmark:
            paths.benchmark("train/{run}/seed{seed}")
        wildcard_constraints:
            run=not_fetched(runs),
        conda:
            ENVIRONMENT
        threads: config["threads"]
        resources:
            **resources_of(training_request),
        params:
            recipe=inputs.run_identity,  # device and threads are the script's to read: as parameters, a new one would retrain
            data=inputs.data_identity,
        message:
            "Train {wildcards.run}, seed {wildcards.seed}."
        script:
            "../workflow_scripts/train.py"
