"""PGD and DeepFool against other implementations and by their defining properties."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.transforms import Normalize

from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.deepfool import deepfool
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.attacks.losses import cross_entropy_each
from spatial_adversarial.attacks.norm_balls import BALLS


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TinyNet(nn.Module):
    """A small network with batch norm and dropout, in the library's shape: body(normalise(pixels))."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalize([0.3], [0.3])
        self.norm, self.dropout = nn.BatchNorm2d(8), nn.Dropout(0.2)
        features = [nn.Conv2d(1, 8, 3), self.norm, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), self.dropout]
        self.body = nn.Sequential(*features, nn.Linear(8 * 5 * 5, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.normalise(x))


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    """Noisy copies of ten random templates, some pixels black or white: x [60, 1, 12, 12] and labels."""
    templates = torch.rand(10, 1, 12, 12, generator=seeded(1))
    y = torch.arange(60) % 10
    return (templates[y] + 0.3 * torch.randn(60, 1, 12, 12, generator=seeded(2))).clamp(0, 1), y


@pytest.fixture(scope="module")
def fitted(data) -> TinyNet:
    """The network after a few steps on the data."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = TinyNet()
        optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(15):
            optimiser.zero_grad()
            functional.cross_entropy(net(data[0]), data[1]).backward()
            optimiser.step()
    optimiser.zero_grad()
    return net


@pytest.fixture
def training(fitted) -> TinyNet:
    """The network in train mode, but for its dropout, with one frozen parameter."""
    net = deepcopy(fitted).train()
    net.dropout.eval()
    net.norm.bias.requires_grad_(False)
    return net


@pytest.fixture
def model(fitted) -> TinyNet:
    return deepcopy(fitted).eval()


def state(net: nn.Module) -> list:
    """All that an attack must leave alone."""
    flags = [module.training for module in net.modules()]
    parameters = [(p.requires_grad, p.grad is None) for p in net.parameters()]
    return [flags, parameters, [value.tolist() for value in net.state_dict().values()]]


def test_attack_mode_restores_mixed_modes_after_an_exception(training):
    before = state(training)
    with pytest.raises(KeyError), attack_mode(training):
        assert not any(module.training for module in training.modules())
        assert not any(parameter.requires_grad for parameter in training.parameters())
        raise KeyError
    assert state(training) == before


@pytest.mark.parametrize("attack", ["pgd", "deepfool"])
def test_attacks_leave_the_model_untouched(training, data, attack):
    before = state(training)
    if attack == "pgd":
        result = pgd(training, *data, eps=0.1, step=0.03, steps=3, generator=seeded())
    else:
        result = deepfool(training, data[0], steps=3).perturbed
    assert state(training) == before
    assert not result.requires_grad


def test_attack_in_train_mode_moves_batch_norm_and_freezes_parameters(training, data):
    mean, before = training.norm.running_mean.clone(), state(training)[:2]
    pgd(training, *data, eps=0.1, step=0.03, steps=1, generator=seeded(), train_mode=True)
    assert not torch.equal(training.norm.running_mean, mean)
    assert state(training)[:2] == before


def test_pgd_agrees_with_foolbox_from_a_given_start(model, data):
    import eagerpy
    import foolbox

    x, y = data
    start = (x + 0.1 * (2 * torch.rand(x.shape, generator=seeded(4)) - 1)).clamp(0, 1)

    class FromStart(foolbox.attacks.LinfPGD):
        def get_random_start(self, x0, epsilon):
            return eagerpy.astensor(start)

    attack = FromStart(abs_stepsize=0.03, steps=7, random_start=True)
    theirs = attack(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y, epsilons=0.1)[1]
    ours = pgd(model, x, y, eps=0.1, step=0.03, steps=7, generator=None, start=start)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-6)


def test_l2_pgd_agrees_with_foolbox(model, data):
    import foolbox

    x, y = data
    attack = foolbox.attacks.L2PGD(abs_stepsize=0.3, steps=7, random_start=False)
    theirs = attack(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y, epsilons=0.8)[1]
    ours = pgd(model, x, y, eps=0.8, step=0.3, steps=7, generator=None, random_start=False, norm="l2")
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("random_start", [True, False])
def test_l2_pgd_stays_in_ball_and_range(model, data, random_start):
    eps = torch.linspace(0, 2, 60)
    options = {"step": 0.5, "steps": 4, "generator": seeded(), "random_start": random_start, "norm": "l2"}
    moved = pgd(model, *data, eps=eps, **options)
    lengths = (moved - data[0]).flatten(1).norm(dim=1)
    assert moved.min() >= 0 and moved.max() <= 1 and torch.equal(moved[0], data[0][0])
    assert (lengths <= eps + 1e-5).all() and (lengths[10:] > 0.5 * eps[10:]).all()


def test_l2_random_start_is_uniform_in_the_ball(model):
    x = torch.full((4000, 1, 1, 2), 0.5)
    ball = BALLS["l2"](x, torch.tensor(0.3).view(1, 1, 1, 1), 0, 1)
    offset = (ball.draw(seeded()) - x).flatten(1)
    assert ((offset.norm(dim=1) / 0.3) ** 2).mean() == pytest.approx(0.5, abs=0.02)  # of a disc
    assert offset.mean(0).abs().max() < 0.01


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_best_iterate_is_kept(model, data, norm):
    """Of steps that overshoot, each image keeps the iterate at which its loss was largest."""
    x, y = data
    options = {"eps": 0.6, "step": 0.5, "generator": None, "random_start": False, "norm": norm}
    losses = [
        cross_entropy_each(model(pgd(model, x, y, steps=steps, **options)), y).detach() for steps in range(7)
    ]
    best = pgd(model, x, y, steps=6, loss=cross_entropy_each, keep_best=True, **options)
    expected = torch.stack(losses).amax(0)
    assert torch.allclose(cross_entropy_each(model(best), y).detach(), expected, atol=1e-5)
    assert (expected > losses[-1] + 1e-3).any()


def test_pgd_lowers_accuracy_more_than_its_random_start(model, data):
    x, y = data
    options = {"eps": 0.2, "step": 0.05, "generator": seeded()}
    accuracy = [(model(pgd(model, x, y, steps=k, **options)).argmax(1) == y).float().mean() for k in (0, 10)]
    assert accuracy[0] > 0.8 and accuracy[1] < accuracy[0] - 0.4


@pytest.mark.parametrize("eps", [0.0, 0.013, 0.3, 2.0, torch.linspace(0, 0.5, 60)])
def test_pgd_stays_in_ball_and_range(model, data, eps):
    x, y = data
    moved = pgd(model, x, y, eps=eps, step=0.05, steps=4, generator=seeded())
    assert moved.min() >= 0 and moved.max() <= 1
    assert ((moved - x).abs().amax((1, 2, 3)) <= eps + 1e-6).all()
    if isinstance(eps, Tensor):
        assert torch.equal(moved[0], x[0])
        assert ((moved - x).abs().amax((1, 2, 3))[1:] > 0).all()


def test_pgd_with_a_tensor_eps_equals_one_attack_per_eps(model, data):
    x, y = data
    eps, step = torch.tensor([0.02, 0.1]).repeat(30), torch.tensor([0.005, 0.03]).repeat(30)
    together = pgd(model, x, y, eps=eps, step=step, steps=5, generator=None, random_start=False)
    for value, pace in ((0.02, 0.005), (0.1, 0.03)):
        alone = pgd(model, x, y, eps=value, step=pace, steps=5, generator=None, random_start=False)
        chosen = eps == value
        assert torch.allclose(together[chosen], alone[chosen], rtol=0, atol=1e-6)


def test_pgd_at_eps_zero_is_the_clean_input(model, data):
    x, y = data
    assert torch.equal(pgd(model, x, y, eps=0, step=0.1, steps=3, generator=seeded()), x)
    inputs = model.normalise(x)
    clean = pgd(model.body, inputs, y, eps=0.0, step=0.1, steps=3, generator=seeded(), low=-1, high=1)
    assert torch.equal(clean, inputs.clamp(-1, 1)) and not torch.equal(clean, inputs)


def test_pgd_in_normalised_inputs_equals_the_naive_loop(model, data):
    x0, y = model.normalise(data[0]), data[1]
    current = torch.clamp(torch.clamp(x0, x0 - 0.3, x0 + 0.3), -1, 1)
    for _ in range(6):
        leaf = current.clone().requires_grad_()
        functional.cross_entropy(model.body(leaf), y).backward()
        stepped = current + 0.1 * leaf.grad.sign()
        current = torch.clamp(torch.max(torch.min(stepped, x0 + 0.3), x0 - 0.3), -1, 1)
    model.zero_grad()
    options = {"eps": 0.3, "step": 0.1, "steps": 6, "generator": None, "random_start": False}
    ours = pgd(model.body, x0, y, low=-1, high=1, **options)
    assert torch.allclose(ours, current, rtol=0, atol=1e-6)
    assert (ours - x0).abs().max() > 0.31  # bright pixels leave their ball


def test_pgd_start_is_uniform_and_reproducible(model, data):
    x, y = torch.full_like(data[0], 0.5), data[1]
    start = pgd(model, x, y, eps=0.2, step=0.1, steps=0, generator=seeded(9)) - x
    assert start.abs().max() <= 0.2 + 1e-6
    assert abs(start.mean()) < 0.01 and abs(start.std() - 0.2 / 3**0.5) < 0.01
    first, again, other = (
        pgd(model, *data, eps=0.1, step=0.02, steps=3, generator=seeded(seed)) for seed in (7, 7, 8)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_pgd_does_not_touch_the_global_generator_or_its_input(model, data):
    kept, before = data[0].clone(), torch.get_rng_state()
    pgd(model, *data, eps=0.1, step=0.02, steps=2, generator=seeded())
    assert torch.equal(data[0], kept) and torch.equal(torch.get_rng_state(), before)


def test_pgd_takes_a_loss_per_image_and_works_without_gradients_on(model, data):
    x, y = data
    options = {"eps": 0.1, "step": 0.03, "steps": 3, "generator": None, "random_start": False}
    with torch.no_grad():
        per_image = pgd(
            model, x, y, loss=lambda z, t: functional.cross_entropy(z, t, reduction="none"), **options
        )
    assert torch.allclose(per_image, pgd(model, x, y, **options), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"eps": -0.1}, "eps"),
        ({"step": -1}, "step"),
        ({"steps": -1}, "steps"),
        ({"generator": None}, "generator"),
        ({"norm": "l1"}, "norm 'l1' is none of linf, l2"),
    ],
)
def test_pgd_names_a_bad_setting(model, data, wrong, named):
    options = {"eps": 0.1, "step": 0.02, "steps": 2, "generator": seeded()} | wrong
    with pytest.raises(ValueError, match=named):
        pgd(model, *data, **options)
    with pytest.raises(ValueError, match="3 values for 60 images"):
        pgd(model, *data, eps=torch.ones(3), step=0.1, steps=1, generator=seeded())


def test_deepfool_on_a_linear_classifier_is_the_analytic_distance():
    x = torch.rand(40, 1, 6, 6, generator=seeded())
    linear = nn.Sequential(nn.Flatten(), nn.Linear(36, 10))
    nn.init.normal_(linear[1].weight, generator=seeded(1))
    weight, logits = linear[1].weight.detach(), linear(x).detach()
    label = logits.argmax(1)
    gap = logits.gather(1, label[:, None]) - logits
    length = (weight[label][:, None] - weight[None]).norm(dim=2)
    nearest = torch.where(length > 0, gap / length, torch.inf).min(1).values
    result = deepfool(linear, x, overshoot=0.02)
    assert result.fooled.all()
    # atol: an image almost on a boundary is only as near as the logits' rounding, which differs between CPUs
    assert torch.allclose(result.distance, 1.02 * nearest, rtol=1e-4, atol=1e-6)


def test_deepfool_agrees_with_foolbox(model, data):
    import foolbox

    x, clean = data[0], model(data[0]).argmax(1)
    attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02, loss="logits")
    theirs = attack(foolbox.PyTorchModel(model, bounds=(-10, 10), device="cpu"), x, clean, epsilons=None)[0]
    distance = (theirs - x).flatten(1).norm(dim=1)
    result = deepfool(model, x)
    assert result.fooled.all() and (result.prediction != clean).all()
    assert torch.equal(model(result.perturbed).argmax(1), result.prediction)
    assert abs(result.distance.mean() / distance.mean() - 1) < 0.03
    assert ((result.distance / distance - 1).abs() < 0.05).float().mean() > 0.9


def test_deepfool_keeps_the_range(model, data):
    result = deepfool(model, data[0], low=0.0, high=1.0)
    assert result.perturbed.min() >= 0 and result.perturbed.max() <= 1
    assert torch.allclose(result.distance, (result.perturbed - data[0]).flatten(1).norm(dim=1))


def test_deepfool_reports_images_it_cannot_fool(data):
    constant = nn.Sequential(nn.Flatten(), nn.Linear(144, 10))
    nn.init.zeros_(constant[1].weight)
    constant[1].bias.data = torch.arange(10.0)
    result = deepfool(constant, data[0], steps=3)
    assert not result.fooled.any() and (result.prediction == 9).all()
    assert torch.equal(result.perturbed, data[0]) and (result.distance == 0).all()


def test_deepfool_needs_a_rival_class(model, data):
    with pytest.raises(ValueError, match="2 classes"):
        deepfool(model, data[0], classes=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_attacks_run_on_a_gpu_with_either_generator(model, data):
    model, x, y = model.cuda(), data[0].cuda(), data[1].cuda()
    for device in ("cpu", "cuda"):
        generator = torch.Generator(device).manual_seed(0)
        moved = pgd(model, x, y, eps=torch.full((60,), 0.2), step=0.05, steps=10, generator=generator)
        assert moved.is_cuda and (moved - x).abs().max() <= 0.2 + 1e-6
        assert (model(moved).argmax(1) == y).float().mean() < 0.6
    assert deepfool(model, x).fooled.all()
