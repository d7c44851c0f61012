"""The other sides: PGD of three libraries, thinly adapted, and the loops that one would write first."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_adversarial.data.images import ImageSet

Attack = Callable[[Tensor, Tensor], Tensor]


def torchattacks_pgd(network: nn.Module, images: ImageSet, eps: float, step: float, steps: int) -> Attack:
    """(x, y) -> adversarial images."""
    import torchattacks

    return torchattacks.PGD(network, eps=eps, alpha=step, steps=steps, random_start=True)


def foolbox_pgd(network: nn.Module, images: ImageSet, eps: float, step: float, steps: int) -> Attack:
    """(x, y) -> adversarial images; `run` spares foolbox the check of its result."""
    import foolbox

    attack = foolbox.attacks.LinfPGD(abs_stepsize=step, steps=steps, random_start=True)
    model = foolbox.PyTorchModel(network, bounds=(0, 1), device=images.images.device)
    return lambda x, y: attack.run(model, x, foolbox.criteria.Misclassification(y), epsilon=eps)


def art_pgd(network: nn.Module, images: ImageSet, eps: float, step: float, steps: int) -> Attack:
    """(x, y) -> adversarial images; they pass through NumPy, as ART wants."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    device = images.images.device
    classifier = PyTorchClassifier(
        network,
        nn.CrossEntropyLoss(),
        input_shape=tuple(images.images.shape[1:]),
        nb_classes=images.classes,
        clip_values=(0, 1),
        device_type="gpu" if device.type == "cuda" else "cpu",
    )
    ball = {"eps": eps, "eps_step": step, "max_iter": steps, "num_random_init": 1}
    attack = ProjectedGradientDescentPyTorch(classifier, **ball, batch_size=len(images), verbose=False)

    def generate(x: Tensor, y: Tensor) -> Tensor:
        return torch.from_numpy(attack.generate(x.cpu().numpy(), y.cpu().numpy())).to(device)

    return generate


PGD = {"torchattacks": torchattacks_pgd, "foolbox": foolbox_pgd, "ART": art_pgd}


@torch.no_grad()
def rotation_profile(network: nn.Module, images: Tensor, grid: list[float], batch: int) -> Tensor:
    """Predictions [1 + points, N], first of the clean images; each is turned alone, `batch` are predicted at once."""
    from torchvision.transforms import RandomRotation

    network.eval()
    points = []
    for degrees in (0, *grid):
        turn = RandomRotation(degrees)
        turned = [turn(image) for image in images]
        predictions = [
            network(torch.stack(turned[i : i + batch]).float() / 255) for i in range(0, len(images), batch)
        ]
        points.append(torch.cat(predictions).argmax(1))
    return torch.stack(points)


class Pictures(torch.utils.data.Dataset):
    """Images as torchvision's data sets give them: PIL pictures, each transformed when it is asked for."""

    def __init__(self, images: Tensor, labels: Tensor, transform: Callable):
        from torchvision.transforms.functional import to_pil_image

        self.pictures = [to_pil_image(image) for image in images.cpu()]
        self.labels, self.transform = labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self.transform(self.pictures[number]), self.labels[number]


def loader(images: ImageSet, batch: int, degrees: float) -> torch.utils.data.DataLoader:
    """Shuffled batches of pictures, each turned at random by up to `degrees`."""
    from torchvision.transforms import Compose, RandomRotation, ToTensor

    pictures = Pictures(images.images, images.labels, Compose([RandomRotation(degrees), ToTensor()]))
    return torch.utils.data.DataLoader(pictures, batch_size=batch, shuffle=True)


def epoch(network: nn.Module, optimiser: torch.optim.Optimizer, loader, attack: Attack | None) -> None:
    """An epoch of natural training, or on what `attack` makes of each batch, over a DataLoader."""
    device = next(network.parameters()).device
    network.train()
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        if attack:
            x = attack(x, y)
        optimiser.zero_grad()
        functional.cross_entropy(network(x), y).backward()
        optimiser.step()
