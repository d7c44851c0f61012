rule download:
    message:
        "Bring the files of {wildcards.data} here and verify their checksums."
    output:
        manifest=f"{DATA}/raw/{{data}}.json",
    log:
        f"{RESULTS}/logs/download/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{data}}.tsv"
    params:
        name=lambda wildcards: wildcards.data,
        spec=lambda wildcards: catalog.registry["data"][wildcards.data],
        mirror=config["data_mirror"],
    conda:
        ENVIRONMENT
    retries: 2
    script:
        "../workflow_scripts/download.py"


rule prepare:
    message:
        "Turn {wildcards.data} into one HDF5 file."
    input:
        manifest=ancient(rules.download.output.manifest),
    output:
        h5=f"{DATA}/{{data}}.h5",
    log:
        f"{RESULTS}/logs/prepare/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{data}}.tsv"
    params:
        name=lambda wildcards: wildcards.data,
        spec=lambda wildcards: catalog.registry["data"][wildcards.data],
    conda:
        ENVIRONMENT
    script:
        "../workflow_scripts/prepare.py"
