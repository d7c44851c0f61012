"""Measure how many multiply-adds a second this machine makes in training and in attacks, for the plan."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from spatial_adversarial.attacks.base import INPUT_GRADIENT
from spatial_adversarial.catalog import of_job
from spatial_adversarial.methods.base import TRAIN_STEP
from spatial_adversarial.planning.plan import sample_recipes
from spatial_adversarial.runner.gpu_leases import lease
from spatial_adversarial.runner.job import job, now, record
from spatial_adversarial.runner.paths import Paths

SECONDS = 75  # for all networks; the start, and the first steps on a GPU, take the rest of two minutes
ATTACK_STEPS = 5


def calibrate(
    recipes: dict[str, dict],
    networks: dict[str, dict],
    data: dict[str, dict],
    output: Path,
    *,
    device: str,
    threads: int,
    expected: dict[str, float],
) -> dict:
    """Write and return {kind: "cpu" or "cuda", rates: {network: {train, evaluate}}, median, ... provenance}.

    recipes: a recipe for each network, <data>/<model>; networks: networks.json; data: the registry's entries;
    expected: multiply-adds a second by kind, by which a batch that would take too long is made smaller. The
    smallest networks come first, and those that the time does not suffice for are left out.
    """
    from spatial_adversarial.runner.device import pick_device

    started, rates = now(), {}
    target = pick_device(device, threads)
    share = SECONDS / (2 * len(recipes))
    for name in sorted(recipes, key=lambda name: networks[name]["multiply_adds"]):
        if time.time() - started.time > SECONDS:
            break
        operations = networks[name]["multiply_adds"]
        largest = max(1, int(expected[target.type] * share / operations / (ATTACK_STEPS * INPUT_GRADIENT)))
        speeds = images_a_second(recipes[name], data[recipes[name]["data"]], target, largest, share)
        passes = {"train": TRAIN_STEP, "evaluate": ATTACK_STEPS * INPUT_GRADIENT}
        rates[name] = {work: speed * passes[work] * operations for work, speed in speeds.items()}
        logging.info("%s: %s", name, rates[name])
    middle = {work: median(rate[work] for rate in rates.values()) for work in ("train", "evaluate")}
    found = {"kind": target.type, "rates": rates, "median": middle}
    record(output, started, **found)
    return found


def images_a_second(recipe: dict, entry: dict, device, largest: int, seconds: float) -> dict[str, float]:
    """Images a second of a training step ("train") and of PGD with ATTACK_STEPS steps, in float32 ("evaluate").

    Batches are the recipe's and the evaluation's, at most `largest`; each is repeated for `seconds`. The training step
    is in the recipe's precision.
    """
    import torch
    from torch.nn import functional

    from spatial_adversarial.attacks.block import BLOCK
    from spatial_adversarial.attacks.gradient_ascent import pgd
    from spatial_adversarial.data.images import ImageSet
    from spatial_adversarial.models.loading import load_network
    from spatial_adversarial.records.recipe import Recipe
    from spatial_adversarial.runner.device import choose_convolutions, halve_when_full
    from spatial_adversarial.training.loop import mixed_precision
    from spatial_adversarial.training.optimiser import make_optimiser

    generator = torch.Generator(device).manual_seed(0)
    shape = entry["channels"], entry["side"], entry["side"]
    x = torch.rand(max(recipe["batch"], BLOCK), *shape, generator=generator, device=device)
    y = torch.randint(entry["classes"], (len(x),), generator=generator, device=device)
    plain = (0.5,) * entry["channels"]
    network = load_network(recipe["model"], ImageSet(x, y, entry["classes"], plain, plain), seed=0).to(device)
    trained = Recipe.of(recipe)
    optimiser = make_optimiser(trained.optimiser, network)
    wait = torch.cuda.synchronize if x.is_cuda else lambda: None

    def train(batch: int) -> None:
        optimiser.zero_grad(set_to_none=True)
        with mixed_precision(trained, device):
            loss = functional.cross_entropy(network(x[:batch]), y[:batch])
        loss.backward()
        optimiser.step()

    def attack(batch: int) -> None:
        settings = {"eps": 0.1, "step": 0.01, "steps": ATTACK_STEPS, "random_start": False, "generator": None}
        pgd(network, x[:batch], y[:batch], **settings)

    def speed(work: Callable[[int], None], batch: int) -> float:
        work(batch)  # the first time takes longer
        return batch / seconds_each(lambda: work(batch), seconds, wait)

    def rate(name: str, work: Callable[[int], None], batch: int) -> float:
        choose_convolutions(repeatable=name == "evaluate")
        return halve_when_full(lambda batch: speed(work, batch), batch)

    batches = {"train": (train, min(recipe["batch"], largest)), "evaluate": (attack, min(BLOCK, largest))}
    return {name: rate(name, *pair) for name, pair in batches.items()}


def seconds_each(step: Callable[[], None], seconds: float, wait: Callable[[], None]) -> float:
    """The mean time of a step, repeated for `seconds`; `wait` returns when the device has done its work.

    Steps follow one another without waiting, as they do in training and attacks.
    """
    wait()
    count, begin = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - begin < seconds:
        step()
        count += 1
    wait()
    return (time.perf_counter() - begin) / count


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        if smk.params.device != "cpu":
            lease()  # alone on the GPU
        catalog = of_job(smk)
        found = calibrate(
            sample_recipes(catalog),
            json.loads(Path(smk.input.networks).read_text(encoding="utf-8")),
            catalog.registry["data"],
            Path(Paths.of(smk.config).calibration),
            device=smk.params.device,
            threads=smk.params.threads,
            expected=catalog.config["rates"],
        )
        print(f"Multiply-adds a second on {found['kind']}, median of networks: {found['median']}", flush=True)
