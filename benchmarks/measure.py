"""What the benchmarks share: networks and images to measure with, sides timed in turn, tables with provenance."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from spatial_adversarial.catalog import load  # noqa: E402
from spatial_adversarial.runner.files import write_atomic  # noqa: E402
from spatial_adversarial.runner.job import Moment, record  # noqa: E402

PEERS = {"torchattacks": "torchattacks", "foolbox": "foolbox", "art": "adversarial-robustness-toolbox"}
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def networks() -> dict[str, dict]:
    """Every network of the papers at full size, {<data>/<model>: {"data": registry entry, "model": spec}}."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    papers = load(config | {"only_data": None}, ROOT / "figures")
    return {
        name: {"data": papers.registry["data"][network["data"]], "model": network["model"]}
        for name, network in papers.networks().items()
    }


def random_images(entry: dict, count: int, device):
    """An `ImageSet` of noise, uint8, shaped as the registry's data set: how long a pass takes depends on no more."""
    import torch

    from spatial_adversarial.data.images import ImageSet

    generator = torch.Generator(device).manual_seed(0)
    shape = count, entry["channels"], entry["side"], entry["side"]
    images = torch.randint(256, shape, generator=generator, device=device, dtype=torch.uint8)
    labels = torch.randint(entry["classes"], (count,), generator=generator, device=device)
    plain = (0.5,) * entry["channels"]
    return ImageSet(images, labels, entry["classes"], plain, plain)


@dataclass
class Side:
    """One side of a comparison: `work` is timed, `before` (which puts the network into a layout, say) is not."""

    name: str
    work: Callable[[], object]
    layout: str = ""
    before: Callable[[], object] = lambda: None
    after: Callable[[object], object] = lambda result: None  # is given what `work` returns
    seconds: list[float] = field(default_factory=list)

    def run(self, clock: str, device) -> float:
        """Seconds of one run, on a GPU until it has done all of its work."""
        import torch

        wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self.before()
        wait()
        started = CLOCKS[clock]()
        result = self.work()
        wait()
        seconds = CLOCKS[clock]() - started
        self.after(result)
        return seconds


def in_turn(sides: list[Side], rounds: int, device, clock: str = "wall") -> list[dict]:
    """Run all sides in turn, `rounds` times after one to warm up, so that all meet the same disturbances.

    Returns a row for each: side, layout, median, fastest and slowest seconds, rounds.
    """
    for side in sides:
        side.run(clock, device)
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            side.seconds.append(side.run(clock, device))
    return [
        {
            "side": side.name,
            "layout": side.layout,
            "seconds": median(side.seconds),
            "fastest": min(side.seconds),
            "slowest": max(side.seconds),
            "rounds": rounds,
        }
        for side in sides
    ]


def save(path: Path, rows: list[dict], started: Moment, **settings) -> None:
    """Write rows as CSV, and beside it, as JSON, what they were measured with and on."""
    with write_atomic(path) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False, float_format="%.4g")
    peers = {name: version(name) for module, name in PEERS.items() if module in sys.modules}
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    record(path.with_suffix(".json"), started, processor=processor(), load_average=load, **peers, **settings)


def processor() -> str:
    """The name of this machine's CPU and how many cores of it there are."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown'}, {os.cpu_count()} cores"
