rule download:
    output:
        manifest=f"{DATA}/raw/{{data}}.json",
    log:
        f"{RESULTS}/logs/download/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/download/{{data}}.tsv"
    retries: 2
    localrule: True  # a cluster's compute nodes may have no network
    conda:
        ENVIRONMENT
    params:
        name=lambda wildcards: wildcards.data,
        spec=lambda wildcards: catalog.registry["data"][wildcards.data],
        mirror=config["data_mirror"],
    message:
        "Bring the files of {wildcards.data} here and verify their checksums."
    script:
        "../workflow_scripts/download.py"


rule prepare:
    input:
        manifest=ancient(rules.download.output.manifest),
    output:
        h5=f"{DATA}/{{data}}.h5",
    log:
        f"{RESULTS}/logs/prepare/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{data}}.tsv"
    conda:
        ENVIRONMENT
    params:
        name=lambda wildcards: wildcards.data,
        spec=lambda wildcards: catalog.registry["data"][wildcards.data],
    message:
        "Turn {wildcards.data} into one HDF5 file."
    script:
        "../workflow_scripts/prepare.py"
