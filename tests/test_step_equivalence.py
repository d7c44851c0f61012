"""One whole training step of each method against its published formula in plain tensors, in float64.

What is restated here shares nothing with the code under test but the networks' forward pass and the random numbers of
the starts: losses are sums over probabilities, attacks are loops over clamped iterates, perturbed weights are those
of a second network after a step of SGD. Weights, batch and starts are the same, and so must be the loss, every
gradient, the running statistics of batch norm, and the weights after the step. `pytest -s` prints the differences.
"""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from spatial_adversarial import models
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.runner.seeds import derive
from spatial_adversarial.training.loop import Trainer

N, EPS, STEP, STEPS, RATE = 12, 6 / 255, 1 / 255, 4, 0.05
MARGIN = 0.002
BALL = {"eps": EPS, "step": STEP, "steps": STEPS}
OAAT = {"steps": 3, "beta": 2.5, "alpha": 0.8, "lpips": 0.7, "start": 4 / 255}
OAAT |= {"imperceptible": 12 / 255, "largest": 24 / 255}


def images() -> Tensor:
    return torch.rand(2 * N, 3, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@torch.no_grad()
def network(seed: int = 0) -> nn.Module:
    """One with the statistics of a network in the middle of its training, that tells the images apart."""
    torch.manual_seed(seed)
    made = models.build({"name": "resnet18", "width": 0.0625}, channels=3, side=16, classes=10).double()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    made.body.head.weight *= 20
    made.body.head.bias -= made.eval()(images()).mean(0)
    return made


class Batch:
    """The images of one step in the loop's order, and the random numbers that its attack draws, in their order."""

    def __init__(self, number: int):
        self.images = images()
        with torch.no_grad():
            self.labels = network()(self.images).argmax(1)
        order = torch.randperm(2 * N, generator=torch.Generator().manual_seed(derive(7, "order", 0)))
        self.chosen = order[number * N : (number + 1) * N]
        self.x, self.y = self.images[self.chosen], self.labels[self.chosen]
        self.draws = torch.Generator().manual_seed(derive(7, "examples", 0))

    def uniform(self, dtype: torch.dtype = torch.float32) -> Tensor:
        return 2 * torch.rand(self.x.shape, generator=self.draws, dtype=dtype) - 1


def ours(given: dict, number: int, memory_seed: int | None) -> tuple[Trainer, Tensor, list[Tensor]]:
    """(the trainer after one step of the loop, its loss, the gradients that the optimiser saw)."""
    batch = Batch(number)
    recipe = {
        "data": "toy",
        "model": {"name": "resnet18", "width": 0.0625},
        "optimiser": {"name": "sgd", "lr": RATE},
        "batch": N,
        "epochs": 1,
    }
    images = ImageSet(batch.images, batch.labels, 10, (0.5,) * 3, (0.25,) * 3)
    trainer = Trainer(
        canonical(recipe | given, "test"), seed=7, network=network(), train=images, validation=images
    )
    if memory_seed is not None:
        trainer.memory.saved.load_state_dict(network(memory_seed).state_dict())
    seen: list[Tensor] = []
    trainer.optimiser.register_step_pre_hook(
        lambda *_: seen.extend(weight.grad.clone() for weight in trainer.network.parameters())
    )
    trainer.network.train()
    trainer.checkpoint.step = number
    loss = trainer._step(batch.chosen, {name: trainer._generator(name) for name in ("augment", "examples")})
    return trainer, loss[0] / N, seen


# The formulas


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """-log p_y, the mean over the batch."""
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return -p[torch.arange(len(y)), y].log().mean()


def kl(p_logits: Tensor, q_logits: Tensor) -> Tensor:
    """KL(p || q) = sum p log(p / q), the mean over the batch."""
    return kl_of(p_logits.softmax(1), q_logits.softmax(1))


def kl_of(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum(1).mean()


def ascent(moved: Tensor, x: Tensor, eps: float, step: float, steps: int, objective: Callable) -> Tensor:
    """Signed gradient ascent within eps of x and [0, 1]; the start is brought there first."""
    moved = torch.minimum(torch.maximum(moved, x - eps), x + eps).clamp(0, 1)
    for _ in range(steps):
        leaf = moved.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(objective(leaf), leaf)
        moved = leaf.detach() + step * gradient.sign()
        moved = torch.minimum(torch.maximum(moved, x - eps), x + eps).clamp(0, 1)
    return moved.detach()


def awp(f: nn.Module, objective: Callable[[nn.Module], Tensor], gamma: float) -> None:
    """w + gamma ||w|| d / ||d|| layer by layer, d the difference that a step of SGD up the objective makes."""
    proxy = deepcopy(f).train()
    optimiser = torch.optim.SGD(proxy.parameters(), lr=0.01)
    (-objective(proxy)).backward()
    optimiser.step()
    with torch.no_grad():
        for weight, other in zip(f.parameters(), proxy.parameters(), strict=True):
            if weight.ndim > 1:
                d = other - weight
                weight += gamma * weight.norm() * d / d.norm()


def natural(f, batch, **_):
    return cross_entropy(f(batch.x), batch.y)


def pgd(f, batch, gamma=0):
    f.eval()
    start = batch.x + EPS * batch.uniform(torch.float64)
    moved = ascent(start, batch.x, EPS, STEP, STEPS, lambda z: cross_entropy(f(z), batch.y))
    f.train()
    if gamma:
        awp(f, lambda g: cross_entropy(g(moved), batch.y), gamma)
    return cross_entropy(f(moved), batch.y)


def trades_attack(f, batch):
    f.eval()
    p = f(batch.x).softmax(1).detach()
    start = batch.x + 0.001 * torch.randn(batch.x.shape, generator=batch.draws)
    moved = ascent(start, batch.x, EPS, STEP, STEPS, lambda z: kl_of(p, f(z).softmax(1)))
    f.train()
    return moved


def trades(f, batch):
    """The passes in train mode: clean for the cross-entropy, then attacked and clean ones for the divergence."""
    moved = trades_attack(f, batch)
    natural_loss = cross_entropy(f(batch.x), batch.y)
    attacked = f(moved)
    return natural_loss + 6 * kl(f(batch.x), attacked)


def trades_awp(f, batch):
    """Attacked and clean ones for the divergence, then clean ones for the cross-entropy."""
    moved = trades_attack(f, batch)
    x, y = batch.x, batch.y
    awp(f, lambda g: cross_entropy(g(x), y) + 6 * kl(g(x), g(moved)), 0.005)
    attacked = f(moved)
    divergence = kl(f(x), attacked)
    return cross_entropy(f(x), y) + 6 * divergence


def early(f, batch, omega: float, stops: Callable[[Tensor, Tensor], Tensor], tau: int) -> Tensor:
    """Algorithm 1 of FAT: an image that was past the stop tau times leaves at the next; the others step on."""
    f.eval()
    x, y, kept = batch.x, batch.y, {}
    moved = (x + EPS * batch.uniform()).clamp(0, 1)
    left, control = list(range(N)), dict.fromkeys(range(N), tau)
    for _ in range(STEPS):
        leaf = moved.detach().requires_grad_()
        logits = f(leaf)
        past = stops(logits.detach(), y[left])
        (gradient,) = torch.autograd.grad(cross_entropy(logits, y[left]), leaf)
        stay = []
        for place, image in enumerate(left):
            if past[place] and control[image] == 0:
                kept[image] = moved[place]
            else:
                control[image] -= int(past[place])
                stay.append(place)
        left = [left[place] for place in stay]
        if not left:
            break
        moved = moved[stay] + STEP * gradient[stay].sign()
        if omega:
            moved = moved + omega * torch.randn(moved.shape, generator=batch.draws)
        moved = torch.minimum(torch.maximum(moved, x[left] - EPS), x[left] + EPS).clamp(0, 1)
    assert kept and left, "some images stop early and some do not"
    kept |= {image: moved[place] for place, image in enumerate(left)}
    f.train()
    return torch.stack([kept[image] for image in range(N)]).detach()


def wrong(logits: Tensor, y: Tensor) -> Tensor:
    return logits.argmax(1) != y


def beyond_margin(logits: Tensor, y: Tensor) -> Tensor:
    """max over k != y of p_k, less p_y, above the threshold."""
    p = logits.softmax(1)
    rivals = torch.stack(
        [torch.cat([row[:k], row[k + 1 :]]).max() for row, k in zip(p, y.tolist(), strict=True)]
    )
    return rivals - p[torch.arange(len(y)), y] > MARGIN


def fat(f, batch):
    return cross_entropy(f(early(f, batch, 0.001, wrong, tau=1)), batch.y)


def ates(f, batch):
    return cross_entropy(f(early(f, batch, 0, beyond_margin, tau=0)), batch.y)


def fat_awp(f, batch):
    moved = early(f, batch, 0.001, wrong, tau=1)
    awp(f, lambda g: cross_entropy(g(moved), batch.y), 0.01)
    return cross_entropy(f(moved), batch.y)


def ates_awp(f, batch):
    moved = early(f, batch, 0, beyond_margin, tau=0)
    awp(f, lambda g: cross_entropy(g(moved), batch.y), 0.01)
    return cross_entropy(f(moved), batch.y)


def oaat_climb(f, batch, eps: float, start: float, objective: Callable) -> Tensor:
    """Its attacks: in train mode, from U(-start, start), OAAT["steps"] steps that travel 2.5 eps."""
    begin = batch.x + start * batch.uniform()
    return ascent(begin, batch.x, eps, 2.5 * eps / OAAT["steps"], OAAT["steps"], objective)


def oaat_warm_up(f, batch):
    """eps 8/255: TRADES' loss on a cross-entropy attack; the weights climb it at x + 2 delta."""
    x, y = batch.x, batch.y
    moved = oaat_climb(f, batch, 8 / 255, 4 / 255, lambda z: cross_entropy(f(z), y))
    far = (x + 2 * (moved - x)).clamp(0, 1)
    awp(f, lambda g: cross_entropy(g(x), y) + 2.5 * kl(g(x), g(far)), 0.005)
    attacked = f(moved)
    divergence = kl(f(x), attacked)
    return cross_entropy(f(x), y) + 2.5 * divergence


def oaat_sensitive(f, batch):
    """eps 16/255: x_hat at 24/255, where the weights climb CE + beta KL; then x_tilde against the mixture."""
    x, y = batch.x, batch.y
    x_hat = oaat_climb(f, batch, 24 / 255, 4 / 255, lambda z: cross_entropy(f(z), y))
    awp(f, lambda g: cross_entropy(g(x), y) + 2.5 * kl(g(x), g(x_hat)), 0.005)
    far, clean = f(x_hat), f(x)
    x_tilde = torch.minimum(torch.maximum(x_hat, x - 16 / 255), x + 16 / 255)
    target = 0.8 * clean.softmax(1) + 0.2 * far.softmax(1)
    return cross_entropy(clean, y) + 2.5 * kl_of(target, f(x_tilde).softmax(1))


def stages(reference: nn.Module, x: Tensor) -> Tensor:
    """Each stage's output by hooks, unit length over channels, over sqrt(H W), all in one vector an image."""
    seen: list[Tensor] = []
    hooks = [
        part.register_forward_hook(lambda module, inputs, output: seen.append(output))
        for part in reference.body.maps
        if isinstance(part, nn.Sequential) and len(part) == 2  # of ResNet18: two blocks each
    ]
    reference(x)
    for hook in hooks:
        hook.remove()
    assert len(seen) == 4
    scaled = [m / (m.square().sum(1, keepdim=True).sqrt() + 1e-10) / m[0, 0].numel() ** 0.5 for m in seen]
    return torch.cat([m.flatten(1) for m in scaled], 1)


def oaat_invariant(f, batch):
    """eps 16/255: the attack climbs CE - lambda LPIPS from U(-eps, eps); TRADES' loss and weights at it."""
    x, y = batch.x, batch.y
    reference = network(3).eval()
    clean = stages(reference, x).detach()

    def objective(z: Tensor) -> Tensor:
        return cross_entropy(f(z), y) - 0.7 * (stages(reference, z) - clean).norm(dim=1).mean()

    moved = oaat_climb(f, batch, 16 / 255, 16 / 255, objective)
    awp(f, lambda g: cross_entropy(g(x), y) + 2.5 * kl(g(x), g(moved)), 0.005)
    attacked, logits = f(moved), f(x)
    return cross_entropy(logits, y) + 2.5 * kl(logits, attacked)


FROM_0 = {"schedule": "steps", "values": [0, EPS], "at": [1]}
AWP = {"awp": {"gamma": 0.01}}
METHODS = {  # name: (recipe, formula, number of the batch)
    "natural": ({}, natural, 0),
    "PGD": ({"method": {"pgd": BALL}}, pgd, 0),
    "PGD at eps 0": (
        {"method": {"pgd": BALL | {"eps": {"schedule": "steps", "values": [0, EPS], "at": [1]}}}},
        natural,
        0,
    ),
    "PGD + AWP": ({"method": {"pgd": BALL}} | AWP, lambda f, batch: pgd(f, batch, 0.01), 0),
    "TRADES": ({"method": {"trades": BALL | {"beta": 6}}}, trades, 0),
    "TRADES + AWP": (
        {"method": {"trades": BALL | {"beta": 6, "first": "attacked"}}, "awp": {"gamma": 0.005}},
        trades_awp,
        0,
    ),
    "FAT": ({"method": {"fat": BALL | {"tau": 1}}}, fat, 0),
    "FAT + AWP": ({"method": {"fat": BALL | {"tau": 1}}} | AWP, fat_awp, 0),
    "ATES": ({"method": {"ates": BALL | {"threshold": MARGIN}}}, ates, 0),
    "ATES + AWP": ({"method": {"ates": BALL | {"threshold": MARGIN}}} | AWP, ates_awp, 0),
    "OA-AT, warm-up": (
        {"method": {"oaat": OAAT | {"eps": 8 / 255}}, "awp": {"gamma": 0.005, "reach": 2}},
        oaat_warm_up,
        0,
    ),
    "OA-AT, sensitive": (
        {"method": {"oaat": OAAT | {"eps": 16 / 255}}, "awp": {"gamma": 0.005}},
        oaat_sensitive,
        0,
    ),
    "OA-AT, invariant": (
        {"method": {"oaat": OAAT | {"eps": 16 / 255}}, "awp": {"gamma": 0.005}},
        oaat_invariant,
        1,
    ),
}


def furthest(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest difference relative to the largest value of each tensor."""
    pairs = zip(ours, theirs, strict=True)
    return max(((a - b).abs().max() / b.abs().max().clamp_min(1e-12)).item() for a, b in pairs)


def statistics(model: nn.Module) -> list[Tensor]:
    return [t for name, t in model.named_buffers() if "running" in name]


@pytest.mark.parametrize("name", METHODS)
def test_a_step_is_the_published_formula(name):
    given, formula, number = METHODS[name]
    trainer, loss, gradients = ours(given, number, 3 if "oaat" in given.get("method", {}) else None)
    before, f, batch = network(), network().train(), Batch(number)
    expected = formula(f, batch)
    theirs = torch.autograd.grad(expected, list(f.parameters()))
    descended = [weight - RATE * g for weight, g in zip(before.parameters(), theirs, strict=True)]
    found = {
        "loss": furthest([loss], [expected.detach()]),
        "gradients": furthest(gradients, list(theirs)),
        "statistics": furthest(statistics(trainer.network), statistics(f)),
        "weights": furthest(list(trainer.network.parameters()), descended),
    }
    print(f"\n{name:17} loss {loss:.6f}  " + "  ".join(f"{key} {value:.0e}" for key, value in found.items()))
    assert all(value < 1e-9 for value in found.values())


def test_weight_averaging_is_the_published_formula(tmp_path):
    """Twelve epochs of two steps: the mean is w after the first step of epoch int(3 * 12 / 4) + 2, then
    tau mean + (1 - tau) w, the statistics of batch norm included."""
    tau = 0.9
    schedule = {"schedule": "steps", "unit": "counted", "values": [0, tau], "at": [0.75], "late": 1}
    recipe = {
        "data": "toy",
        "model": {"name": "resnet18", "width": 0.0625},
        "optimiser": {"name": "sgd", "lr": 0.001},
        "batch": N,
        "epochs": 12,
        "averaging": schedule,
    }
    batch, passed = Batch(0), []
    data = ImageSet(batch.images, batch.labels, 10, (0.5,) * 3, (0.25,) * 3)
    made = canonical(recipe, "test")
    run = Trainer(made, seed=7, network=network(), train=data, validation=data, readouts=["averaged"])

    def remember(*_) -> None:
        state = run.network.state_dict()
        passed.append({key: t.clone() for key, t in state.items() if t.is_floating_point()})

    run.optimiser.register_step_post_hook(remember)
    list(run.run(tmp_path / "resume.pt"))
    first = 2 * (9 + 2 - 1)  # steps before epoch 11
    mean = passed[first]
    for later in passed[first + 1 :]:
        mean = {key: tau * mean[key] + (1 - tau) * later[key] for key in mean}
    found = run.readout("averaged")
    difference = furthest([found[key] for key in mean], list(mean.values()))
    print(f"\nweight averaging  {len(passed)} steps, averaged from step {first + 1} on: {difference:.0e}")
    assert difference < 1e-9 and not torch.equal(found["body.head.weight"], passed[-1]["body.head.weight"])
