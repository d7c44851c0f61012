"""Train one run: a recipe and a seed become weights, a history, and run.yaml with the recipe in full."""

import csv
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from spatial_adversarial.records.identity import completed, released
from spatial_adversarial.runner.files import digest, lock, write_atomic
from spatial_adversarial.runner.gpu_leases import lease
from spatial_adversarial.runner.job import job, now, progress, record
from spatial_adversarial.runner.run_folder import FETCHED, checked, run_name, same, write_run

# Seconds between two checkpoints, more where an epoch takes longer: on an H200 that two share, an epoch of VGG16 takes
# 3 s, and its checkpoint has 118 MB.
SAVE_EVERY = 30.0


def train(
    recipe: dict,
    seed: int,
    data: str,
    folder: Path,
    *,
    device: str,
    threads: int,
    start: str | None = None,
    robust: str | None = None,
    snapshots: Iterable[int] = (),
    readouts: Collection[str] = (),
    entry: dict | None = None,
) -> None:
    """Train in `folder`, resuming from the checkpoint that an interrupted attempt left there.

    Writes weights.pt, history.csv and run.yaml, provenance.json beside them, step<k>.pt for each of the `snapshots`
    and <name>.pt for each of the `readouts`. `data` is a prepared data set, `start` the weights that training begins
    from, `robust` the images that the recipe mixes in; `entry` is what the data set has to be made of. ValueError where
    one of these is not what it should be, RuntimeError while another process trains the run.
    """
    from spatial_adversarial.data.images import load
    from spatial_adversarial.models.loading import load_network
    from spatial_adversarial.models.weights import save_weights
    from spatial_adversarial.runner.device import pick_device
    from spatial_adversarial.training.data import mixed, splits
    from spatial_adversarial.training.loop import Trainer

    started, resume = now(), folder / "resume.pt"
    # Snakemake removes the outputs of a job that is interrupted: until the end, snapshots lie where it does not look
    kept = {step: folder / "snapshots" / f"step{step}.pt" for step in snapshots}
    with (
        lock(folder / "lock", wait=False, doing=f"training {folder}"),
        failure_recorded(folder / "failed.txt"),
    ):
        target = pick_device(device, threads)
        made_of = origins(recipe, seed, data, start, robust, entry)
        train_set, validation_set = splits(data, recipe["split"], target)
        network = load_network(recipe["model"], train_set, seed=seed, weights=start).to(target)
        if robust:
            train_set = mixed(train_set, load(robust, "train", device=target), recipe["mix"]["share"])
        (folder / FETCHED).unlink(missing_ok=True)  # a run that was fetched once is from now on one made here
        trainer = Trainer(
            recipe,
            seed=seed,
            network=network,
            train=train_set,
            validation=validation_set,
            snapshots=kept,
            readouts=readouts,
            save_every=SAVE_EVERY,
        )
        with (
            closing(trainer.run(resume)) as rows,
            progress(trainer.epochs, str(folder), done=trainer.checkpoint.epoch) as bar,
        ):
            for row in rows:
                bar.update(row["epoch"] - bar.n)
                bar.set_postfix(
                    loss=f"{row['loss']:.3f}", validation=f"{row['validation_accuracy']:.3f}", refresh=False
                )
        about = {"run": run_name(folder), "images": len(train_set)}
        record(folder / "provenance.json", started, earlier=trainer.earlier, **about)
        write_history(folder / "history.csv", trainer.checkpoint.history)
        for path in kept.values():  # copied: a run that fails below still has them to go on from
            with write_atomic(folder / path.name) as temporary:
                shutil.copyfile(path, temporary)
        for name in readouts:
            save_weights(trainer.readout(name), folder / f"{name}.pt")
        save_weights(trainer.weights(), folder / "weights.pt")
        files = ["weights.pt", "history.csv", *(path.name for path in kept.values())]
        files += [f"{name}.pt" for name in readouts]
        write_run(folder, released(recipe), seed, files, made_of)
        resume.unlink(missing_ok=True)
        shutil.rmtree(folder / "snapshots", ignore_errors=True)


def write_history(path: Path, rows: list[dict]) -> None:
    """Write a training's rows, one an epoch, as a CSV; of a network that is not trained, one with an empty line."""
    with write_atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0] if rows else [], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def origins(
    recipe: dict, seed: int, data: str, start: str | None, robust: str | None, entry: dict | None
) -> dict[str, str]:
    """Digests of what a run is made from; ValueError, one line, for a file that is not what the recipe names."""
    from spatial_adversarial.data.images import origin

    found, (images, about) = {}, origin(data)
    found["data"] = images
    if entry is not None:
        same(data, about, dict.fromkeys(about) | entry)
    if start:
        found["start"] = digest(checked(Path(start).parent, Path(start).name) if recipe["start"] else start)
    if robust:
        found["robust"], about = origin(robust)
        mix, wanted = recipe["mix"], {"run": "released"}
        if mix["of"] != "released":
            wanted = {"run": f"{mix['of']}/seed{mix['seed']}", "data": images}
            wanted |= {key: value for key, value in mix.items() if key not in ("of", "share")}
        same(robust, about, wanted)
    return found


@contextmanager
def failure_recorded(path: Path) -> Iterator[None]:
    """Leave the one line of a failure in `path`, for the plan to show, until training starts again."""
    path.unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        with write_atomic(path) as temporary:
            temporary.write_text(f"{type(error).__name__}: {error}".splitlines()[0] + "\n", encoding="utf-8")
        raise


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        if smk.config["device"] != "cpu":
            lease(per_device=smk.config["jobs_per_gpu"])
        kept = [Path(file).stem for file in smk.output.kept]
        steps = [name for name in kept if name.startswith("step")]
        train(
            completed(smk.params.recipe, "recipe"),
            int(smk.wildcards.seed),
            smk.input.data,
            Path(smk.output.weights).parent,
            device=smk.config["device"],
            threads=smk.config["threads"],
            start=smk.input.get("start"),
            robust=smk.input.get("robust"),
            entry=smk.params.data,
            snapshots=[int(name.removeprefix("step")) for name in steps],
            readouts=[name for name in kept if name not in steps],
        )
