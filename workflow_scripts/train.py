"""Train one run: a recipe and a seed become weights, a history, and run.yaml with the recipe in full."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import yaml

from spatial_adversarial.files import lock, write_atomic
from spatial_adversarial.jobs import job, progress, record
from spatial_adversarial.lease import lease


def train(
    recipe: dict, seed: int, data: str, folder: Path, *, device: str, threads: int, start: str | None = None
) -> None:
    """Train in `folder`, resuming from the state that an interrupted attempt left there.

    Writes weights.pt, history.csv and run.yaml, and provenance.json beside them. `data` is a prepared data set,
    `start` the weights that training begins from. Raises RuntimeError while another process trains the run.
    """
    from spatial_adversarial.runtime import load_network, pick_device
    from spatial_adversarial.training.data import splits
    from spatial_adversarial.training.loop import Trainer
    from spatial_adversarial.training.state import weights_bytes

    started, resume = time.time(), folder / "resume.pt"
    with lock(folder / "lock", wait=False, doing=f"training {folder}"), failure_told(folder / "failed.txt"):
        target = pick_device(device, threads)
        train_set, validation_set = splits(data, recipe["split"], target)
        network = load_network(recipe["model"], train_set, seed=seed, weights=start).to(target)
        trainer = Trainer(recipe, seed=seed, network=network, train=train_set, validation=validation_set)
        with progress(trainer.epochs, str(folder)) as bar:
            for row in trainer.run(resume):
                bar.update(row["epoch"] - bar.n)
                bar.set_postfix(
                    loss=f"{row['loss']:.3f}", validation=f"{row['validation_accuracy']:.3f}", refresh=False
                )
        record(folder / "provenance.json", started, run=str(folder), images=len(train_set))
        with write_atomic(folder / "history.csv") as temporary:
            pd.DataFrame(trainer.state.history).to_csv(temporary, index=False)
        with write_atomic(folder / "run.yaml") as temporary:
            temporary.write_text(
                yaml.safe_dump({"recipe": recipe, "seed": seed}, sort_keys=True), encoding="utf-8"
            )
        with write_atomic(folder / "weights.pt") as temporary:
            temporary.write_bytes(weights_bytes(trainer.weights()))
        resume.unlink(missing_ok=True)


@contextmanager
def failure_told(path: Path) -> Iterator[None]:
    """Leave the one line of a failure in `path`, for the plan to show, until training starts again."""
    path.unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        with write_atomic(path) as temporary:
            temporary.write_text(f"{type(error).__name__}: {error}".splitlines()[0] + "\n", encoding="utf-8")
        raise


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        if smk.config["device"] != "cpu":
            lease(per_device=smk.config["jobs_per_gpu"])
        train(
            smk.params.recipe,
            int(smk.wildcards.seed),
            smk.input.data,
            Path(smk.output.weights).parent,
            device=smk.config["device"],
            threads=smk.config["threads"],
            start=smk.input.get("start"),
        )
