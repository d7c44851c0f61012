"""D_mix: exact proportions in each batch, an epoch as long as the natural data set, shares in a recipe's identity."""

from math import ceil, floor
from pathlib import Path

import pytest
import torch

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.reporting.captions import caption
from spatial_adversarial.training.data import Mixture, mixed

ROOT = Path(__file__).parents[1]
SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 0.25]
BATCH = 128


def mixture(share: float, natural: int = 500, others: int = 500) -> Mixture:
    """Natural images are 0 everywhere, the others 1."""
    sets = [
        ImageSet(image.expand(count, 1, 2, 2), torch.arange(count), 10, (0.2,), (0.3,))
        for count, image in (
            (natural, torch.zeros(1, dtype=torch.uint8)),
            (others, torch.ones(1)),
        )
    ]
    return mixed(*sets, share)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def exact(share: float) -> tuple[int, int]:
    """(numerator, denominator) of a share with two decimals."""
    return round(100 * share), 100


@pytest.mark.parametrize("share", SHARES)
def test_every_batch_has_the_exact_proportion(share):
    made = mixture(share)
    batches = made.order(BATCH, seeded()).split(BATCH)
    assert [len(batch) for batch in batches] == [128, 128, 128, 116] and len(made) == 500
    for batch in batches:
        images = made.images[batch]
        robust = int((images == 1).all((1, 2, 3)).sum())
        part, whole = exact(share)
        assert robust == -(-part * len(batch) // whole) == ceil(round(share * len(batch), 6))
        assert len(batch) - robust == floor(round((1 - share) * len(batch), 6))


def test_a_batch_of_one_joins_the_one_before():
    order = mixture(0.5, natural=401, others=500).order(100, seeded())
    assert [int((part >= 401).sum()) for part in order.split([100, 100, 100, 101])] == [50, 50, 50, 51]


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_images_are_drawn_without_replacement_and_anew_each_epoch(share):
    made = mixture(share)
    first, second = (made.order(BATCH, seeded(seed)) for seed in (0, 1))
    assert len(set(first.tolist())) == len(first) and not torch.equal(first, second)
    assert torch.equal(first, made.order(BATCH, seeded(0)))
    assert first.max() < 1000 and (first >= 500).sum() == 3 * ceil(share * 128) + ceil(share * 116)


def test_a_small_robust_set_is_gone_through_again():
    order = mixture(0.5, natural=400, others=60).order(100, seeded())
    counts = torch.bincount(order[order >= 400] - 400, minlength=60)
    assert counts.sum() == 200 and set(counts.tolist()) == {3, 4}


def test_labels_stay_with_their_images_and_the_moments_are_the_natural_ones():
    made = mixture(0.5)
    assert made.images.dtype == torch.float32 and made.labels.tolist() == 2 * list(range(500))
    assert (made.mean, made.std, made.classes) == ((0.2,), (0.3,), 10)


@pytest.fixture
def features(full_config):
    return load(full_config | {"papers": ["features"]}, ROOT / "figures")


def test_share_0_is_natural_training_and_1_is_shared_with_the_tables(features):
    a = {m.strength: m for m in features.targets["features", "fig3"].panels[0].members}
    assert a[0].recipe["mix"] is None and a[0.3].recipe["mix"]["share"] == 0.3
    rows = {panel.letter: panel for panel in features.targets["features", "table1"].panels}
    assert [rows[row].members[0].path for row in ("resnet_D", "resnet_DR")] == [a[0].path, a[1].path]
    assert len({member.path for member in a.values()}) == 11


def test_the_robust_run_is_needed_first_and_its_images_are_made_once(features):
    ((run, name),) = features.robust_images
    assert name.startswith("1000x0.1-") and features.recipe(run)["phases"][0]["method"]["pgd"]["norm"] == "l2"
    panel = features.targets["features", "fig3"].panels[2]
    assert features.needed(panel.members[1].path) == [panel.members[1].path, run]
    assert features.needed(panel.members[0].path) == [panel.members[0].path]


def with_images(full_config, robust_images: str, **changes):
    config = full_config | {"papers": ["features"], "robust_images": robust_images} | changes
    return load(config, ROOT / "figures")


def test_released_images_take_the_place_of_ours_where_the_config_says_so(full_config, features):
    ours, released = features, with_images(full_config, "released")
    assert ours.targets.keys() == released.targets.keys()
    member = released.targets["features", "fig3"].panels[0].members[1]
    assert member.recipe["mix"] == {"share": 0.1, "of": "released", "images": None, "seed": 0}
    assert released.needed(member.path) == [member.path] and not released.robust_images
    natural = [c.targets["features", "fig3"].panels[0].members[0].path for c in (ours, released)]
    assert natural[0] == natural[1]  # alpha 0 is one run with either


def test_figure_and_table_say_whose_images_they_are_of(full_config, features):
    released = with_images(full_config, "released")
    for catalog, told in ((features, "our D_R"), (released, "D_R as released")):
        for name in ("fig3", "table1"):
            assert f"Robust images: {told}." in caption(catalog, catalog.targets["features", name])
        assert catalog.targets["features", "fig3"].panels[0].title.endswith(f"D_mix, {told}")
    assert "Robust images" not in caption(features, features.targets["features", "fig1"])


def test_both_can_be_drawn_beside_each_other(full_config, features):
    both = with_images(full_config, "both")
    assert both.targets.keys() - features.targets.keys() == {
        ("features", "fig3_released"),
        ("features", "table1_released"),
    }
    for name in ("fig3", "table1"):
        ours, theirs = (both.targets["features", name + end] for end in ("", "_released"))
        assert [m.path for p in ours.panels for m in p.members] == [
            m.path for p in features.targets["features", name].panels for m in p.members
        ]
        mixed = [m.recipe["mix"] for p in theirs.panels for m in p.members if m.recipe["mix"]]
        assert mixed and {mix["of"] for mix in mixed} == {"released"}
        published = [[line.published for p in t.panels for line in p.lines] for t in (ours, theirs)]
        assert published[0] == published[1]


def test_the_released_images_are_no_stand_ins(full_config):
    with pytest.raises(
        CatalogError, match="robust_images: the released ones are of cifar10, not of digits_colour"
    ):
        with_images(full_config, "released", stand_ins={"cifar10": "digits_colour"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"families.mixed.robust_images": ...}, "recipe.mix needs the family's robust_images"),
        ({"families.mixed.robust_images.family": "robus"}, "unknown family 'robus' .did you mean 'robust'"),
        ({"families.mixed.robust_images.family": "pgd"}, "'pgd' has 4 members, not one"),
        ({"families.mixed.robust_images.family": "mixed_strong"}, "needs itself first"),
        ({"families.mixed.robust_images.step": ...}, "'step' is a required property"),
    ],
)
def test_a_mistake_is_told_in_one_line(full_config, specs, edit, change, told):
    edit("features.yaml", change)
    with pytest.raises(CatalogError, match=told) as caught:
        load(full_config | {"papers": ["features"]}, specs)
    assert "\n" not in str(caught.value)
