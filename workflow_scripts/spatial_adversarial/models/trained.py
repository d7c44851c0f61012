"""A finished run, and the network that it trained."""

from dataclasses import dataclass
from pathlib import Path

from spatial_adversarial.data.images import ImageSet
from spatial_adversarial.models.loading import load_network
from spatial_adversarial.models.network import Network
from spatial_adversarial.runner.run_folder import checked, read_run


@dataclass(frozen=True)
class Trained:
    """A finished run, as its run.yaml tells it: its name with the seed, its network, and the file of its weights."""

    name: str
    model: dict
    weights: Path

    @classmethod
    def of(cls, folder: Path, weights: str, data: str) -> "Trained":
        """ValueError, one line, where the run is not finished, or damaged, or of data with another digest."""
        told = read_run(folder, data=data)
        return cls(told["run"], told["recipe"]["model"], checked(folder, weights, told))

    def network(self, images: ImageSet) -> Network:
        """Its network for these images, on their device."""
        return load_network(self.model, images, seed=0, weights=self.weights).to(images.images.device)
