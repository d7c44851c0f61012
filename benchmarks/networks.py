"""Peak memory and images a second of a training step of every network that the papers train.

    python benchmarks/networks.py --device cpu --batch 4

prints the table and writes <output>/<device>.csv, with its provenance beside it. Each row is measured in a process
of its own: natural training and adversarial training with PGD-10, on random images of the data set's shape.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from measure import ROOT, networks, random_images, save

from spatial_adversarial.runner.job import now

METHODS = {"natural": {}, "PGD-10": {"pgd": {"eps": 8 / 255, "step": 2 / 255, "steps": 10}}}
SETTINGS = ("device", "threads", "batch", "steps", "precision")


def different() -> dict[str, dict]:
    """The papers' networks, each once for images of one size."""
    found = {}
    for name, network in networks().items():
        found.setdefault(json.dumps([network["model"], network["data"]["side"]]), (name, network))
    return dict(found.values())


def measure(network: dict, spec: dict, settings: dict) -> dict:
    """{parameters, peak_mib, images_per_second} of a training step, in this process, after one to warm up."""
    import torch

    from spatial_adversarial import methods
    from spatial_adversarial.models.loading import load_network
    from spatial_adversarial.records.recipe import Optimiser
    from spatial_adversarial.runner.device import pick_device
    from spatial_adversarial.training.optimiser import make_optimiser
    from spatial_adversarial.transforms.pixels import to_float

    device = pick_device(settings["device"], settings["threads"])
    before = _peak(device)
    generator = torch.Generator(device).manual_seed(0)
    images = random_images(network["data"], settings["batch"], device)
    x, y = to_float(images.images), images.labels
    model = load_network(network["model"], images, seed=0).to(device)
    sgd = Optimiser(name="sgd", lr=0.1, momentum=0.9)
    optimiser, method = make_optimiser(sgd, model.train()), methods.make(spec)
    mixed = torch.autocast(
        device.type, torch.bfloat16, settings["precision"] == "bfloat16", cache_enabled=False
    )

    def step() -> None:
        with mixed:
            criterion = torch.nn.functional.cross_entropy
            adversarial = method.attack(model, x, y, methods.Context(generator))
            loss, _ = method.loss(model, x, adversarial, y, criterion=criterion)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    step()
    started = time.perf_counter()
    for _ in range(settings["steps"]):
        step()
    seconds = time.perf_counter() - started
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "peak_mib": round((_peak(device) - before) / 2**20),
        "images_per_second": settings["steps"] * settings["batch"] / seconds,
    }


def _peak(device) -> int:
    """Bytes that this process has had at most: of its GPU's memory, or resident."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=1, help="steps that are timed, after one to warm up")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/reference/networks")
    parser.add_argument("--only", help="part of a network's name, such as cifar10/vgg16")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # what a process of its own measures, as JSON
    chosen = parser.parse_args()
    settings = {key: getattr(chosen, key) for key in SETTINGS}
    if chosen.one:
        print(json.dumps(measure(**json.loads(chosen.one), settings=settings)))
        return
    started, rows = now(), []
    for network, described in different().items():
        for name, spec in METHODS.items():
            if (chosen.only or "") not in network:
                continue
            one = json.dumps({"network": described, "spec": spec})
            command = [sys.executable, __file__, *sys.argv[1:], "--one", one]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append({"network": network, "training": name, "batch": chosen.batch} | found)
            print(
                "{network:26} {training:8} {peak_mib:7} MiB {images_per_second:9.1f} images/s".format(
                    **rows[-1]
                )
            )
    save(
        chosen.output / f"{chosen.device}-{chosen.precision}.csv",
        rows,
        started,
        torch=version("torch"),
        **settings,
    )


if __name__ == "__main__":
    main()
