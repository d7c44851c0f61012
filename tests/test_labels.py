"""The label that an attack climbs: both predictions against attacks written down apart, and which rows are drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial import panels
from spatial_adversarial.catalog import load
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.evaluation import profiles
from spatial_adversarial.evaluation.profiles import evaluate
from spatial_adversarial.judging import Numbers, judge_panel
from spatial_adversarial.metrics import METRICS, outcomes
from spatial_adversarial.models.network import DatasetNormalise, Network
from spatial_adversarial.planning.costs import profile_passes
from spatial_adversarial.records.climbed_label import climbed, of_label
from spatial_adversarial.records.identity import filled
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.reading import schema
from spatial_adversarial.reporting import captions
from spatial_adversarial.results.aggregate import Aggregator
from spatial_adversarial.results.store import read_evaluation, read_rows, write_evaluation
from spatial_adversarial.runner.seeds import derive

ROOT = Path(__file__).parents[1]
CLASSES, SIDE, IMAGES, BLOCK = 5, 6, 90, 40
PGD = {"attack": "pgd", "grid": [0, 0.03, 0.1], "step": 0.02, "steps": 5}
SPACES = pytest.mark.parametrize("space", ["pixel", "normalized"])
# of the code before PGD had its version
RELEASED = {
    "rotation-17e55a",
    "rotation_180-e2be41",
    "translation-d55b25",
    "rotation_translation-60fbac",
    "deepfool-43bd19",
    "deepfool-normalized-4e68d4",
    "deepfool_rotated-19848d",
    "deepfool_rotated-normalized-0435b4",
    "kl_8-eeaf83",
    "grid135-4b36cb",
    "grid775-f71d9c",
    "rot10-a8e437",
    "rot30-a839f9",
    "gama_8-a141c9",
    "gama_12-66d5d8",
    "gama_16-ac3911",
    "autoattack_8-33631c",
    "autoattack_12-b310fb",
    "autoattack_16-db8ca3",
    "square_8-b9c6b6",
    "square_12-d7f904",
    "square_16-eba1a5",
}
OLD_PGD = {"pgd-5cbb8e", "pgd-d42b05", "pgd-normalized-9b6701", "growing-fdc6c9", "l2-8eae51", "pgd_8-f2fe2b"}


def profile(**settings) -> dict:
    return filled(settings, schema("profile"))


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 32), nn.Tanh())
    made = Network(DatasetNormalise([0.5], [0.5]), nn.Identity(), body, nn.Linear(32, CLASSES), group="z2")
    return made.requires_grad_(False).eval()


@pytest.fixture(scope="module")
def images(network) -> ImageSet:
    """Images of which every third is labelled as another class than the network's: those are wrong when clean."""
    pixels = torch.rand(IMAGES, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    labels = network(pixels).argmax(1)
    labels[::3] = (labels[::3] + 1 + torch.arange(len(labels[::3])) % (CLASSES - 1)) % CLASSES
    return ImageSet(pixels, labels, CLASSES, (0.5,), (0.5,))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(profiles, "BLOCK", BLOCK)


def quietly(network, images, **settings):
    return evaluate(network, images, ProfileSettings.of(profile(**(PGD | settings))), tell=lambda line: None)


def by_hand(network, images, eps: float, climbed: Tensor, space: str, *again: int, steps=5) -> Tensor:
    """Predictions after PGD on one label of every image, each image alone, from the evaluation's random starts."""
    model = network.body if space == "normalized" else network
    low, high = (-1, 1) if space == "normalized" else (0, 1)
    starts = []
    for k, n in enumerate((40, 40, 10)):
        generator = torch.Generator().manual_seed(derive(0, "pgd", eps, 0, k, *again))
        starts.append(torch.rand(n, 1, SIDE, SIDE, generator=generator))
    found = []
    for pixels, y, u in zip(images.images, climbed, torch.cat(starts), strict=True):
        x = (pixels - 0.5) / 0.5 if space == "normalized" else pixels
        moved = (x + eps * (2 * u - 1)).clamp(low, high)
        for _ in range(steps):
            leaf = moved.clone().requires_grad_()
            functional.cross_entropy(model(leaf[None]), y[None]).backward()
            moved = moved + PGD["step"] * leaf.grad.sign()
            moved = torch.minimum(torch.maximum(moved, x - eps), x + eps).clamp(low, high)
        found.append(model(moved[None]).argmax())
    return torch.stack(found)


# Both attacks


@SPACES
def test_both_predictions_are_those_of_attacks_made_apart_on_each_label(network, images, space):
    found = quietly(network, images, space=space)
    clean = torch.from_numpy(found.clean)
    if space == "pixel":
        assert ((clean != images.labels).numpy() == (np.arange(IMAGES) % 3 == 0)).all()
    for point, eps in enumerate(PGD["grid"][1:], start=1):
        true = by_hand(network, images, eps, images.labels, space)
        predicted = by_hand(network, images, eps, clean, space)
        assert found.prediction[point, 0].tolist() == true.tolist()
        assert found.prediction_predicted[point, 0].tolist() == predicted.tolist()
        assert true.tolist() != predicted.tolist()
    assert (
        found.clean.tolist() == found.prediction[0, 0].tolist() == found.prediction_predicted[0, 0].tolist()
    )


def test_on_right_images_both_are_one_and_errors_are_rewarded_by_the_true_label(network, images):
    found = quietly(network, images)
    right = found.clean == found.label
    assert (found.prediction == found.prediction_predicted)[..., right].all()
    kept = {label: outcomes(found, "one_minus_fooling_rate", label) for label in ("true", "predicted")}
    assert kept["true"][1, ~right].mean() > kept["predicted"][1, ~right].mean() + 0.2


@SPACES
def test_over_restarts_one_start_suffices(network, images, space):
    """One short step, so that much hangs on the start."""
    eps = 0.1
    found = quietly(network, images, grid=[eps], restarts=3, space=space, steps=1)
    clean = torch.from_numpy(found.clean)
    for label, climbs in (("true", images.labels), ("predicted", clean)):
        starts = [by_hand(network, images, eps, climbs, space, *k, steps=1) for k in ((), (1,), (2,))]
        fooled = torch.stack([predictions != climbs for predictions in starts])
        taken = found.prediction if label == "true" else found.prediction_predicted
        assert (taken[0, 0] != climbs.numpy()).tolist() == fooled.any(0).tolist()
        assert fooled.any(0).sum() > fooled[0].sum()  # the restarts do find more


def test_a_constant_predictor_keeps_every_prediction_and_is_as_robust_as_its_class_is_common(images):
    body = nn.Linear(SIDE**2, CLASSES)
    nn.init.zeros_(body.weight)
    with torch.no_grad():
        body.bias.copy_(functional.one_hot(torch.tensor(2), CLASSES))
    constant = Network(nn.Identity(), nn.Flatten(), nn.Identity(), body, group="z2").eval()
    found = quietly(constant, images)
    share = (images.labels == 2).double().mean().item()
    for label in ("true", "predicted"):
        assert (outcomes(found, "one_minus_fooling_rate", label) == 1).all()
    assert outcomes(found, "robust_accuracy").mean(axis=1) == pytest.approx([share] * 3)
    assert not found.zero_gradient[0].any() and found.zero_gradient[1:].all()


def test_kept_blocks_are_not_made_again(network, images):
    blocks: dict[str, np.ndarray] = {}

    def kept(name, make):
        if len(blocks) == 4 and name not in blocks:
            raise InterruptedError
        return blocks.setdefault(name, make())

    def resumed(name, make):
        return blocks[name] if name in blocks else make()

    settings = ProfileSettings.of(profile(**PGD, restarts=2))
    with pytest.raises(InterruptedError):
        evaluate(network, images, settings, tell=lambda line: None, kept=kept)
    assert len(blocks) == 4
    again = evaluate(network, images, settings, tell=lambda line: None, kept=resumed)
    whole = evaluate(network, images, settings, tell=lambda line: None)
    for name in ("prediction", "prediction_predicted", "zero_gradient"):
        assert np.array_equal(getattr(again, name), getattr(whole, name))


def test_the_file_has_a_dataset_more_and_comes_back(network, images, tmp_path):
    found = quietly(network, images)
    write_evaluation(tmp_path / "e.h5", found, x_unit="eps", profile={}, made_of={})
    back = read_evaluation(tmp_path / "e.h5")
    for name in ("prediction", "prediction_predicted", "zero_gradient"):
        assert np.array_equal(getattr(back, name), getattr(found, name))
    with pytest.raises(ValueError, match="no attack on the predicted label"):
        outcomes(replace(back, prediction_predicted=None), "one_minus_fooling_rate", "predicted")


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({"attack": "pgd", "step": 0.1, "steps": 1}, [("predicted", "true"), ("true",), ("",)]),
        ({"attack": "pgd", "step": 0.1, "steps": 1, "loss": "kl"}, [("",), ("",), ("",)]),
        ({"attack": "pgd", "step": 0.1, "steps": 1, "loss": "predicted_at_start"}, [("",), ("",), ("",)]),
        ({"attack": "gama", "steps": 1}, [("true",), ("true",), ("",)]),
        ({"attack": "deepfool"}, [("",), ("",), ("",)]),
        ({"transform": "rotate"}, [("",), ("",), ("",)]),
    ],
    ids=str,
)
def test_which_labels_a_profile_climbs(settings, labels):
    metrics = ("one_minus_fooling_rate", "robust_accuracy", "natural_accuracy")
    assert [climbed(settings, METRICS[metric].climbs) for metric in metrics] == labels


# Identities and costs


def test_only_profiles_of_pgd_have_new_ids(full_config):
    as_released = {name: {"first": "rotation"} for name in ("rot10", "rot30", "grid135", "grid775")}
    catalog = load(full_config | {"overrides": {"profiles": as_released}}, ROOT / "figures")
    files = {file for used in catalog.profiles.values() for file in used}
    assert files >= RELEASED
    assert not files & OLD_PGD
    for file, settings in ((f, s) for used in catalog.profiles.values() for f, s in used.items()):
        labelled = settings.get("attack") == "pgd" and settings["loss"] == "cross_entropy"
        assert settings["version"] == (2 if labelled else 1), file


def test_the_second_attack_is_counted_as_a_quarter_of_the_first():
    once = profile(**PGD, loss="kl", restarts=2)
    assert profile_passes(once, 1000, 10) == 1000 * (1 + 2 * 2 * (5 * 2 + 1))
    twice = profile(**PGD, restarts=2)
    assert profile_passes(twice, 1000, 10) == 1000 * (1 + 1.25 * 2 * 2 * (5 * 2 + 1))


# Rows, curves and verdicts


@pytest.fixture
def rows(full_config, tmp_path) -> tuple:
    """(target, rows, replicates, catalog) of tradeoff fig1 (a, b) with hand-made evaluations.

    Under attack the true label keeps four fifths of the predictions, the predicted one three tenths.
    """
    budget = {"members": {"rotate": [0, 180]}}
    config = full_config | {"papers": ["tradeoff"], "budget": budget, "only_data": ["cifar10"]}
    catalog = load(config, ROOT / "figures")
    target = catalog.targets["tradeoff", "fig1"]
    target = replace(target, panels=target.panels[:2])
    label = np.zeros(100, int)
    clean = (np.arange(100) >= 80).astype(int)

    def read(path, profile, seed):
        grid = np.array(profile.settings["grid"])
        kept, twice = (
            [np.where(np.arange(100) % 10 < (share if x else 10), clean, 2) for x in grid] for share in (8, 3)
        )
        zero = np.zeros((len(grid), 1, 100), bool)
        zero[1:, 0, :7] = True
        made = profiles.Evaluation(label, clean, grid, np.array(kept)[:, None])
        return replace(made, prediction_predicted=np.array(twice)[:, None], zero_gradient=zero)

    bootstrap = {"replicates": 40, "level": 0.95, "seed": 0}
    made = Aggregator(
        target,
        seeds=lambda run: [0],
        bootstrap=bootstrap,
        status=lambda *run: "run",
        evaluation=lambda *key: key,
        classes={"cifar10": 10},
    )
    made.inputs.evaluation = read
    table, replicates, *_ = made.table({})
    return target, table, replicates, catalog


def test_both_labels_are_rows_and_the_newer_columns_are_the_last(rows, tmp_path):
    _, table, _, _ = rows
    assert list(table.columns[-3:]) == ["zero_gradient", "attacked_label", "by_seed"]
    table.to_csv(tmp_path / "rows.csv", index=False)
    found = read_rows(tmp_path / "rows.csv").assign(at=lambda t: t.x == "2/255", zero=lambda t: t.x == "0")
    assert found.groupby(["panel", "attacked_label"]).size().to_dict() == {
        ("a", "true"): 18,
        ("b", "predicted"): 18,
        ("b", "true"): 18,
    }
    attacked = found[found["at"]].groupby(["panel", "attacked_label"]).value.first()
    assert attacked.to_dict() == pytest.approx(
        {("a", "true"): 0.64, ("b", "predicted"): 0.3, ("b", "true"): 0.8}
    )
    assert set(found.zero_gradient[found["at"]]) == {0.07} and set(found.zero_gradient[found.zero]) == {0}


def test_robust_accuracy_alone_reads_back_as_text(rows, tmp_path):
    _, table, _, _ = rows
    table[table.panel == "a"].to_csv(tmp_path / "rows.csv", index=False)
    found = read_rows(tmp_path / "rows.csv")
    assert set(found.attacked_label) == {"true"} and len(of_label(found)) == len(of_label(found, True)) == 18


def test_rows_on_the_true_label_stay_where_no_attack_of_theirs_climbs_the_predicted_one():
    """Each of panel, profile and metric counts."""
    keys = [("a", "pgd", "m"), ("b", "pgd", "m"), ("a", "other", "m"), ("a", "pgd", "n")]
    rows = pd.DataFrame(keys, columns=["panel", "profile", "metric"]).assign(attacked_label="true")
    both = pd.concat([rows, rows[:1].assign(attacked_label="predicted")], ignore_index=True)
    assert of_label(both).index.tolist() == [1, 2, 3, 4]


def test_claims_are_judged_on_the_predicted_label_unless_they_name_the_other(rows):
    _, table, replicates, _ = rows
    test = {"value": {"strength": 180, "x": 2 / 255}, "above": 0.5}
    found = {
        label: judge_panel(
            test | ({"attacked_label": label} if label else {}), "b", Numbers(table, replicates), 0.95
        )
        for label in (None, "predicted", True)
    }
    assert [row["verdict"] for row in found.values()] == ["fails", "fails", "holds"]
    assert [row["value"] for row in found.values()] == pytest.approx([0.3, 0.3, 0.8])


def drawn(target, table, catalog) -> list[list[float]]:
    """The values of panel b's curves at 2/255, in percent."""
    figure = panels.draw(table, captions.figure(catalog, target))
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("(b)"))
    curves = [line.get_ydata()[-1] for line in axes.get_lines() if len(line.get_xdata()) == 9]
    return curves


def test_curves_are_the_predicted_labels_and_an_old_csv_is_drawn_as_it_is(rows, tmp_path):
    target, table, _, catalog = rows
    scale = max(drawn(target, table, catalog)) / 0.3
    assert drawn(target, table, catalog) == pytest.approx([0.3 * scale] * 2) and scale in (1, 100)
    old = table[table.attacked_label != "predicted"].drop(columns=["zero_gradient", "attacked_label"])
    assert drawn(target, old, catalog) == pytest.approx([0.8 * scale] * 2)


def test_captions_name_the_label(full_config):
    catalog = load(full_config, ROOT / "figures")
    told = {name: captions.caption(catalog, catalog.targets[name]) for name in catalog.targets}
    assert "PGD climbs the predicted label" in told["invariance", "fig1"]
    assert "the predicted label for 1 − fooling rate, the true one for accuracy" in told["tradeoff", "fig1"]
    assert "Attacks climb the true label." in told["oaat", "table1"] and "climb" not in told["cusp", "fig5"]
    assert "Attacks climb the true label, those on KL none." in told["cusp", "table4"]


def test_captions_name_bands_where_there_are_some(full_config):
    for seeds, told in (([0], {"fig3"}), ([0, 1, 2], {"fig3", "figB"})):
        catalog = load(full_config | {"seeds": seeds}, ROOT / "figures")
        named = {
            name: "Bands: " in captions.caption(catalog, catalog.targets["features", name])
            for name in ("fig3", "figB")
        }
        assert {name for name, bands in named.items() if bands} == told
        assert "Bands" not in captions.caption(catalog, catalog.targets["tradeoff", "fig13"])


def test_a_test_may_name_no_other_label(full_config, edit, specs):
    edit("invariance.yaml", {"claims.I1.tests.number.attacked_label": "false"})
    with pytest.raises(ValueError, match=r"claims\.I1\.tests\.number\.attacked_label"):
        load(full_config | {"papers": ["invariance"]}, specs)


def test_every_true_label_test_has_its_twin(full_config):
    catalog = load(full_config, ROOT / "figures")
    for paper, key in (("invariance", "I1"), ("invariance", "I2"), ("tradeoff", "T1"), ("tradeoff", "T2")):
        tests = catalog.claims[paper][key]["tests"]
        other = {k: v for k, v in tests["number, true label"].items() if k != "attacked_label"}
        assert other == tests["number"]
    trends = catalog.claims["invariance"]["I4"]["tests"] | catalog.claims["tradeoff"]["T3"]["tests"]
    assert sum("attacked_label" in test for test in trends.values()) == 13
