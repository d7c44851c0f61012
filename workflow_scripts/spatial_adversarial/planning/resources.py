"""What a job asks for: minutes, memory and GPUs, from the plan's costs with a margin, more with each attempt."""

from dataclasses import dataclass
from functools import cache
from math import ceil, isnan

from spatial_adversarial.attacks.block import BLOCK
from spatial_adversarial.catalog import Catalog
from spatial_adversarial.planning.costs import Rates
from spatial_adversarial.planning.network_sizes import sizes
from spatial_adversarial.planning.plan import Job, Plan

START = 15  # minutes: a node that reads Python and torch from a file system shared by many, the first steps on a GPU
MARGIN = 3  # by which a job may be slower than the plan's rate has it
UNCOUNTED = 24 * 60  # minutes for a job on a data set whose number of images the registry does not tell
ALONE = 900  # MB of a process with torch; 620 to 1,100 were measured
WITH_GPU = 4000  # the same with a CUDA context
COPIES = 3  # of a data set, while it is read and put on the device
KEPT = {"train": 6, "evaluate": 5}  # values for each output of a layer; up to 5.3 and 3.3 were measured
STATES = 10  # copies of the weights: gradients, momentum, means, the checkpoint
MB = 1_000_000


@dataclass(frozen=True)
class Request:
    """Whole minutes and megabytes."""

    minutes: int
    megabytes: int


class Requests:
    """The requests of a configuration's jobs, by run; seeds do not matter. `counted` is what networks.json holds."""

    def __init__(self, catalog: Catalog, counted: dict[str, dict], rates: Rates):
        self.catalog = catalog
        self.sizes = sizes(catalog, counted)
        self.plan = Plan(catalog, self.sizes, rates)
        self.training = cache(self._training)
        self.evaluation = cache(self._evaluation)
        self.robust_images = cache(self._robust_images)

    def _training(self, run: str, attempt: int) -> Request:
        """Training of a run without its seed."""
        batch = self.catalog.recipe(run)["batch"]
        return self._request(self.plan.training(run, 0), run, "train", batch, attempt)

    def _evaluation(self, run: str, files: tuple[str, ...], attempt: int) -> Request:
        """Evaluation of a run, or of a read-out, on some profiles."""
        images = [self.catalog.profiles[run][file]["sample"] or BLOCK for file in files]
        batch = min(BLOCK, max(images))
        return self._request(self.plan.evaluation(run, files, 0), run, "evaluate", batch, attempt)

    def _robust_images(self, run: str, name: str, attempt: int) -> Request:
        """The images that show what a run's network sees."""
        mix = self.catalog.robust_images[run, name] | {"share": 1}
        return self._request(self.plan.robust_images(mix), run, "evaluate", BLOCK, attempt)

    def slices(self, run: str, attempt: int) -> Request:
        """A plane through two networks' boundaries: no more than a start."""
        return self._request(Job("other", ()), run, "evaluate", BLOCK, attempt)

    def _request(self, job: Job, run: str, work: str, batch: int, attempt: int) -> Request:
        config = self.catalog.config
        minutes = job.hours * 60 * MARGIN * config.get("jobs_per_gpu", 1)
        minutes = START + (UNCOUNTED if isnan(minutes) else minutes)
        whole = ceil(minutes * attempt)
        longest = config.get("longest_job") or whole
        megabytes = self._megabytes(run, work, batch)
        return Request(min(whole, longest), ceil(megabytes * attempt))

    def _megabytes(self, run: str, work: str, batch: int) -> float:
        """Memory of the machine; what the network needs is the GPU's own memory where there is one."""
        recipe = self.catalog.recipe(run)
        entry = self.catalog.registry["data"][recipe["data"]]
        images = (entry["train"] or 100_000) + (entry["test"] or 100_000)
        data = COPIES * images * entry["channels"] * entry["side"] ** 2
        network = self.sizes["/".join(run.split("/")[:2])]
        weights = 4 * STATES * network["parameters"]
        if self.plan.rates.device == "cuda":
            return WITH_GPU + (data + weights) / MB
        return ALONE + (data + weights + 4 * KEPT[work] * batch * network["activations"]) / MB


def gpu_request(config: dict) -> dict[str, int | str]:
    """One GPU, which SLURM is asked for by --gpus, or by --gres where the config has `gres`; none for `device: cpu`."""
    if config["device"] == "cpu":
        return {"gpu": 0}
    return {"gpu": 0, "gres": config["gres"]} if config.get("gres") else {"gpu": 1}
