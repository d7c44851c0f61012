"""The training loop: the data set on the device, batched augmentation, any method, resumable."""

import logging
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from spatial_adversarial import methods
from spatial_adversarial.attacks.pgd import pgd
from spatial_adversarial.data.images import ImageSet, batch_sizes, images_digest, tensors_digest
from spatial_adversarial.models.weights import save_weights
from spatial_adversarial.records.identity import digest, identity
from spatial_adversarial.runner.seeds import derive, unit_draw
from spatial_adversarial.training import interrupt
from spatial_adversarial.training.awp import perturbed
from spatial_adversarial.training.checkpoint import State, load, save
from spatial_adversarial.training.schedules import Clock, value
from spatial_adversarial.transforms.augment import augment
from spatial_adversarial.transforms.pixels import to_float


class Trainer:
    """One run: a canonical recipe, a seed, a network, its training images and (maybe empty) validation images.

    The network and the images lie on one device. Every random draw of epoch e comes from streams seeded by
    (seed, name, e), that of a step's random schedules from (seed, step), so that a run resumed after epoch e ends, on a
    CPU, with bit-identical weights; so does one that a signal ended within an epoch. `snapshots` says where to keep
    the weights that a step leaves: {step: file}.
    ValueError where the best weights are to be kept and there are no validation images.
    """

    def __init__(
        self,
        recipe: dict,
        *,
        seed: int,
        network: nn.Module,
        train: ImageSet,
        validation: ImageSet,
        snapshots: Mapping[int, Path] = MappingProxyType({}),
        readouts: Collection[str] = (),
    ):
        for wanted, asked in (
            ("keep: best", recipe["keep"] == "best"),
            ("best_robust", "best_robust" in readouts),
        ):
            if asked and not len(validation):
                raise ValueError(f"{wanted} needs validation images, but split.validation is 0")
        if "averaged" in readouts and not recipe["averaging"]:
            raise ValueError("averaged weights of a recipe without averaging")
        self.recipe, self.seed, self.network = recipe, seed, network
        self.train_set, self.validation_set = train, validation
        self.device = train.images.device
        self.clock = Clock(recipe["phases"])
        self.batch_sizes = batch_sizes(len(train), recipe["batch"])
        self.steps_an_epoch = len(self.batch_sizes)
        self.steps = self.clock.steps(self.steps_an_epoch)
        self.optimiser = make_optimiser(recipe["optimiser"], network)
        self.averaged = None
        if "averaged" in readouts:
            self.averaged = AveragedModel(network, use_buffers=True)
        made = [methods.make(phase["method"]).memory(network) for phase in recipe["phases"]]
        self.memory = next((memory for memory in made if memory), None)
        self.snapshots, self.readouts = snapshots, readouts
        self.state = State(self._made_of())

    @property
    def epochs(self) -> int:
        return math.ceil(self.steps / self.steps_an_epoch)

    def run(self, resume: Path) -> Iterator[dict]:
        """Train to the end, or on from the state in `resume`; yields each epoch's history row once it is safe."""
        state = load(resume, self.state.made_of)
        if state and self._lacks(state):
            logging.warning("weights to be kept of an earlier step are not there: training starts anew")
        elif state:
            self._restore(state)
            logging.info(
                "resumed after epoch %d of %d, step %d of %d",
                state.epoch,
                self.epochs,
                state.step,
                self.steps,
            )
        while self.state.epoch < self.epochs:
            try:
                row = self._epoch(resume)
            except torch.cuda.OutOfMemoryError:
                raise RuntimeError(
                    f"the GPU's memory does not hold a training step: lower the recipe's `batch` "
                    f"({self.recipe['batch']}, below overrides.recipes) or jobs_per_gpu"
                ) from None
            self._keep(row)
            save(self.state, resume)
            yield row

    def _made_of(self) -> dict[str, str]:
        """All that a run's weights follow from."""
        return {
            "recipe": digest(identity(self.recipe, "recipe"), 64),
            "seed": str(self.seed),
            "data": images_digest(self.train_set, self.validation_set),
            "start weights": tensors_digest(*self.network.state_dict().values()),
        }

    def weights(self) -> dict[str, Tensor]:
        """The weights that the recipe keeps: the last ones, or the best on validation."""
        return self.state.best[1] if self.state.best else self.network.state_dict()

    def readout(self, name: str) -> dict[str, Tensor]:
        """The weights of one of the `readouts`, once training has ended."""
        return self.averaged.module.state_dict() if name == "averaged" else self.state.best_robust[1]

    def _lacks(self, state: State) -> bool:
        """Whether a state was saved by a run that was not asked for all that this one is to keep."""
        return (
            any(step <= state.step and not path.exists() for step, path in self.snapshots.items())
            or (self.averaged is not None and state.averaged is None)
            or ("best_robust" in self.readouts and state.epoch > 0 and state.best_robust is None)
        )

    def _restore(self, state: State) -> None:
        self.network.load_state_dict(state.network)
        self.optimiser.load_state_dict(state.optimiser)
        if self.averaged:
            self.averaged.load_state_dict(state.averaged)
        if self.memory:
            self.memory.load_state_dict(state.memory)
        self.state = state

    def _keep(self, row: dict) -> None:
        """Bring the state up to what the epoch reached."""
        self.state.epoch += 1
        self.state.history.append(row)
        self.state.part = None
        if self.memory:
            self.memory.after_epoch()
        self._gather()
        if self.recipe["keep"] == "best":
            self.state.best = self._better(self.state.best, row["validation_accuracy"])
        if "best_robust" in self.readouts:
            accuracy = self._robust_accuracy()
            logging.info("epoch %d: robust accuracy %.4f on validation images", self.state.epoch, accuracy)
            self.state.best_robust = self._better(self.state.best_robust, accuracy)

    def _better(self, best: tuple[float, dict] | None, accuracy: float) -> tuple[float, dict]:
        """The best accuracy so far with its weights; the first of equal ones stays."""
        if best and accuracy <= best[0]:
            return best
        return accuracy, {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def _robust_accuracy(self) -> float:
        """Accuracy under PGD on the first validation images, in eval mode."""
        settings = dict(self.recipe["selection"])
        some = slice(settings.pop("images"))
        x, y = to_float(self.validation_set.images[some]), self.validation_set.labels[some]
        moved = pgd(self.network, x, y, generator=self._generator("selection"), **settings)
        return accuracy_of(self.network, replace(self.validation_set, images=moved, labels=y))

    def _gather(self) -> None:
        self.state.network = self.network.state_dict()
        self.state.optimiser = self.optimiser.state_dict()
        self.state.averaged = self.averaged.state_dict() if self.averaged else None
        self.state.memory = self.memory.state_dict() if self.memory else None

    def _generator(self, name: str) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(derive(self.seed, name, self.state.epoch))

    def _epoch(self, resume: Path) -> dict:
        """One pass over the training images (cut short where the run's last step comes first), or the rest of it."""
        torch.manual_seed(derive(self.seed, "dropout", self.state.epoch))
        order = self.train_set.order(self.recipe["batch"], self._generator("order"))
        streams = {name: self._generator(name) for name in ("augment", "examples")}
        seen, sums = 0, torch.zeros(2, device=self.device)  # of loss and right answers: read once, at the end
        if self.state.part:
            seen, sums = interrupt.restore(self.state.part, streams, self.device)

        def keep_part() -> None:
            self.state.part = interrupt.capture(seen, sums, streams)
            self._gather()
            save(self.state, resume)

        self.network.train()
        done = self.state.step - self.state.epoch * self.steps_an_epoch
        for batch in order.split(self.batch_sizes)[done:]:
            if self.state.step == self.steps:
                break
            with interrupt.signals_held(then=keep_part):
                sums += self._step(batch, streams)
                seen += len(batch)
                self.state.step += 1
                if self.state.step in self.snapshots:
                    save_weights(self.network.state_dict(), self.snapshots[self.state.step])
        loss, accuracy = (sums / seen).tolist()
        self._check_finite(loss)
        return {
            "epoch": self.state.epoch + 1,
            "step": self.state.step,
            "lr": self.optimiser.param_groups[0]["lr"],
            "loss": loss,
            "train_accuracy": accuracy,
            "validation_accuracy": accuracy_of(self.network, self.validation_set),
        }

    def _check_finite(self, loss: float) -> None:
        """ValueError where an epoch's loss, or a weight or statistic that would be kept, is nan or infinite."""
        broken = f"the loss is {loss}"
        if math.isfinite(loss):
            kept = dict(self.network.state_dict())
            if self.averaged:
                kept |= {
                    f"the mean of {key}": item for key, item in self.averaged.module.state_dict().items()
                }
            finite = torch.stack([tensor.isfinite().all() for tensor in kept.values()]).tolist()
            if all(finite):
                return
            broken = f"{list(kept)[finite.index(False)]} is no longer finite"
        rate = self.optimiser.param_groups[0]["lr"]
        raise ValueError(
            f"training diverged in epoch {self.state.epoch + 1}: {broken} (optimiser.lr was {rate:g})"
        )

    def _step(self, batch: Tensor, streams: dict[str, torch.Generator]) -> Tensor:
        """Descend once; returns [summed loss, number right] of the batch on the device."""
        time = self.clock.time(self.state.step, self.steps_an_epoch)
        draw = unit_draw(self.seed, "ramps", self.state.step)
        phase = self.clock.phase(time, draw)
        if self._restarts(time):
            self.optimiser.state.clear()
        for group in self.optimiser.param_groups:
            group["lr"] = value(self.recipe["optimiser"]["lr"], time, self.clock.length, draw)
        x = augment(self.train_set.images[batch], phase["augment"], streams["augment"])
        y = self.train_set.labels[batch]
        method = methods.make(phase["method"])
        context = methods.Context(streams["examples"], self.state.step % self.steps_an_epoch, self.memory)

        with self._autocast():
            adversarial = method.attack(self.network, x, y, context)
        batch_of = (self.network, x, adversarial, y)

        def climbed() -> Tensor:
            with self._autocast():
                return method.climbed(*batch_of, reach=phase["awp"]["reach"], criterion=self._criterion)

        with perturbed(self.network, climbed, phase["awp"]["gamma"]):
            with self._autocast():
                loss, logits = method.loss(*batch_of, criterion=self._criterion)
                method.after_loss(self.network, x)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
        self.optimiser.step()
        if self.averaged:
            decay = value(self.recipe["averaging"], time, self.clock.length, draw)
            self.averaged.multi_avg_fn = get_ema_multi_avg_fn(decay)
            self.averaged.update_parameters(self.network)
            if not decay:  # the mean is the network itself, and begins with the weights after the next step
                self.averaged.n_averaged.zero_()
        if self.memory:
            self.memory.after_batch(self.network)
        return torch.stack([loss.detach() * len(batch), (logits.detach().argmax(1) == y).sum()])

    def _restarts(self, time: int) -> bool:
        """Whether this is the first step of the first epoch past a share of the run after which it begins anew."""
        before = self.clock.time(self.state.step - 1, self.steps_an_epoch) if self.state.step else -1
        passed = [share * self.clock.length for share in self.recipe["optimiser"]["anew"]]
        return any(before + 1 <= end < time + 1 for end in passed)

    def _autocast(self) -> torch.autocast:
        """Mixed precision where the recipe wants it; no cache, which a forward without gradients would spoil."""
        enabled = self.recipe["precision"] == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)

    def _criterion(self, logits: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(logits, y, label_smoothing=self.recipe["label_smoothing"])


def make_optimiser(spec: dict, network: nn.Module) -> torch.optim.Optimizer:
    """torch's SGD or Adam for a recipe's `optimiser`; the loop sets the learning rate at each step."""
    groups = parameter_groups(network, spec)
    if spec["name"] == "adam":
        return torch.optim.Adam(groups, lr=0.0)
    return torch.optim.SGD(groups, lr=0.0, momentum=spec["momentum"], nesterov=spec["nesterov"])


def parameter_groups(network: nn.Module, spec: dict) -> list[dict]:
    """All parameters with their weight decay; with `decayed: weights` two groups, of which the second has none."""
    decay = spec["weight_decay"]
    if spec["decayed"] == "all":
        return [{"params": list(network.parameters()), "weight_decay": decay}]
    weights = {m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    decayed = [p for p in network.parameters() if p in weights]
    others = [p for p in network.parameters() if p not in weights]
    return [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


@torch.no_grad()
def accuracy_of(network: nn.Module, images: ImageSet, batch: int = 1000) -> float:
    """Natural accuracy in [0, 1] in eval mode; nan for no images. The network's mode is left as it was."""
    if not len(images):
        return math.nan
    mode = network.training
    network.eval()
    right = [
        (network(to_float(x)).argmax(1) == y).sum()
        for x, y in zip(images.images.split(batch), images.labels.split(batch), strict=True)
    ]
    network.train(mode)
    return torch.stack(right).sum().item() / len(images)
