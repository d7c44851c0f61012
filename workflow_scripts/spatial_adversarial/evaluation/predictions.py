"""Predictions of a block of images after the attack that a profile names, and pictures of the first ones."""

import torch
from torch import Tensor, nn

from spatial_adversarial.attacks.autoattack import InParts, autoattack, square
from spatial_adversarial.attacks.base import attack_mode
from spatial_adversarial.attacks.gama import gama
from spatial_adversarial.attacks.pgd import cross_entropy_each, divergence_each, pgd
from spatial_adversarial.attacks.spatial import grid, worst_pose
from spatial_adversarial.data.images import ImageSet, to_float
from spatial_adversarial.records.climbed_label import climbs_labels
from spatial_adversarial.records.evaluation import Pictures
from spatial_adversarial.runner.seeds import derive


def rows(profile: dict) -> list[str]:
    """What an `Evaluation` calls the rows that `attacked` gives."""
    if profile["attack"] != "pgd":
        return ["prediction"]
    return ["prediction", "zero_gradient", *(["prediction_predicted"] if climbs_labels(profile) else [])]


def attacked(space, images, labels, clean, profile, eps, names, batch) -> Tensor:
    """What one block of n images is taken for under attack, and with PGD where its gradient was 0: int64 [rows, n].

    Where it climbs labels, the last row is after the attack on the predicted ones, `clean`. From equal starts this
    differs from the one on the true labels on images that are wrong alone, so only those are attacked twice.
    """
    if profile["attack"] != "pgd":
        attack = _spatial_block if profile["attack"] == "spatial" else _strong_block
        return _restarted(
            lambda n: attack(space, images, labels, profile, eps, n, batch), labels, profile, names
        )

    def pgd_on(climbed: Tensor, chosen: Tensor) -> Tensor:
        def start(names) -> Tensor:
            return _pgd_block(space, images, climbed, chosen, profile, eps, names, batch)

        return _restarted(start, climbed[chosen], profile, names)

    found = pgd_on(labels, torch.ones_like(labels, dtype=torch.bool))
    if not climbs_labels(profile):
        return found
    wrong = clean != labels
    again = found.clone()
    if wrong.any():
        again[:, wrong] = pgd_on(clean, wrong)
    return torch.stack([found[0], found[1] | again[1], again[0]])


def _restarted(start, labels: Tensor, profile: dict, names) -> Tensor:
    """start(names) [rows, n], or that of the first restart whose predictions, its first row, are not the labels."""
    found = start(names)
    for again in range(1, profile["restarts"]):
        found = torch.where(found[0] == labels, start((*names, again)), found)
    return found


def _strong_block(space, images, labels, profile, eps, names, batch) -> Tensor:
    """Predictions after GAMA-PGD, Square or AutoAttack; an image that is wrong as it is is left so."""
    prediction = predict(space.model, images, batch)
    right = prediction == labels
    if not right.any():
        return prediction[None]
    model, x, y = InParts(space.model, batch), to_float(images[right]), labels[right]
    seed = derive(profile["seed"], profile["attack"], eps, *names)
    if profile["attack"] == "gama":
        generator = torch.Generator(x.device).manual_seed(seed)
        moved = gama(model, x, y, eps=eps, steps=profile["steps"], generator=generator)
    elif profile["attack"] == "square":
        moved = square(model, x, y, eps=eps, seed=seed, queries=profile["queries"])
    else:
        budget = {key: profile[key] for key in ("steps", "targets", "queries", "targeted_apgd")}
        moved = autoattack(model, x, y, eps=eps, seed=seed, **budget)
    prediction[right] = predict(space.model, moved, batch)
    return prediction[None]


def _spatial_block(space, images, labels, profile, degrees, names, batch) -> Tensor:
    """Predictions in the worst pose of a grid of rotations up to `degrees` and of shifts; nothing is random."""
    poses = grid(degrees, profile["turns"], profile["pixels"], profile["shifts"])
    shift_first = profile["first"] == "shift"
    parts = zip(images.split(batch), labels.split(batch), strict=True)
    found = [
        worst_pose(space.model, to_float(part), y, poses, batch=batch, shift_first=shift_first)
        for part, y in parts
    ]
    return torch.cat(found)[None]


def _pgd_block(space, images, labels, chosen, profile: dict, eps: float, names, batch: int) -> Tensor:
    """PGD at eps on the chosen images of a block, its random start drawn for the whole block at once.

    Returns predictions, and where the gradient was exactly 0 at some step and the label stands, int64 [2, chosen]. A
    gradient that is 0 stays so, because its image stays where it is; once the network is fooled it does no harm.
    """
    generator = stream(images.device, profile, "pgd", eps, *names)
    unit = torch.rand(images.shape, generator=generator, device=images.device)
    step = _step(profile, eps)
    found = []
    parts = [part[chosen].split(batch) for part in (images, labels, unit)]
    for part, y, start in zip(*parts, strict=True):
        climbed = y
        zero = torch.zeros(len(part), dtype=torch.bool, device=part.device)
        x = space.inputs(to_float(part))
        loss = cross_entropy_each
        if profile["loss"] == "kl":
            loss, y = divergence_each, space.attacked(x).log_softmax(1)
        first = x + eps * (2 * start - 1) if profile["random_start"] else x
        if profile["loss"] == "predicted_at_start":
            y = space.attacked(first.clamp(space.low, space.high)).argmax(1)
        adversarial = pgd(
            space.attacked,
            x,
            y,
            eps=eps,
            step=step,
            steps=profile["steps"],
            start=first,
            generator=None,
            norm=profile["norm"],
            loss=loss,
            keep_best=profile["keep"] == "best",
            low=space.low,
            high=space.high,
            watch=lambda gradient, zero=zero: zero.logical_or_(~gradient.flatten(1).any(1)),
        )
        prediction = space.model(adversarial).argmax(1)
        found.append(torch.stack([prediction, zero & (prediction == climbed)]))
    return torch.cat(found, dim=1)


def _step(profile: dict, eps: float) -> float:
    """The attack's step: as given, a share of eps, or ("relative") 2.5 eps / steps."""
    step = profile["step"]
    if step == "relative":
        return 2.5 * eps / profile["steps"]
    return step["of_eps"] * eps if isinstance(step, dict) else step


def pictures(network: nn.Module, images: ImageSet, profile: dict) -> Pictures:
    """The first images after PGD at each eps of the grid, with what the network takes them for."""
    x, y = to_float(images.images[: profile["pictures"]]), images.labels[: profile["pictures"]]
    kept, found = [], []
    for eps in profile["grid"]:
        step, generator = _step(profile, eps), stream(x.device, profile, "pictures", eps)
        with attack_mode(network):
            moved = pgd(network, x, y, eps=eps, step=step, steps=profile["steps"], generator=generator)
            found.append(network(moved).softmax(1).max(1))
        kept.append((255 * moved).round().to(torch.uint8))
    return Pictures(
        images=torch.stack(kept).cpu().numpy(),
        prediction=torch.stack([best.indices for best in found]).cpu().numpy(),
        probability=torch.stack([best.values for best in found]).cpu().numpy(),
    )


def stream(device: torch.device, profile: dict, *names) -> torch.Generator:
    """The random stream of that name for a profile."""
    return torch.Generator(device).manual_seed(derive(profile["seed"], *names))


def predict(model: nn.Module, images: Tensor, batch: int, inputs=lambda x: x) -> Tensor:
    """Predicted classes int64 [N] of images that are turned into the model's inputs batch by batch."""
    return torch.cat([model(inputs(to_float(part))).argmax(1) for part in images.split(batch)])
