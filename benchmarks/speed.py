"""The attack and the training loop against other libraries, first-thought loops and bare passes of the network.

    python benchmarks/speed.py --device cpu

prints ratios of medians and writes <output>/<device>_<network>.csv, a row for each side, with its provenance beside
it. The sides of a comparison run in turn on the same network and images, on one kind of memory layout after the other.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from measure import ROOT, Side, in_turn, networks, random_images, save
from peers import PGD, epoch, loader, rotation_profile, torchattacks_pgd
from torch import Tensor
from torch.nn import functional

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.gradient_ascent import input_gradient, pgd
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.evaluation.profiles import evaluate
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.runner.device import pick_device
from spatial_adversarial.runner.job import now
from spatial_adversarial.training.loop import Trainer
from spatial_adversarial.training.optimiser import make_optimiser
from spatial_adversarial.transforms.pixels import to_float

LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
OURS = "channels last"  # what load_network gives
# name in the catalog; eps, which fools some of the images, so that a weaker attack would show; on a CPU, images at
# once and batches an epoch
NETWORKS = {
    "StdCNN": ("mnist/stdcnn", 0.05, 50, 20),
    "GCNN": ("mnist/gcnn", 0.5, 50, 4),
    "VGG16": ("cifar10/vgg16", 0.002, 4, 2),
    "ResNet18": ("cifar10/resnet18", 0.0005, 4, 2),
}
ON_GPU = 500, 100
TASKS = ("PGD-10", "PGD-40", "rotation profile", "natural epoch", "PGD-10 epoch")
DEGREES = [0.0, 60.0, 120.0, 180.0]
SGD = {"name": "sgd", "lr": 0.001, "momentum": 0.9}


class Bench:
    """One network and its images, on which sides are timed."""

    def __init__(self, name: str, device: torch.device, batch: int | None):
        key, self.eps, *on_cpu = NETWORKS[name]
        self.entry = networks()[key]
        self.name, self.device = name, device
        images, self.batches = on_cpu if device.type == "cpu" else ON_GPU
        self.batch = batch or images
        self.images = random_images(self.entry["data"], self.batch, device)
        self.network = load_network(self.entry["model"], self.images, seed=0).to(device)
        self.settle()
        self.generator = torch.Generator(device).manual_seed(0)

    @torch.no_grad()
    def settle(self) -> None:
        """Give batch norms the statistics of some images: an untrained VGG16's logits hardly move without them."""
        for module in self.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # of the next pass, all of it
        self.network.train()(to_float(random_images(self.entry["data"], 16, self.device).images))
        self.network.eval()

    def sides(self, works: dict[str, Callable], after: Callable = lambda side, result: None) -> list[Side]:
        """Each work in each layout: the network is brought into it before the time starts."""
        return [
            Side(
                name,
                work,
                layout,
                before=lambda layout=layout: self.network.eval().to(memory_format=LAYOUTS[layout]),
                after=lambda result, side=(name, layout): after(side, result),
            )
            for name, work in works.items()
            for layout in LAYOUTS
        ]

    def attack(self, steps: int) -> tuple[list[Side], dict]:
        """PGD on one batch, the predictions attacked; the floor is as many passes forward and backward."""
        x = to_float(self.images.images)
        with torch.no_grad():
            y = self.network(x).argmax(1)
        ball = {"eps": self.eps, "step": self.eps / 4, "steps": steps}
        works = {"ours": lambda: pgd(self.network, x, y, **ball, generator=self.generator)}
        for peer, make in PGD.items():
            attack = make(self.network, self.images, **ball)
            works[peer] = lambda attack=attack: attack(x, y)
        works["floor"] = lambda: self.passes(x, y, steps)
        fooled: dict[tuple, list[float]] = {}

        @torch.no_grad()
        def count(side: tuple[str, str], adversarial: Tensor | None) -> None:
            if adversarial is not None:
                share = (self.network.eval()(adversarial).argmax(1) != y).double().mean().item()
                fooled.setdefault(side, []).append(share)

        return self.sides(works, count), fooled

    def passes(self, x: Tensor, y: Tensor, steps: int) -> None:
        """Forward, and backward to the input, of frozen parameters."""
        with attack_mode(self.network):
            for _ in range(steps):
                input_gradient(self.network, x, y)

    def rotation(self) -> tuple[list[Side], dict]:
        """The rotation profile of `batch` images; the floor predicts as many batches, not transformed."""
        profile = ProfileSettings.of({"transform": "rotate", "grid": DEGREES})
        images = self.images.images
        works = {
            "ours": lambda: evaluate(self.network, self.images, profile, tell=lambda line: None),
            "loop": lambda: rotation_profile(self.network, images, DEGREES, 1),
            "loop, batches": lambda: rotation_profile(self.network, images, DEGREES, self.batch),
            "floor": lambda: self.predict(to_float(images), 1 + len(DEGREES)),  # the clean ones too
        }
        return self.sides(works), {}

    @torch.no_grad()
    def predict(self, x: Tensor, times: int) -> None:
        for _ in range(times):
            self.network.eval()(x).argmax(1)

    def training(self, steps: int, folder: Path) -> tuple[list[Side], dict]:
        """An epoch with random rotations, PGD where `steps` is above 0; the floor passes as often."""
        train = random_images(self.entry["data"], self.batches * self.batch, self.device)
        ball = {"eps": self.eps, "step": self.eps / 4, "steps": steps}
        recipe = canonical(
            {
                "data": "noise",
                "model": self.entry["model"],
                "optimiser": SGD,
                "batch": self.batch,
                "split": {"validation": 0},
                "epochs": 10**6,
                "augment": {"rotate": 60},
                "method": {"pgd": ball} if steps else {},
            },
            "benchmark",
        )
        nothing = ImageSet(train.images[:0], train.labels[:0], train.classes, train.mean, train.std)
        trainer = Trainer(recipe, seed=0, network=self.network, train=train, validation=nothing)
        optimiser = make_optimiser(trainer.recipe.optimiser, self.network)
        batches = loader(train, self.batch, degrees=60)
        attack = torchattacks_pgd(self.network, train, **ball) if steps else None
        works = {
            # not `run`, which saves the state: that is little in an epoch of full length, and most of these
            "ours": lambda: trainer._keep(*trainer._epoch(folder / "resume.pt")),
            "loop": lambda: epoch(self.network, optimiser, batches, attack),
            "floor": lambda: self.steps(train, optimiser, steps),
        }
        return self.sides(works), {}

    def steps(self, train: ImageSet, optimiser: torch.optim.Optimizer, attack_steps: int) -> None:
        """An epoch's passes and steps on images that lie ready."""
        batches = zip(to_float(train.images).split(self.batch), train.labels.split(self.batch), strict=True)
        self.network.train()
        for x, y in batches:
            self.passes(x, y, attack_steps)
            optimiser.zero_grad(set_to_none=True)
            functional.cross_entropy(self.network(x), y).backward()
            optimiser.step()

    def comparison(self, task: str, folder: Path) -> tuple[list[Side], dict]:
        """The sides of one of TASKS, and where fooling rates are gathered."""
        if task == "rotation profile":
            return self.rotation()
        steps = int(task.split()[0].removeprefix("PGD-").replace("natural", "0"))
        return self.training(steps, folder) if "epoch" in task else self.attack(steps)


def rows(name: str, task: str, measured: list[dict], fooled: dict, batch: int) -> list[dict]:
    """The CSV's rows: what was timed and, of attacks, the mean fooling rate and the error of one run's sampling."""
    made = []
    for row in measured:
        if found := fooled.get((row["side"], row["layout"])):
            rate = sum(found) / len(found)
            row |= {"fooling_rate": rate, "error": (rate * (1 - rate) / batch) ** 0.5}
        made.append({"network": name, "task": task, "images": batch} | row)
    return made


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Ratios of medians: ours over the floor, then each other side over ours.

    Both are in the layout that is best for each and, in brackets, both in ours. Fooling rates, of attacks, are the
    least and the greatest of any side, with the error that one run's sampling of images has.
    """
    lines = []
    for (name, task), group in frame.groupby(["network", "task"], sort=False):
        best = group.groupby("side")["seconds"].min()
        same = group[group["layout"] == OURS].set_index("side")["seconds"]

        def ratio(a: str, b: str, best: pd.Series = best, same: pd.Series = same) -> str:
            return f"{best[a] / best[b]:.2f} ({same[a] / same[b]:.2f})" if a in best else ""

        line = {"network": name, "task": task, "images": group["images"].iloc[0]}
        line |= {"ours, s": f"{best['ours']:.3g}", "ours / floor": ratio("ours", "floor")}
        line |= {f"{side} / ours": ratio(side, "ours") for side in (*PGD, "loop", "loop, batches")}
        attacked = group.get("fooling_rate", pd.Series()).dropna()
        if len(attacked):
            line["fooling rates"] = (
                f"{attacked.min():.2f} to {attacked.max():.2f} ±{group['error'].max():.2f}"
            )
        lines.append(line)
    made = pd.DataFrame(lines).fillna("")
    return made.loc[:, (made != "").any()]


def markdown(frame: pd.DataFrame) -> str:
    """A frame as a table of Markdown."""
    lines = [list(frame.columns), ["---"] * len(frame.columns), *frame.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each side, after one to warm up")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu: on a CPU that others use too"
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--batch", type=int, help="images at once, if not each network's own")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/reference/speed")
    chosen = parser.parse_args()
    found = []
    device = pick_device(chosen.device, chosen.threads)
    settings = {key: getattr(chosen, key) for key in ("device", "threads", "rounds", "clock")}
    for name in chosen.networks:
        started, bench, part = now(), Bench(name, device, chosen.batch), []
        with tempfile.TemporaryDirectory() as folder:
            for task in chosen.tasks:
                sides, fooled = bench.comparison(task, Path(folder))
                measured = in_turn(sides, chosen.rounds, device, chosen.clock)
                part += rows(name, task, measured, fooled, bench.batch)
                print(table(pd.DataFrame(part)).to_string(index=False), flush=True)
        found += part
        save(chosen.output / f"{chosen.device}_{name}.csv", part, started, **settings)
    print(markdown(table(pd.DataFrame(found))))


if __name__ == "__main__":
    main()
