"""An interrupt within an epoch: a signal lets the job finish the current step and keep all that the rest needs."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

SIGNALS = (signal.SIGTERM, signal.SIGINT)  # a time limit's or a preemption's, and Ctrl-C


@contextmanager
def signals_held(then: Callable[[], None]) -> Iterator[None]:
    """Let a signal that would end the process wait for the end of the block; `then` is called before it acts.

    Outside the main thread, which alone may set handlers, nothing is held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda n, frame: came.append(n)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        then()
        signal.raise_signal(came[0])


def capture(seen: int, sums: Tensor, streams: dict[str, torch.Generator]) -> dict:
    """What the rest of an epoch depends on after `seen` images: sums so far, and where the random streams are."""
    states = {name: stream.get_state() for name, stream in streams.items()}
    where = {"device": sums.device.type, "dropout": _dropout_state(sums.device)}
    return {"seen": seen, "sums": sums, "streams": states} | where


def restore(part: dict, streams: dict[str, torch.Generator], device: torch.device) -> tuple[int, Tensor]:
    """Put the random streams, and the device's own, where `capture` found them; returns its (seen, sums).

    Streams of a GPU cannot go on on a CPU, nor the other way: there they start the rest of the epoch anew.
    """
    seen, sums = part["seen"], part["sums"].to(device)
    if part.get("device", device.type) != device.type:
        logging.warning("interrupted on %s, goes on on %s: other random draws", part["device"], device.type)
        return seen, sums
    for name, stream in streams.items():
        stream.set_state(part["streams"][name].cpu())
    if device.type == "cuda":
        torch.cuda.set_rng_state(part["dropout"].cpu(), device)
    else:
        torch.set_rng_state(part["dropout"].cpu())
    return seen, sums


def _dropout_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()
