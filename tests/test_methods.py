"""FAT, ATES, AWP, OA-AT with its LPIPS, and AutoAugment: by hand, by their defining properties, and in the loop."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.transforms import AutoAugment, AutoAugmentPolicy

from spatial_adversarial import models
from spatial_adversarial.attacks.early_stopping import early_stopped_pgd, probability_margin
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.methods import Context, make
from spatial_adversarial.methods.averaged_network import AveragedNetwork
from spatial_adversarial.methods.lpips import embedding, with_distance
from spatial_adversarial.models.weights import weights_bytes
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.training import interrupt, loop
from spatial_adversarial.training.awp import perturbed
from spatial_adversarial.training.checkpoint import Checkpoint
from spatial_adversarial.training.loop import Trainer
from spatial_adversarial.training.schedules import value
from spatial_adversarial.transforms import augment
from spatial_adversarial.transforms.autoaugment import CIFAR, apply, autoaugment

SHARE = {"schedule": "linear", "unit": "share"}
OAAT = {
    "eps": 16 / 255,
    "steps": 3,
    "beta": 2.0,
    "alpha": 0.8,
    "lpips": 1.0,
    "start": 4 / 255,
    "imperceptible": 12 / 255,
    "largest": 24 / 255,
}
PGD = {"eps": 8 / 255, "step": 2 / 255, "steps": 4}
EPS = 1e-6


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(name: str = "resnet18", seed: int = 0, **spec) -> nn.Module:
    torch.manual_seed(seed)
    return models.build({"name": name, "width": 0.0625} | spec, channels=3, side=16, classes=10)


def batch(n: int = 8) -> tuple[Tensor, Tensor]:
    return torch.rand(n, 3, 16, 16, generator=seeded(1)), torch.arange(n) % 10


def cross_entropy(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(model(x), y)


def state(model: nn.Module) -> bytes:
    return weights_bytes(model.state_dict())


def test_settings_and_passes_are_known_without_torch():
    code = "import sys; sys.modules['torch'] = None; from spatial_adversarial.methods import METHODS, make; "
    code += f"print(*METHODS, make({{'oaat': {OAAT}}}).passes)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1] / "workflow_scripts",
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["ates", "fat", "natural", "oaat", "pgd", "trades", "16.25"], done.stderr


# Attacks that stop early


@pytest.fixture(scope="module")
def fitted() -> nn.Module:
    """A network that knows its batch, and is fooled by four steps of PGD on part of it."""
    x, y = batch(40)
    model = network().train()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(25):
        optimiser.zero_grad()
        cross_entropy(model, x, y).backward()
        optimiser.step()
    return model.eval()


def test_the_margin_is_positive_for_mistakes_alone(fitted):
    x, y = batch(40)
    logits = fitted((x + 0.1 * torch.randn(x.shape, generator=seeded())).clamp(0, 1)).detach()
    margin = probability_margin(logits, y)
    assert torch.equal(margin > 0, logits.argmax(1) != y) and 0 < (margin > 0).sum() < 40
    assert ((margin >= -1) & (margin <= 1)).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_training_takes_the_norm_and_the_start_of_its_recipe(norm):
    model, (x, y) = network().eval(), batch()
    spec = {"eps": 0.25, "step": 0.1, "steps": 2, "norm": norm, "random_start": False}
    found = [make({"pgd": spec}).attack(model, x, y, Context(generator=seeded(k))) for k in (0, 1)]
    assert torch.equal(*found)  # no start is drawn
    moves = (found[0] - x).flatten(1)
    lengths = moves.norm(dim=1) if norm == "l2" else moves.abs().amax(dim=1)
    assert lengths.max() <= 0.25 + EPS and lengths.max() > 0.15
    assert (moves.norm(dim=1).max() > 0.26) == (norm == "linf")  # the cube reaches far beyond the ball
    drawn = [
        make({"pgd": spec | {"random_start": True}}).attack(model, x, y, Context(seeded(k))) for k in (0, 1)
    ]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_friendly_attacks_stop_image_by_image(fitted, patience):
    """Against a loop over single images that counts how often the network was wrong."""
    x, y = batch(40)
    ours = early_stopped_pgd(fitted, x, y, **PGD, generator=seeded(2), patience=patience)
    unit = torch.rand(x.shape, generator=seeded(2))
    for k in range(len(x)):
        moved, mistakes = (x[k] + PGD["eps"] * (2 * unit[k] - 1)).clamp(0, 1), 0
        for _ in range(PGD["steps"]):
            leaf = moved.clone().requires_grad_()
            logits = fitted(leaf[None])
            mistakes += int(logits.argmax() != y[k])
            if mistakes > patience:
                break
            (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, y[k : k + 1]), leaf)
            moved = moved + PGD["step"] * gradient.sign()
            moved = torch.min(torch.max(moved, x[k] - PGD["eps"]), x[k] + PGD["eps"]).clamp(0, 1)
        torch.testing.assert_close(ours[k], moved, rtol=0, atol=1e-5)


def test_an_attack_that_never_stops_is_pgd(fitted):
    x, y = batch(40)
    plain = pgd(fitted, x, y, **PGD, generator=seeded(2))
    never = early_stopped_pgd(fitted, x, y, **PGD, generator=seeded(2), threshold=1.0)
    assert torch.equal(plain, never)
    eager = early_stopped_pgd(fitted, x, y, **PGD, generator=seeded(2), threshold=0.0)
    assert (
        probability_margin(fitted(eager), y) <= probability_margin(fitted(plain), y) + EPS
    ).float().mean() > 0.9


@pytest.mark.parametrize("spec", [{"fat": PGD | {"tau": 1}}, {"ates": PGD | {"threshold": 0.3}}], ids=str)
def test_early_stopped_examples_keep_ball_range_and_network(fitted, spec):
    x, y = batch(40)
    before, model = state(fitted), deepcopy(fitted).train()
    moved = make(spec).attack(model, x, y, Context(seeded()))
    assert (moved - x).abs().max() <= PGD["eps"] + EPS and moved.min() >= 0 and moved.max() <= 1
    assert model.training and state(model) == before


# Adversarial weight perturbation


def test_awp_moves_each_layer_by_gamma_along_its_gradient_and_restores_it_exactly():
    x, y = batch()
    model = network().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    proxy = deepcopy(model)
    gradients = dict(
        zip(
            dict(proxy.named_parameters()),
            torch.autograd.grad(cross_entropy(proxy, x, y), list(proxy.parameters())),
            strict=True,
        )
    )
    with perturbed(model, lambda: cross_entropy(model, x, y), 0.01):
        for name, weight in model.named_parameters():
            moved = weight.detach() - before[name]
            if weight.ndim < 2:
                assert not moved.any()
                continue
            torch.testing.assert_close(moved.norm(), 0.01 * before[name].norm(), rtol=1e-3, atol=0)
            assert functional.cosine_similarity(moved.flatten(), gradients[name].flatten(), dim=0) > 0.999
    after = model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_awp_raises_the_loss_and_restores_after_an_exception():
    x, y = batch()
    model = network().train()
    before, plain = state(model), cross_entropy(deepcopy(model), x, y)
    with pytest.raises(KeyError), perturbed(model, lambda: cross_entropy(model, x, y), 0.01):
        assert cross_entropy(deepcopy(model), x, y) > plain
        raise KeyError
    assert state(model) == before


def test_awp_of_gamma_0_asks_for_no_loss():
    with perturbed(network(), lambda: pytest.fail("the loss was taken"), 0):
        pass


@pytest.mark.parametrize(
    "spec", [{"pgd": PGD}, {"trades": PGD | {"beta": 6}}, {"oaat": OAAT | {"batches": ["sensitive"]}}]
)
def test_a_step_with_awp_descends_by_the_gradient_at_the_moved_weights(tmp_path, spec):
    """The loop's one SGD step, against the same method, perturbation and descent in plain tensors."""
    made = recipe(epochs=1, method=spec, awp={"gamma": 0.02, "reach": 2}, batch=32)
    run = trainer(made)
    x, y = run.train_set.images.float() / 255, run.train_set.labels
    model = deepcopy(run.network).train()
    list(run.run(tmp_path / "resume.pt"))
    order = torch.randperm(32, generator=run_generator("order"))
    x, y = x[order], y[order]
    method = make(spec)
    adversarial = method.attack(model, x, y, Context(run_generator("examples"), 0, method.memory(model)))

    criterion = functional.cross_entropy
    climbed = lambda: method.climbed(model, x, adversarial, y, reach=2, criterion=criterion)  # noqa: E731
    with perturbed(model, climbed, 0.02):
        loss = method.loss(model, x, adversarial, y, criterion=criterion)[0]
        gradients = torch.autograd.grad(loss, list(model.parameters()))
    for weight, gradient, trained in zip(
        model.parameters(), gradients, run.network.parameters(), strict=True
    ):
        torch.testing.assert_close(trained, weight - 0.01 * gradient, rtol=1e-3, atol=1e-5)


# LPIPS


def lpips(reference: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return with_distance(network(), reference, x)(y)[1]


@pytest.mark.parametrize(("name", "stages"), [("resnet18", 4), ("resnet34", 4), ("wideresnet34_10", 3)])
def test_lpips_is_zero_on_equal_images_and_symmetric(name, stages):
    reference = network(name).eval()
    x, other = batch()[0], torch.rand(8, 3, 16, 16, generator=seeded(5))
    assert not lpips(reference, x, x).any()
    there, back = lpips(reference, x, other), lpips(reference, other, x)
    torch.testing.assert_close(there, back)
    assert (there > 0).all()
    # unit vectors at each of H W places, over sqrt(H W): each stage adds 1 to the squared length, where it fires
    length = embedding(reference, x).square().sum(1)
    assert (length <= stages + EPS).all() and (length > stages - 0.2).all()


def test_lpips_needs_stages():
    with pytest.raises(ValueError, match="residual network"):
        embedding(network("vgg16"), torch.rand(2, 3, 32, 32))


def test_lpips_looks_through_the_mean_as_the_last_epoch_left_it():
    first, second, third = network(seed=1), network(seed=2), network(seed=3)
    memory = AveragedNetwork(first, 0.9)
    assert state(memory.saved) == state(first)
    memory.after_batch(second)  # torch's AveragedModel begins with the first network it sees
    memory.after_batch(third)
    assert state(memory.saved) == state(first)
    memory.after_epoch()
    for name, tensor in memory.saved.named_parameters():
        mean = 0.9 * second.state_dict()[name] + 0.1 * third.state_dict()[name]
        torch.testing.assert_close(tensor.data, mean)
        assert not tensor.requires_grad
    assert not memory.saved.training
    copy = AveragedNetwork(first, 0.0)
    copy.after_batch(second)
    copy.after_batch(third)
    copy.after_epoch()
    assert state(copy.saved) == state(third)


def test_lpips_looks_through_the_mean_of_batch_norms_statistics_too():
    first, second = network(seed=1).train(), network(seed=2).train()
    memory = AveragedNetwork(first, 0.9)
    for model in (first, second):
        model(batch()[0])
        memory.after_batch(model)
    memory.after_epoch()
    found, one, other = (dict(model.named_buffers()) for model in (memory.saved, first, second))
    moved = [name for name in found if "running" in name and not torch.equal(one[name], other[name])]
    assert moved
    for name in moved:
        torch.testing.assert_close(found[name], 0.9 * one[name] + 0.1 * other[name])


# OA-AT


def attacked(model: nn.Module, number: int = 0, **over) -> tuple:
    x, y = batch()
    method = make({"oaat": OAAT | over})
    moved = method.attack(model, x, y, Context(seeded(4), number, method.memory(model)))
    return method, x, y, moved


def test_a_clipped_attack_lies_in_both_balls():
    method, x, _, moved = attacked(network().train())
    assert (method.x_hat - x).abs().max() <= 24 / 255 + EPS
    assert (method.x_hat - x).abs().max() > 16 / 255
    assert (moved - x).abs().max() <= 16 / 255 + EPS
    inside = (method.x_hat - x).abs() <= 16 / 255 - EPS
    assert torch.equal(moved[inside], method.x_hat[inside])
    assert moved.min() >= 0 and moved.max() <= 1


@pytest.mark.parametrize(
    ("over", "number", "expected"),
    [  # in 255ths: radius, step, the start's radius
        ({"eps": 4 / 255, "steps": 5}, 0, (4, 2, 4)),
        ({"eps": 2 / 255, "steps": 5}, 0, (2, 1, 2)),
        ({"eps": 10 / 255, "steps": 10}, 1, (10, 2.5, 4)),
        ({"eps": 16 / 255, "steps": 10}, 0, (24, 6, 4)),
        ({"eps": 16 / 255, "steps": 10}, 1, (16, 4, 16)),
    ],
)
def test_the_steps_and_the_start_of_oaats_attacks_in_numbers(monkeypatch, over, number, expected):
    """eps / 2 in five steps, then eps / 4 in ten; from U(+-min(4, eps)), on oracle-invariant batches from U(+-eps)."""
    asked = []
    monkeypatch.setattr(
        sys.modules[pgd.__module__],
        "pgd",
        lambda *given, **named: asked.append(named) or pgd(*given, **named),
    )
    _, x, _, _ = attacked(network().train(), number, **over)
    (named,) = asked
    start = 255 * (named["start"] - x).abs().max().item()
    assert (255 * named["eps"], 255 * named["step"]) == pytest.approx(expected[:2])
    assert start == pytest.approx(expected[2], rel=0.01) and named["steps"] == over["steps"]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_batches_take_turns_beyond_the_imperceptible(number):
    method, x, _, moved = attacked(network().train(), number)
    assert (method.x_hat is not None) == (number % 2 == 0)
    assert (moved - x).abs().max() <= 16 / 255 + EPS
    low, *_ = attacked(network().train(), number, eps=12 / 255)
    assert low.x_hat is None
    for only in ("sensitive", "invariant"):
        method, *_ = attacked(network().train(), number, batches=[only])
        assert (method.x_hat is not None) == (only == "sensitive")


@pytest.mark.parametrize("reach", [1, 2])
def test_weights_climb_at_x_hat_from_the_clean_prediction_on_sensitive_batches(reach):
    """At x + reach (x_hat - x): neither x_tilde nor the mixture; the text's factor 2 is the switch."""
    model = network().double().train()
    x, y = batch()
    x = x.double()
    method = make({"oaat": OAAT})
    moved = method.attack(model, x, y, Context(seeded(4), 0, method.memory(model)))
    found = method.climbed(model, x, moved, y, reach=reach, criterion=functional.cross_entropy)
    p, q = (model(z).softmax(1) for z in (x, (x + reach * (method.x_hat - x)).clamp(0, 1)))
    expected = functional.cross_entropy(model(x), y) + 2.0 * (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(found, expected)
    assert (method.x_hat - moved).abs().max() > 4 / 255


def by_hand(model: nn.Module, method, x: Tensor, y: Tensor, moved: Tensor) -> Tensor:
    p, adversarial = model(x), None
    target = p.softmax(1)
    if method.x_hat is not None:
        target = 0.8 * target + 0.2 * model(method.x_hat).softmax(1)
    adversarial = model(moved).softmax(1)
    first, second = (adversarial, target) if method.reverse else (target, adversarial)
    divergence = (first * (first.log() - second.log())).sum(1).mean()
    return functional.cross_entropy(p, y) + 2.0 * divergence


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_losses_of_both_batches(number, reverse):
    model = network().double().train()
    x, y = batch()
    method = make({"oaat": OAAT | {"reverse": reverse and number == 0}})
    moved = method.attack(model, x.double(), y, Context(seeded(4), number, method.memory(model)))
    other = deepcopy(model)
    loss, _ = method.loss(model, x.double(), moved, y, criterion=functional.cross_entropy)
    expected = by_hand(other, method, x.double(), y, moved)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)  # nothing is detached


def test_a_heavier_lpips_keeps_invariant_examples_nearer():
    model = network().train()
    found = []
    for weight in (0, 100):
        method, x, _, moved = attacked(deepcopy(model), 1, lpips=weight, steps=10)
        found.append(lpips(method.memory(model).saved, x, moved).mean())
    assert found[1] < 0.8 * found[0]


def test_train_mode_is_a_switch():
    for mode in (True, False):
        model = network().train()
        before = state(model)
        attacked(model, train_mode=mode)
        assert (state(model) != before) == mode and model.training


def test_climbing_the_divergence_is_another_attack():
    ce, kl = (attacked(network().train(), number=1, climb=loss)[3] for loss in ("ce", "kl"))
    assert not torch.equal(ce, kl)


# In the loop


def recipe(**over) -> dict:
    plain = {
        "data": "toy",
        "model": {"name": "resnet18", "width": 0.0625},
        "optimiser": {"name": "sgd", "lr": 0.01},
        "batch": 8,
    }
    return canonical(plain | over, "test")


def trainer(made: dict, images: int = 32) -> Trainer:
    x, y = batch(images)
    train = ImageSet((255 * x).to(torch.uint8), y, 10, (0.5,) * 3, (0.25,) * 3)
    wanted = ["averaged"] if made["averaging"] else []
    return Trainer(made, seed=0, network=network(), train=train, validation=train, readouts=wanted)


def run_generator(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(loop.derive(0, name, 0))


def test_oaat_resumes_bit_identical(tmp_path: Path):
    """Its averaged network, the restarted optimiser, weights averaged late, and AutoAugment, all resumed."""
    made = recipe(
        epochs=4,
        method={"oaat": OAAT | {"eps": SHARE | {"from": 4 / 255, "to": 16 / 255, "begin": 0, "end": 0.5}}},
        augment={"crop": 2, "flip": True, "autoaugment": 0.5},
        awp={"gamma": {"schedule": "steps", "values": [0, 0.005], "at": [1]}, "reach": 2},
        optimiser={"name": "sgd", "lr": 0.02, "momentum": 0.9, "anew": [0.5]},
        averaging={"schedule": "steps", "values": [0, 0.9], "at": [3]},
    )
    whole = trainer(made)
    history = list(whole.run(tmp_path / "whole.pt"))
    for stop in (1, 2, 3):
        interrupted = trainer(made).run(tmp_path / f"{stop}.pt")
        head = [next(interrupted) for _ in range(stop)]
        interrupted.close()
        resumed = trainer(made)
        assert head + list(resumed.run(tmp_path / f"{stop}.pt")) == history
        assert weights_bytes(resumed.weights()) == weights_bytes(whole.weights())
        assert weights_bytes(resumed.readout("averaged")) == weights_bytes(whole.readout("averaged"))


def test_checkpoints_of_earlier_versions_are_read():
    """The names in a file: of the run's progress, of a part of an epoch, and of what OA-AT keeps."""
    run = trainer(recipe(epochs=1, method={"oaat": OAAT}))
    names = "made_of epoch step network optimiser averaged memory best best_robust history part"
    assert list(vars(run.checkpoint)) == [*names.split(), "spent"]
    earlier = {name: value for name, value in vars(run.checkpoint).items() if name != "spent"}
    assert Checkpoint(**earlier).spent == (0.0, 0.0)  # it came later
    part = interrupt.capture(8, torch.zeros(2), {name: run._generator(name) for name in loop.STREAMS})
    assert part.keys() == {"seen", "sums", "streams", "device", "dropout"}
    assert part["streams"].keys() == {"augment", "examples"}
    network = run.network.state_dict().keys()
    memory = {"average.n_averaged", *(f"average.module.{key}" for key in network)}
    assert run.memory.state_dict().keys() == memory | {f"saved.{key}" for key in network}


def test_an_optimiser_made_anew_forgets_its_momentum(tmp_path):
    made = recipe(epochs=4, optimiser={"name": "sgd", "lr": 0.01, "momentum": 0.9, "anew": [0.5]})
    run, forgotten = trainer(made), []
    run.optimiser.register_step_pre_hook(lambda *_: forgotten.append(not run.optimiser.state))
    list(run.run(tmp_path / "resume.pt"))
    assert [k for k, each in enumerate(forgotten) if each] == [0, 8]  # four batches an epoch


def test_weights_averaged_late_are_the_network_until_then(tmp_path):
    made = recipe(epochs=2, averaging={"schedule": "steps", "values": [0, 0.9], "at": [1]})
    run = trainer(made)
    rows = run.run(tmp_path / "resume.pt")
    next(rows)
    assert weights_bytes(run.readout("averaged")) == weights_bytes(run.network.state_dict())
    next(rows)
    assert weights_bytes(run.readout("averaged")) != weights_bytes(run.network.state_dict())


def test_schedules_in_steps_and_shares():
    steps = {"schedule": "steps", "values": [0, 1, 2], "at": [50, 90]}
    assert [value(steps, time, 110) for time in (0, 49, 50, 89, 90, 109)] == [0, 0, 1, 1, 2, 2]
    share = SHARE | {"from": 0, "to": 1, "begin": 0.5, "end": 1}
    assert [value(share, time, 40) for time in (0, 20, 30, 40)] == [0, 0, 0.5, 1]


def test_counted_times_are_exact_where_a_product_of_floats_is_not():
    assert 7 / 110 * 110 < 7
    steps = {"schedule": "steps", "unit": "counted", "values": [0, 1], "at": [7 / 110]}
    assert [value(steps, epoch - 1, 110) for epoch in (1, 7, 8, 110)] == [0, 0, 1, 1]


# AutoAugment


def torchvisions(image: Tensor, policy: int, chances: list[float], signs: list[int], monkeypatch) -> Tensor:
    monkeypatch.setattr(
        AutoAugment, "get_params", lambda *_: (policy, torch.tensor(chances), torch.tensor(signs))
    )
    return AutoAugment(AutoAugmentPolicy.CIFAR10)(image)


def test_each_sub_policy_is_torchvisions(monkeypatch):
    image = (255 * batch(1)[0]).to(torch.uint8)
    for policy, operations in enumerate(CIFAR.policies):
        for sign in (0, 1):
            ours = image
            for operation in operations:
                ours = apply(ours, operation, negative=not sign)
            theirs = torchvisions(image[0], policy, [0.0, 0.0], [sign, sign], monkeypatch)
            assert torch.equal(ours[0], theirs), operations


def test_images_draw_their_own_sub_policies(monkeypatch):
    """A batch is what torchvision makes of each image with the same draws."""
    images = (255 * batch(60)[0]).to(torch.uint8)
    ours = autoaugment(images, seeded(7))
    generator = seeded(7)
    policies = torch.randint(25, (60,), generator=generator)
    chances, signs = torch.rand(60, 2, generator=generator), torch.randint(0, 2, (60, 2), generator=generator)
    for k in range(60):
        drawn = int(policies[k]), chances[k].tolist(), signs[k].tolist()
        assert torch.equal(ours[k], torchvisions(images[k], *drawn, monkeypatch))
    assert 0.4 < (ours != images).flatten(1).any(1).float().mean() <= 1


def test_a_share_of_a_batch_is_autoaugmented():
    images = (255 * batch(40)[0]).to(torch.uint8)
    half = augment.augment(images, {"autoaugment": 0.5}, seeded())
    plain = images.float() / 255
    assert torch.equal(half[20:], plain[20:]) and not torch.equal(half[:20], plain[:20])
    with pytest.raises(ValueError, match="uint8"):
        augment.augment(plain, {"autoaugment": 1}, seeded())
