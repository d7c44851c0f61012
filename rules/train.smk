# One rule for the runs whose last weights are all that is asked for, and one for each other list of weights that are
# kept beside them (at some steps, averaged, of the most robust epoch): no part of a run's identity, so that more of
# them train it again, to the same weights.
for trainer, (kept, runs) in trainers().items():

    rule:
        name:
            trainer
        input:
            unpack(training_inputs),
        output:
            weights=f"{RESULTS}/runs/{{run}}/seed{{seed}}/weights.pt",
            history=f"{RESULTS}/runs/{{run}}/seed{{seed}}/history.csv",
            run=f"{RESULTS}/runs/{{run}}/seed{{seed}}/run.yaml",
            kept=[f"{RESULTS}/runs/{{run}}/seed{{seed}}/{weights}.pt" for weights in kept],
        log:
            f"{RESULTS}/logs/train/{{run}}/seed{{seed}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/train/{{run}}/seed{{seed}}.tsv"
        wildcard_constraints:
            run=runs,
        conda:
            ENVIRONMENT
        threads: config["threads"]
        resources:
            gpu=1,
        params:
            recipe=run_identity,  # device and threads are the script's to read: as parameters, a new one would retrain
            data=data_identity,
        message:
            "Train {wildcards.run}, seed {wildcards.seed}."
        script:
            "../workflow_scripts/train.py"
