"""The benchmarks measure what they say: sides in turn, equal attacks, ratios of medians."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

ROOT = Path(__file__).parents[1]
SIDES = {"ours": (2, 1), "floor": (1, 1), "torchattacks": (4, 3), "foolbox": (5, 6)}


@pytest.fixture
def benchmarks(monkeypatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def test_sides_run_in_turn_after_one_to_warm_up(benchmarks):
    from measure import Side, in_turn

    said = []
    sides = [Side(name, lambda name=name: said.append(name)) for name in "ab"]
    rows = in_turn(sides, 3, torch.device("cpu"))
    assert "".join(said) == "ab" + "ab" + "ba" + "ab"
    assert [row["side"] for row in rows] == ["a", "b"]
    assert all(0 <= row["fastest"] <= row["seconds"] <= row["slowest"] and row["rounds"] == 3 for row in rows)


def test_ratios_are_of_the_best_layouts_and_of_ours(benchmarks):
    import speed

    rows = [
        {"network": "a", "task": "PGD-10", "images": 7, "side": side, "layout": layout, "seconds": seconds}
        for side, both in SIDES.items()
        for layout, seconds in zip(speed.LAYOUTS, both, strict=True)
    ]
    line = speed.table(pd.DataFrame(rows)).iloc[0]
    assert line["ours / floor"] == "1.00 (1.00)"
    assert line["torchattacks / ours"] == "3.00 (3.00)"
    assert line["foolbox / ours"] == "5.00 (6.00)"


def test_foolbox_attacks_in_the_same_ball(benchmarks):
    from peers import foolbox_pgd
    from speed import Bench

    torch.set_num_threads(1)
    bench = Bench("StdCNN", torch.device("cpu"), 6)
    x = bench.images.images / 255
    y = bench.network(x).argmax(1)
    moved = foolbox_pgd(bench.network, bench.images, 0.1, 0.05, 4)(x, y)
    assert (moved - x).abs().max() == pytest.approx(0.1, abs=1e-5)
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_the_command_writes_a_row_for_each_side_and_layout(tmp_path):
    command = [
        sys.executable,
        ROOT / "benchmarks/speed.py",
        "--networks",
        "StdCNN",
        "--tasks",
        "natural epoch",
    ]
    command += ["--batch", "2", "--rounds", "1", "--threads", "1", "--output", tmp_path]
    said = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    rows = pd.read_csv(tmp_path / "cpu_StdCNN.csv")
    assert len(rows) == 6 and set(rows["side"]) == {"ours", "loop", "floor"}
    assert "| StdCNN | natural epoch | 2 |" in said and (tmp_path / "cpu_StdCNN.json").exists()


@pytest.mark.slow
def test_each_stage_for_a_gpu_plans_what_it_says_on_a_machine_without_one():
    said = subprocess.run(
        ["bash", str(ROOT / "benchmarks/gpu_stages.sh"), "--dry-run"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert [line[3:] for line in said.stdout.splitlines() if line.startswith("== ")] == [
        "tests",
        "speed",
        "calibrate",
        "cifar",
        "mnist",
        "lenet",
    ]
    trained = [int(line.split()[-1]) for line in said.stdout.splitlines() if line.startswith("train ")]
    cifar, _, lenet = dict.fromkeys(
        zip(trained[::2], trained[1::2], strict=True)
    )  # told before the list and after
    assert cifar == (7, 7) and lenet == (5, 5), "the families of invariance fig2 and fig5"
    unknown = ["bash", str(ROOT / "benchmarks/gpu_stages.sh"), "--dry-run", "other"]
    assert subprocess.run(unknown, capture_output=True).returncode == 2


def test_a_runs_time_is_summed_by_rule(benchmarks, tmp_path):
    from by_rule import by_rule

    for name, seconds, cpu in (("train/a/seed0", 5, 4), ("train/b/seed0", 3, 2), ("claims", 0.4, "NA")):
        file = tmp_path / f"benchmarks/{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\th:m:s\tcpu_time\n{seconds}\t0:00:05\t{cpu}\n")
    found = by_rule(tmp_path)
    assert found.loc["train"].tolist() == [2, 8, 6, 2]
    assert found.loc["claims"].tolist() == [1, 0.4, 0, 0]
    assert found.loc["all"].tolist() == [3, 8.4, 6, 0]
    with pytest.raises(SystemExit, match="no job"):
        by_rule(tmp_path / "train")
