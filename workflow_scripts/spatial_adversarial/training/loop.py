"""The training loop: the data set on the device, batched augmentation, any method, resumable."""

import logging
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from time import monotonic
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from spatial_adversarial import methods
from spatial_adversarial.data.images import ImageSet, batch_sizes
from spatial_adversarial.models.weights import save_weights
from spatial_adversarial.records.recipe import Recipe
from spatial_adversarial.runner.job import now
from spatial_adversarial.runner.seeds import derive, unit_draw
from spatial_adversarial.training import interrupt
from spatial_adversarial.training.averaging import average
from spatial_adversarial.training.awp import perturbed
from spatial_adversarial.training.checkpoint import Checkpoint, better, load, made_of, save
from spatial_adversarial.training.optimiser import make_optimiser
from spatial_adversarial.training.schedules import Clock, value
from spatial_adversarial.training.validation import accuracy_of, not_finite, robust_accuracy_of
from spatial_adversarial.transforms.augment import augment

# Random streams of an epoch: their seeds follow from these names, so that a new name would make other runs.
STREAMS = ("augment", "examples")


class Trainer:
    """One run: a canonical recipe, a seed, a network, its training images and (maybe empty) validation images.

    Images are [N, C, H, W], uint8 or float32 in [0, 1], labels int64 [N], the network's logits [N, K]; all lie on one
    device. `run` trains the network in place and writes the `snapshots`, {step: file of the weights that it leaves}. It
    replaces the checkpoint after its first and last epoch, after any that ends `save_every` seconds or more after the
    last save, and where a signal ends it early, or its caller closes it. `readouts` are the weights to be kept beside
    the last ones: "averaged", "best_robust".

    Every random draw of epoch e comes from streams seeded by (seed, name, e), that of a step's random schedules from
    (seed, step), so that a run resumed after epoch e ends, on a CPU, with bit-identical weights; so does one that a
    signal ended within an epoch.

    Raises ValueError where the best weights are to be kept and there are no validation images, for averaged weights
    of a recipe without averaging, and, in `run`, where training diverges.
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
        save_every: float = 0.0,
    ):
        self.recipe, self.seed, self.network = Recipe.of(recipe), seed, network
        self.save_every, self.saved = save_every, -math.inf  # when a checkpoint was saved
        self.began, self.earlier = now(), (0.0, 0.0)  # seconds and CPU seconds of interrupted processes
        _check_readouts(self.recipe, readouts, validation)
        self.train_set, self.validation_set = train, validation
        self.snapshots, self.readouts = snapshots, readouts
        self.device = train.images.device
        self.clock = Clock(recipe["phases"])
        self.batch_sizes = batch_sizes(len(train), self.recipe.batch)
        self.steps_an_epoch = len(self.batch_sizes)
        self.steps = self.clock.steps(self.steps_an_epoch)
        self.epochs = math.ceil(self.steps / self.steps_an_epoch)
        self.optimiser = make_optimiser(self.recipe.optimiser, network)
        self.averaged = AveragedModel(network, use_buffers=True) if "averaged" in readouts else None
        made = [methods.make(phase.method).memory(network) for phase in self.recipe.phases]
        self.memory = next((memory for memory in made if memory), None)
        self.checkpoint = Checkpoint(made_of(recipe, seed, network, train, validation))

    def run(self, resume: Path) -> Iterator[dict]:
        """Train to the end; yields each epoch's history row. What the checkpoint `resume` has is taken up at once."""
        self._resume(load(resume, self.checkpoint.made_of))
        return self._rest(resume)

    def _rest(self, resume: Path) -> Iterator[dict]:
        while self.checkpoint.epoch < self.epochs:
            try:
                row, robust = self._epoch(resume)
            except torch.cuda.OutOfMemoryError:
                raise RuntimeError(
                    f"the GPU's memory does not hold a training step: lower the recipe's `batch` "
                    f"({self.recipe.batch}, below overrides.recipes) or jobs_per_gpu"
                ) from None
            due = self.checkpoint.epoch + 1 == self.epochs or monotonic() - self.saved >= self.save_every
            with interrupt.signals_held(then=lambda: self._save(resume)):
                self._keep(row, robust)
                if due:
                    self._save(resume)
            try:
                yield row
            except GeneratorExit:  # closed by a caller that a signal ended
                if not due:
                    self._save(resume)
                raise

    def _epoch(self, resume: Path) -> tuple[dict, float | None]:
        """One pass over the training images (cut short where the run's last step comes first), or the rest of it.

        Returns the epoch's row, and robust accuracy on validation images where the weights of the best are kept.
        """
        torch.manual_seed(derive(self.seed, "dropout", self.checkpoint.epoch))
        order = self.train_set.order(self.recipe.batch, self._generator("order"))
        streams = {name: self._generator(name) for name in STREAMS}
        seen, sums = 0, torch.zeros(2, device=self.device)  # of loss and right answers: read once, at the end
        if self.checkpoint.part:
            seen, sums = interrupt.restore(self.checkpoint.part, streams, self.device)

        def keep_part() -> None:
            self.checkpoint.part = interrupt.capture(seen, sums, streams)
            self._gather()
            self._save(resume)

        self.network.train()
        done = self.checkpoint.step - self.checkpoint.epoch * self.steps_an_epoch
        for batch in order.split(self.batch_sizes)[done:]:
            if self.checkpoint.step == self.steps:
                break
            with interrupt.signals_held(then=keep_part):
                sums += self._step(batch, streams)
                seen += len(batch)
                self.checkpoint.step += 1
                if self.checkpoint.step in self.snapshots:
                    save_weights(self.network.state_dict(), self.snapshots[self.checkpoint.step])
        try:
            loss, accuracy = (sums / seen).tolist()
            self._check_finite(loss)
            validation, robust = accuracy_of(self.network, self.validation_set), self._robust_accuracy()
        except Exception:
            raise
        except BaseException:  # a signal: the epoch's steps need not be made again
            keep_part()
            raise
        row = {
            "epoch": self.checkpoint.epoch + 1,
            "step": self.checkpoint.step,
            "lr": self.optimiser.param_groups[0]["lr"],
            "loss": loss,
            "train_accuracy": accuracy,
            "validation_accuracy": validation,
        }
        return row, robust

    def _step(self, batch: Tensor, streams: dict[str, torch.Generator]) -> Tensor:
        """Descend once on the images at the indices `batch`, int64 [n].

        Returns [summed loss, number right] of the batch, float32 on the device.
        """
        step = self.checkpoint.step
        time, draw = self.clock.time(step, self.steps_an_epoch), unit_draw(self.seed, "ramps", step)
        phase = self.clock.phase(time, draw)
        self._set_optimiser(time, draw)
        x = augment(self.train_set.images[batch], phase["augment"], streams["augment"])
        y = self.train_set.labels[batch]
        method = methods.make(phase["method"])
        context = methods.Context(streams["examples"], step % self.steps_an_epoch, self.memory)

        with mixed_precision(self.recipe, x.device):
            adversarial = method.attack(self.network, x, y, context)
        batch_of = (self.network, x, adversarial, y)

        def climbed() -> Tensor:
            with mixed_precision(self.recipe, x.device):
                return method.climbed(*batch_of, reach=phase["awp"]["reach"], criterion=self._criterion)

        with perturbed(self.network, climbed, phase["awp"]["gamma"]):
            with mixed_precision(self.recipe, x.device):
                loss, logits = method.loss(*batch_of, criterion=self._criterion)
                method.after_loss(self.network, x)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
        self.optimiser.step()
        if self.averaged:
            decay = value(self.recipe.averaging, time, self.clock.length, draw)
            average(self.averaged, self.network, decay)
        if self.memory:
            self.memory.after_batch(self.network)
        return torch.stack([loss.detach() * len(batch), (logits.detach().argmax(1) == y).sum()])

    def _set_optimiser(self, time: int, draw: float) -> None:
        """Give the optimiser its learning rate, and let it forget its state where it begins anew."""
        spec, step = self.recipe.optimiser, self.checkpoint.step
        if self.clock.passes(spec.anew, step, self.steps_an_epoch):
            self.optimiser.state.clear()
        for group in self.optimiser.param_groups:
            group["lr"] = value(spec.lr, time, self.clock.length, draw)

    def _criterion(self, logits: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(logits, y, label_smoothing=self.recipe.label_smoothing)

    def _generator(self, name: str, ahead: int = 0) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(
            derive(self.seed, name, self.checkpoint.epoch + ahead)
        )

    def _check_finite(self, loss: float) -> None:
        """ValueError where an epoch's loss, or a weight or statistic that would be kept, is nan or infinite."""
        kept = dict(self.network.state_dict())
        if self.averaged:
            averaged = self.averaged.module.state_dict()
            kept |= {f"the mean of {key}": tensor for key, tensor in averaged.items()}
        if broken := not_finite(loss, kept):
            rate = self.optimiser.param_groups[0]["lr"]
            raise ValueError(
                f"training diverged in epoch {self.checkpoint.epoch + 1}: {broken} (optimiser.lr was {rate:g})"
            )

    # What is kept

    def weights(self) -> dict[str, Tensor]:
        """The weights that the recipe keeps: the last ones, or the best on validation."""
        return self.checkpoint.best[1] if self.checkpoint.best else self.network.state_dict()

    def readout(self, name: str) -> dict[str, Tensor]:
        """The weights of one of the `readouts`, once training has ended."""
        return self.averaged.module.state_dict() if name == "averaged" else self.checkpoint.best_robust[1]

    def _robust_accuracy(self) -> float | None:
        if "best_robust" not in self.readouts:
            return None
        stream, epoch = self._generator("selection", ahead=1), self.checkpoint.epoch + 1
        accuracy = robust_accuracy_of(self.network, self.validation_set, self.recipe.selection, stream)
        logging.info("epoch %d: robust accuracy %.4f on validation images", epoch, accuracy)
        return accuracy

    def _keep(self, row: dict, robust: float | None) -> None:
        """Bring the checkpoint up to what the epoch has reached."""
        self.checkpoint.epoch += 1
        self.checkpoint.history.append(row)
        self.checkpoint.part = None
        if self.memory:
            self.memory.after_epoch()
        self._gather()
        if self.recipe.keep == "best":
            self.checkpoint.best = better(self.checkpoint.best, row["validation_accuracy"], self.network)
        if robust is not None:
            self.checkpoint.best_robust = better(self.checkpoint.best_robust, robust, self.network)

    def _save(self, resume: Path) -> None:
        save(self.checkpoint, resume)
        self.saved = monotonic()

    def _gather(self) -> None:
        here = now()
        self.checkpoint.spent = (
            self.earlier[0] + here.time - self.began.time,
            self.earlier[1] + here.cpu - self.began.cpu,
        )
        self.checkpoint.network = self.network.state_dict()
        self.checkpoint.optimiser = self.optimiser.state_dict()
        self.checkpoint.averaged = self.averaged.state_dict() if self.averaged else None
        if "best_robust" not in self.readouts:
            self.checkpoint.best_robust = None  # of a part of the epochs only
        self.checkpoint.memory = self.memory.state_dict() if self.memory else None

    # Resuming

    def _resume(self, checkpoint: Checkpoint | None) -> None:
        """Go on from a checkpoint, unless weights that are to be kept of its steps are missing."""
        if checkpoint is None:
            return
        if self._lacks(checkpoint):
            logging.warning("weights to be kept of an earlier step are not there: training starts anew")
            return
        self.network.load_state_dict(checkpoint.network)
        self.optimiser.load_state_dict(checkpoint.optimiser)
        if self.averaged:
            self.averaged.load_state_dict(checkpoint.averaged)
        if self.memory:
            self.memory.load_state_dict(checkpoint.memory)
        self.checkpoint, self.earlier = checkpoint, checkpoint.spent
        epochs, steps = (checkpoint.epoch, self.epochs), (checkpoint.step, self.steps)
        logging.info("resumed after epoch %d of %d, step %d of %d", *epochs, *steps)

    def _lacks(self, checkpoint: Checkpoint) -> bool:
        """Whether a checkpoint is of a run that was not asked for all that this one is to keep."""
        return (
            any(step <= checkpoint.step and not path.exists() for step, path in self.snapshots.items())
            or (self.averaged is not None and checkpoint.averaged is None)
            or ("best_robust" in self.readouts and checkpoint.epoch > 0 and checkpoint.best_robust is None)
        )


def mixed_precision(recipe: Recipe, device: torch.device) -> torch.autocast:
    """bfloat16 where the recipe wants it; no cache, which a forward without gradients would spoil."""
    enabled = recipe.precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)


def _check_readouts(recipe: Recipe, readouts: Collection[str], validation: ImageSet) -> None:
    asked = {"keep: best": recipe.keep == "best", "best_robust": "best_robust" in readouts}
    for wanted, by_validation in asked.items():
        if by_validation and not len(validation):
            raise ValueError(f"{wanted} needs validation images, but split.validation is 0")
    if "averaged" in readouts and not recipe.averaging:
        raise ValueError("averaged weights of a recipe without averaging")
