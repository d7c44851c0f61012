"""Training steps and attacks on tensors that say they lie on a GPU: mixed devices and waits show without one.

torch's FakeTensorMode has shapes, types and devices, and no numbers. An operation on tensors of two devices raises
there, and so does Python's look at a number (`.item()`, `bool`), which on a GPU waits for all work in the queue. A
GPU's generators cannot be made without one: a stand-in takes their place, held to the device that it draws on. Nor can
torch's engine pass backwards there: gradients are zeros where their tensor lies.
"""

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from spatial_adversarial import models
from spatial_adversarial.attacks.block import Block, joined
from spatial_adversarial.attacks.deepfool import deepfool
from spatial_adversarial.attacks.gama import gama
from spatial_adversarial.attacks.gradient_ascent import pgd
from spatial_adversarial.attacks.pgd import Pgd
from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.evaluation.profiles import Space
from spatial_adversarial.records.identity import canonical
from spatial_adversarial.training import checkpoint, loop
from spatial_adversarial.transforms.augment import augment

pytestmark = pytest.mark.filterwarnings("ignore")  # torch tells that there is no GPU
N, SIDE = 4, 16
CUDA = torch.device("cuda", 0)
BALL = {"eps": 8 / 255, "step": 2 / 255, "steps": 1}
OAAT = {"steps": 1, "beta": 2.0, "alpha": 0.8, "lpips": 1.0, "start": 4 / 255}
OAAT |= {"imperceptible": 12 / 255, "largest": 24 / 255}
AWP = {"awp": {"gamma": 0.005, "reach": 2}}
STEPS = {
    "natural": {
        "augment": {"crop": 1, "flip": True, "jitter": 0.2, "shift": 1, "rotate": 30, "translate": 0.1}
    },
    "pgd": {"method": {"pgd": BALL}, "augment": {"rotate_translate": 0.2}},
    "pgd in L2": {"method": {"pgd": BALL | {"norm": "l2"}}},
    "trades": {"method": {"trades": BALL | {"beta": 6}}} | AWP,
    "fat": {"method": {"fat": BALL | {"tau": 1}}},
    "ates": {"method": {"ates": BALL | {"threshold": 0.5}}},
    "oaat": {"method": {"oaat": OAAT | {"eps": 8 / 255}}} | AWP,
    "oaat, sensitive": {"method": {"oaat": OAAT | {"eps": 16 / 255, "batches": ["sensitive"]}}} | AWP,
    "oaat, invariant": {"method": {"oaat": OAAT | {"eps": 16 / 255, "batches": ["invariant"]}}} | AWP,
}


class Generator:
    """What the code asks of a torch.Generator, on a device that may not be there."""

    def __init__(self, device="cpu"):
        self.device = torch.empty(0, device=device).device

    def manual_seed(self, seed: int):
        return self


def drawn(draw):
    """A function of torch that draws, held to its rule: generator and result lie on one device."""

    def checked(*args, generator=None, device="cpu", **kwargs):
        device = torch.empty(0, device=device).device
        assert generator is None or generator.device == device, (
            f"{draw.__name__}: {generator.device}, {device}"
        )
        return draw(*args, device=device, **kwargs)

    return checked


class EveryImage(TorchFunctionMode):
    """Lets every image through a mask: how many there are is a number, and fake tensors have none."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is Tensor.__getitem__ and getattr(args[1], "dtype", None) == torch.bool:
            return args[0].clone()
        return function(*args, **kwargs or {})


class Copies(TorchDispatchMode):
    """Counts copies from device to device, "cpu to cuda" and back, and those among them that wait for the queue."""

    def __init__(self):
        super().__init__()
        self.counts: dict[str, int] = {}
        self.waits: dict[str, int] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **kwargs or {})
        if "copy" in str(function) and isinstance(found, Tensor):
            source = args[1] if str(function).startswith("aten.copy_") else args[0]
            if isinstance(source, Tensor) and source.device.type != found.device.type:
                way = f"{source.device.type} to {found.device.type}"
                self.counts[way] = self.counts.get(way, 0) + 1
                if not (kwargs or {}).get("non_blocking") and True not in args[2:3]:
                    self.waits[way] = self.waits.get(way, 0) + 1
        return found


@pytest.fixture
def gpu(monkeypatch):
    """Within a test all tensors are fake, and generators stand-ins."""
    for name in ("rand", "randn", "randint", "randperm"):
        monkeypatch.setattr(torch, name, drawn(getattr(torch, name)))
    monkeypatch.setattr(torch, "Generator", Generator)
    for name in ("tensors_digest", "images_digest"):  # of numbers
        monkeypatch.setattr(checkpoint, name, lambda *_: "")
    # a copy of a network, as OA-AT keeps, is as fake as the network itself
    monkeypatch.setattr(FakeTensorMode, "__deepcopy__", lambda mode, memo: mode, raising=False)
    monkeypatch.setattr(torch.autograd, "grad", zeros_of)
    monkeypatch.setattr(Tensor, "backward", lambda loss: None)
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)  # its grid_sample has no fake form
    with FakeTensorMode():
        yield


def zeros_of(output: Tensor, inputs, **_) -> list[Tensor]:
    """A gradient of 0 for each of the inputs."""
    assert output.device == CUDA and output.requires_grad
    return [torch.zeros_like(x) for x in ([inputs] if isinstance(inputs, Tensor) else inputs)]


def network(name: str = "resnet18", **spec) -> nn.Module:
    spec = {"name": name, "width": 0.0625, "normalise": "dataset"} | spec
    with CUDA:
        return models.build(spec, channels=3, side=SIDE, classes=10, mean=(0.5,) * 3, std=(0.25,) * 3)


def images(device=CUDA) -> ImageSet:
    pixels = torch.zeros(N, 3, SIDE, SIDE, dtype=torch.uint8, device=CUDA)
    labels = torch.zeros(N, dtype=torch.int64, device=device)
    return ImageSet(pixels, labels, 10, (0.5,) * 3, (0.25,) * 3)


def trainer_of(given: dict, train: ImageSet) -> loop.Trainer:
    optimiser = {"name": "sgd", "lr": 0.1, "momentum": 0.9}
    recipe = {"data": "toy", "model": {"name": "resnet18"}, "optimiser": optimiser, "batch": N, "epochs": 1}
    return loop.Trainer(
        canonical(recipe | given, "test"), seed=0, network=network(), train=train, validation=train
    )


def step(trainer: loop.Trainer) -> Tensor:
    trainer.network.train()
    streams = {name: trainer._generator(name) for name in ("augment", "examples")}
    return trainer._step(trainer.train_set.order(N, trainer._generator("order")), streams)


@pytest.mark.parametrize("name", STEPS)
def test_a_training_step_stays_on_the_gpu_and_waits_for_no_number(gpu, name):
    if "oaat" in name and torch.cuda.is_available():
        pytest.skip("torch copies no network of fake tensors where there is a GPU")
    trainer = trainer_of(STEPS[name], images())
    with Copies() as copies, EveryImage():
        found = step(trainer)
    print(f"{name}: {copies.counts}, waiting {copies.waits}")
    assert found.device == CUDA and found.shape == (2,)
    assert "cuda to cpu" not in copies.counts and not copies.waits


def test_a_label_on_the_cpu_would_be_found(gpu):
    with pytest.raises(RuntimeError, match="different devices|at least two devices"):
        ATTACKS["l2"](network(), images().images.float(), images("cpu").labels, Generator(CUDA))


def test_a_look_at_a_number_and_a_generator_elsewhere_would_be_found(gpu):
    with pytest.raises(DataDependentOutputException):
        bool((images().labels == 0).all())
    with pytest.raises(AssertionError, match="randint: cpu, cuda:0"):
        ATTACKS["gama"](network(), images().images.float(), images().labels, Generator())


ATTACKS = {
    "linf": lambda model, x, y, g: pgd(model, x, y, generator=g, keep_best=True, loss=each, **BALL),
    "l2": lambda model, x, y, g: pgd(model, x, y, generator=g, norm="l2", **BALL),
    "gama": lambda model, x, y, g: gama(model, x, y, eps=8 / 255, steps=2, generator=g),
}


def each(logits: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, y, reduction="none")


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_stays_on_the_gpu_and_waits_for_no_number(gpu, name):
    model, x, y = network(), images().images.float(), images().labels
    with Copies() as copies:
        moved = ATTACKS[name](model, x, y, Generator(CUDA))
    print(f"{name}: {copies.counts}, waiting {copies.waits}")
    assert moved.device == CUDA and moved.shape == x.shape
    assert "cuda to cpu" not in copies.counts and not copies.waits


def test_blocks_joined_for_pgd_stay_on_the_gpu(gpu):
    """With the loss KL: others look at which images are wrong, once a batch of blocks."""
    space = Space(network(), "pixel")
    labels = images().labels
    blocks = [Block(space, images().images, labels, labels, labels, 9, 0, names=(0, k)) for k in (0, 1)]
    attack = Pgd(step="relative", steps=2, loss="kl")
    with Copies() as copies, EveryImage():
        found = attack.predictions(joined(blocks), 8 / 255)
    assert {row.device for row in found.values()} == {CUDA} and len(found["prediction"]) == 2 * N
    assert "cuda to cpu" not in copies.counts and not copies.waits


def test_deepfool_stays_on_the_gpu(gpu):
    with EveryImage():
        found = deepfool(network(), images().images.float(), classes=3, steps=2)
    assert {part.device for part in found} == {CUDA}


@pytest.mark.parametrize("spec", [{"name": "stdcnn", "group": "p4"}, {"name": "ptn_resnet18"}])
def test_networks_stay_on_the_gpu(gpu, spec):
    model = network(**spec, normalise="per_image") if "group" in spec else network(**spec)
    with Copies() as copies:
        logits = model(torch.rand(N, 3, SIDE, SIDE, device=CUDA))
    assert logits.device == CUDA and not copies.counts


def test_augmentation_stays_on_the_gpu(gpu):
    moved = augment(images().images, STEPS["natural"]["augment"], Generator(CUDA))
    assert moved.device == CUDA and moved.dtype == torch.float32
