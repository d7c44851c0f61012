rule download:
    output:
        manifest=paths.raw(),
    log:
        paths.log("download/{data}"),
    benchmark:
        paths.benchmark("download/{data}")
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
        h5=paths.prepared(),
    log:
        paths.log("prepare/{data}"),
    benchmark:
        paths.benchmark("prepare/{data}")
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
        unpack(inputs.robust_run),
    output:
        h5=paths.robust_images(),
        png=report(
            paths.robust_images(kind="png"),
            caption="captions/target.rst",
            category="data",
            labels={"target": "{run}", "kind": "robust images"},
        ),
    log:
        paths.log("robust_images/{run}/{images}"),
    benchmark:
        paths.benchmark("robust_images/{run}/{images}")
    conda:
        ENVIRONMENT
    threads: config["threads"]
    resources:
        **resources_of(robust_images_request),
    params:
        settings=inputs.mix_identity,
        caption="Images that were moved until a robust network's features of them were those of other images (D_R).",
    message:
        "Make images that show what {wildcards.run} sees: D_R."
    script:
        "../workflow_scripts/build_robust_images.py"


rule convert_released_images:
    output:
        h5=paths.robust_images("released", "released"),
    log:
        paths.log("robust_images/released"),
    benchmark:
        paths.benchmark("robust_images/released")
    conda:
        ENVIRONMENT
    params:
        files=lambda wildcards, output: inputs.released_files(),  # no inputs: where they lie makes nothing again
    message:
        "Bring the released D_R from {config[data_mirror]} into the layout of a prepared data set."
    script:
        "../workflow_scripts/convert_released_images.py"
