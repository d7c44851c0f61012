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
        identity=lambda wildcards: catalog.data_identity(wildcards.data),
        # where its files lie brings nothing here again: what asks for the output is no trigger
        spec=lambda wildcards, output: catalog.registry["data"][wildcards.data],
    message:
        "Bring the files of {wildcards.data} here and verify their checksums."
    script:
        "../workflow_scripts/download.py"


rule prepare:
    input:
        manifest=rules.download.output.manifest,
    output:
        h5=f"{DATA}/{{data}}.h5",
    log:
        f"{RESULTS}/logs/prepare/{{data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{data}}.tsv"
    conda:
        ENVIRONMENT
    params:
        spec=lambda wildcards: catalog.data_identity(wildcards.data),
    message:
        "Turn {wildcards.data} into one HDF5 file."
    script:
        "../workflow_scripts/prepare.py"


rule build_robust_images:
    input:
        unpack(robust_run),
    output:
        h5=f"{RESULTS}/robust_images/{{run}}/{{images}}.h5",
        png=report(
            f"{RESULTS}/robust_images/{{run}}/{{images}}.png",
            caption="captions/target.rst",
            category="data",
            labels={"target": "{run}", "kind": "robust images"},
        ),
    log:
        f"{RESULTS}/logs/robust_images/{{run}}/{{images}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/robust_images/{{run}}/{{images}}.tsv"
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        gpu=1,
    params:
        settings=mix_identity,
        caption="Images that were moved until a robust network's features of them were those of other images (D_R).",
    message:
        "Make images that show what {wildcards.run} sees: D_R."
    script:
        "../workflow_scripts/build_robust_images.py"


rule convert_released_images:
    output:
        h5=f"{RESULTS}/robust_images/released/released.h5",
    log:
        f"{RESULTS}/logs/robust_images/released.log",
    benchmark:
        f"{RESULTS}/benchmarks/robust_images/released.tsv"
    conda:
        ENVIRONMENT
    params:
        files=lambda wildcards, output: released_files(),  # no inputs: where they lie makes nothing again
    message:
        "Bring the released D_R from {config[data_mirror]} into the layout of a prepared data set."
    script:
        "../workflow_scripts/convert_released_images.py"
