"""Bring the released D_R of CIFAR-10, two files of torch tensors, into the layout of a prepared data set."""

from pathlib import Path

from spatial_adversarial.runner.files import digest
from spatial_adversarial.runner.job import job


def convert_released_images(images: Path, labels: Path, h5: Path) -> None:
    """Write CIFAR_ims (float [N, 3, 32, 32] in [0, 1]) and CIFAR_lab (integers [N]); ValueError for other contents.

    Each is a tensor, or a list of the tensors of its batches.
    """
    import torch

    from spatial_adversarial.data.prepare import write

    found, classes = (torch.load(path, map_location="cpu", weights_only=True) for path in (images, labels))
    found, classes = (
        torch.cat(part) if isinstance(part, list | tuple) else part for part in (found, classes)
    )
    if found.ndim != 4 or found.shape[1:] != (3, 32, 32) or len(found) != len(classes):
        raise ValueError(
            f"{images}: images of shape {list(found.shape)} for {len(classes)} labels, expected [N, 3, 32, 32]"
        )
    if not 0 <= found.min() <= found.max() <= 1:
        raise ValueError(f"{images}: pixels from {found.min():g} to {found.max():g}, expected 0 to 1")
    write(
        h5,
        {"train": (found.float().numpy(), classes.long().numpy())},
        name="released",
        classes=10,
        source="robust_CIFAR, as released",
        files={path.name: f"sha256:{digest(path)}" for path in (images, labels)},
        made_of={"run": "released"},
    )


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        files = smk.params.files
        convert_released_images(Path(files["images"]), Path(files["labels"]), Path(smk.output.h5))
