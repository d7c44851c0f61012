"""What `survivors_of` saves: attacks at three eps on all images, and on those that withstood the smaller eps.

    python benchmarks/survivors.py results/demo/runs/digits_colour/resnet18/<run>/seed0 --data data/digits_colour.h5

prints accuracies, passes and seconds of both and writes <output>/survivors_<device>_<run>.csv, with its provenance
beside it.
"""

import argparse
from pathlib import Path

import pandas as pd
import torch
from measure import CLOCKS, ROOT, save
from speed import markdown

from spatial_adversarial.data.images import ImageSet, load
from spatial_adversarial.evaluation.profiles import evaluate
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.runner.device import pick_device
from spatial_adversarial.runner.job import now
from spatial_adversarial.runner.run_folder import read_run

EPS = (8, 12, 16)  # of 255
LABELS = {"autoattack": "AutoAttack", "gama": "GAMA", "square": "Square"}


class Attack:
    """An attack on a network's images, with the budget that was asked for."""

    def __init__(self, name: str, network: torch.nn.Module, images: ImageSet, budget: dict, clock: str):
        self.settings = {"attack": name} | budget
        self.network, self.images, self.clock = network, images, CLOCKS[clock]
        self.passes = 0  # of one image, forward
        network.register_forward_hook(self._count)

    def _count(self, module: torch.nn.Module, inputs: tuple, logits: torch.Tensor) -> None:
        self.passes += len(logits)

    def run(self, eps: int, before: Evaluation | None = None) -> tuple[Evaluation, dict]:
        """(the evaluation at eps/255, its passes and seconds), of all images or of what withstood the one `before`."""
        settings = self.settings | {"grid": [eps / 255]}
        if before is not None:
            named = {"profile": "before", "grid": before.x.tolist(), "images": None, "survivors_of": None}
            settings |= {"survivors_of": named}
        started, self.passes = self.clock(), 0
        found = evaluate(
            self.network, self.images, ProfileSettings.of(settings), tell=lambda line: None, smaller=before
        )
        if self.images.images.is_cuda:
            torch.cuda.synchronize()
        return found, {"passes": self.passes, "seconds": self.clock() - started}

    def rows(self) -> list[dict]:
        """A row for each eps and way: each eps attacks all images, or the survivors of the eps before it."""
        made, before = [], None
        for eps in EPS:
            ways = {"all": self.run(eps)}
            ways["survivors"] = ways["all"] if before is None else self.run(eps, before)
            for way, (found, cost) in ways.items():
                prior = before.prediction if way == "survivors" and before is not None else found.clean
                row = {"attack": self.settings["attack"], "eps_255": eps, "way": way}
                row |= {"images": len(found.label), "attacked": int((prior == found.label).sum())}
                made.append(row | {"accuracy": (found.prediction == found.label).mean()} | cost)
            before = ways["survivors"][0]
        return made


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """A line for each attack and eps, all images beside survivors; the first eps is the same for both."""
    lines = []
    for (name, attack, eps), group in frame.groupby(["network", "attack", "eps_255"], sort=False):
        ways = group.set_index("way")
        cells = {}
        for title, key, form in (("attacked", "attacked", "{:d}"), ("accuracy, %", "accuracy", "{:.1%}")):
            values = [form.format(ways.loc[way, key]).rstrip("%") for way in ("all", "survivors")]
            cells[f"{title}: all, survivors"] = ", ".join(values)
        for cost, form in (("passes", "{:,.0f}"), ("seconds", "{:.2f}")):
            first, second = (ways.loc[way, cost] for way in ("all", "survivors"))
            cells[f"{cost}: all; survivors"] = f"{form.format(first)}; {form.format(second)}"
            cells[f"{cost} saved"] = f"{1 - second / first:.1%}" if eps > EPS[0] else ""
        lines.append({"network": name, "attack": LABELS[attack], "eps": f"{eps}/255"} | cells)
    return pd.DataFrame(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs, all on one data set")
    parser.add_argument("--data", required=True, help="the prepared data set")
    parser.add_argument("--images", type=int, default=100, help="of the first test images")
    parser.add_argument("--attacks", nargs="+", choices=LABELS, default=list(LABELS))
    parser.add_argument("--steps", type=int, default=100, help="of APGD, FAB and GAMA")
    parser.add_argument("--targets", type=int, default=9, help="of AutoAttack")
    parser.add_argument("--queries", type=int, default=5000, help="of Square, alone and in AutoAttack")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: on a CPU that others use too")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/reference/speed")
    asked = parser.parse_args()
    device = pick_device(asked.device, asked.threads, repeatable=True)
    images, found = load(asked.data, "test", limit=asked.images, device=device), []
    budgets = {"gama": {"steps": asked.steps}, "square": {"queries": asked.queries}}
    budgets["autoattack"] = {"targets": asked.targets} | budgets["gama"] | budgets["square"]
    for run in asked.runs:
        started, told = now(), read_run(run)
        model = told["recipe"]["model"]
        network = load_network(model, images, seed=0, weights=run / "weights.pt").to(device)
        part = [
            {"network": told["run"]} | row
            for name in asked.attacks
            for row in Attack(name, network, images, budgets[name], asked.clock).rows()
        ]
        print(table(pd.DataFrame(part)).to_string(index=False), flush=True)
        settings = {key: getattr(asked, key) for key in ("steps", "targets", "queries", "threads", "clock")}
        file = f"survivors_{asked.device}_{'_'.join(told['run'].split('/')[:3])}.csv"
        save(asked.output / file, part, started, **settings)
        found += part
    print(markdown(table(pd.DataFrame(found))))


if __name__ == "__main__":
    main()
