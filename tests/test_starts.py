"""What a small job does not import: each start of Python would pay a second of CPU for it."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

import train
from spatial_adversarial.records.identity import canonical, filled
from spatial_adversarial.records.reading import schema
from spatial_adversarial.records.recipe import Optimiser
from spatial_adversarial.training.optimiser import make_optimiser

ROOT = Path(__file__).parents[1]
DIGITS = {"source": "digits", "classes": 10, "channels": 1, "side": 28, "train": 100, "test": 50}
RECIPE = {
    "data": "digits",
    "model": {"name": "mlp_b"},
    "optimiser": {"name": "adam", "lr": 0.01},
    "batch": 50,
    "epochs": 1,
    "method": {"pgd": {"eps": 0.1, "step": 0.05, "steps": 2}},
}
PGD = {"attack": "pgd", "grid": [0, 0.1], "step": 0.05, "steps": 2}
ONE_AFTER_THE_OTHER = """
import json, sys
from pathlib import Path
import evaluate, train

recipe, profile, data, folder = json.loads(sys.argv[1])
train.train(recipe, 0, data, Path(folder), device="cpu", threads=1)
evaluate.evaluate(Path(folder), data, {f"{folder}/pgd.h5": profile}, device="cpu", threads=1)
heavy = ("torch._dynamo", "torchvision", "sympy", "pandas", "scipy", "matplotlib")
print([name for name in heavy if name in sys.modules])
"""


def test_training_and_evaluation_import_torch_alone(prepared, tmp_path):
    given = (
        canonical(RECIPE, "test"),
        filled(PGD, schema("profile")),
        prepared("digits", DIGITS),
        str(tmp_path),
    )
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT / "workflow_scripts", capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert (tmp_path / "pgd.h5").exists()


OPTIMISERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.1),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_is_torchs_bit_for_bit(name):
    spec = Optimiser(name=name, lr=0.1, momentum=0.9, nesterov=name == "sgd", weight_decay=0.01)
    weights = []
    for ours in (True, False):
        torch.manual_seed(0)
        network = nn.Linear(5, 3)
        groups = [{"params": list(network.parameters()), "weight_decay": 0.01}]
        optimiser = make_optimiser(spec, network) if ours else OPTIMISERS[name](groups)
        optimiser.param_groups[0]["lr"] = 0.1
        for step in range(6):
            if step == 3:  # as a run that goes on from its checkpoint
                optimiser.load_state_dict(optimiser.state_dict())
            optimiser.zero_grad(set_to_none=True)
            network(torch.randn(4, 5)).square().sum().backward()
            optimiser.step()
        assert not any(state.requires_grad for state in optimiser.state[network.weight].values())
        weights.append(network.weight.detach().clone())
    assert torch.equal(*weights)


def test_a_history_is_the_csv_that_pandas_writes(tmp_path):
    rows = [
        {"epoch": 1, "step": 40, "lr": 0.05, "loss": 1.2989733219146729, "validation_accuracy": float("nan")},
        {"epoch": 2, "step": 80, "lr": 1e-05, "loss": 12345678.0, "validation_accuracy": 0.1 + 0.2},
    ]
    train.write_history(tmp_path / "history.csv", rows)
    read = pd.read_csv(tmp_path / "history.csv")
    pd.testing.assert_frame_equal(read, pd.DataFrame(rows))


def test_a_network_that_is_not_trained_has_an_empty_history(tmp_path):
    train.write_history(tmp_path / "history.csv", [])
    pd.DataFrame([]).to_csv(tmp_path / "pandas.csv", index=False)
    assert (tmp_path / "history.csv").read_bytes() == (tmp_path / "pandas.csv").read_bytes()
