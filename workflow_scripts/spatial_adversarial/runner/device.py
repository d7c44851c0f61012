"""Where a job runs: its device and threads, and its memory."""

import logging
import os
from collections.abc import Callable

import torch

from spatial_adversarial.runner.gpu_build import listed_gpus, torch_build, why_unusable

NO_GPU = "no GPU is visible to this process"


def pick_device(device: str, threads: int, *, repeatable: bool = False) -> torch.device:
    """The device of a job ("auto": a GPU where there is one), set up to repeat its results on a CPU.

    repeatable: as evaluation wants a GPU's convolutions, see `choose_convolutions`.
    Raises RuntimeError where "cuda" is asked for and there is none, where a GPU is there that PyTorch cannot use, and
    for more threads than the machine has.
    """
    if threads > (there := os.cpu_count() or 1):
        raise RuntimeError(f"config: threads: {threads}, but this machine has {there}")
    torch.set_num_threads(threads)
    choose_convolutions(repeatable=repeatable)
    if device != "cpu" and not torch.cuda.is_available():
        if gpus := listed_gpus():
            raise RuntimeError(f"config: device: {device}: {why_unusable(gpus, torch_build()) or NO_GPU}")
        if device == "cuda":
            raise RuntimeError(f"config: device: cuda: {NO_GPU}")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def choose_convolutions(*, repeatable: bool) -> None:
    """How cuDNN convolves: in evaluation the same kernels each time, in float32 as on a CPU; in training the fastest.

    Training has fixed shapes, for which the search for the fastest kernel is worth its time, and its steps bear the 10
    bits of TF32 (PyTorch's own default); an attack's small steps near a boundary are counted image by image.
    Products of matrices are in float32 everywhere.
    """
    torch.backends.cudnn.benchmark = not repeatable
    torch.backends.cudnn.deterministic = repeatable
    torch.backends.cudnn.allow_tf32 = not repeatable
    torch.backends.cuda.matmul.allow_tf32 = False


def halve_when_full(work: Callable[[int], object], batch: int):
    """work(batch), with half the batch each time the GPU's memory does not suffice; the result is the same."""
    while True:
        try:
            return work(batch)
        except torch.cuda.OutOfMemoryError:
            if batch == 1:
                raise RuntimeError("the GPU's memory does not hold even one image of this network") from None
        batch //= (
            2  # out of the handler, within which the error holds on to the tensors of the call that failed
        )
        torch.cuda.empty_cache()
        logging.warning("out of GPU memory: going on with batches of %d", batch)
