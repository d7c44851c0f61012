rule train:
    input:
        unpack(training_inputs),
    output:
        weights=f"{RESULTS}/runs/{{run}}/seed{{seed}}/weights.pt",
        history=f"{RESULTS}/runs/{{run}}/seed{{seed}}/history.csv",
        run=f"{RESULTS}/runs/{{run}}/seed{{seed}}/run.yaml",
    log:
        f"{RESULTS}/logs/train/{{run}}/seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{run}}/seed{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        gpu=1,
    params:
        recipe=recipe_of,  # device and threads are the script's to read: as parameters, a new one would retrain
    message:
        "Train {wildcards.run}, seed {wildcards.seed}."
    script:
        "../workflow_scripts/train.py"
