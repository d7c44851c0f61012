"""Numbers that change over a run: a recipe's schedules, read at a time in the unit of its phases."""

import math
from itertools import accumulate


def value(number, time: float, length: float, draw: float | None = None):
    """A number or schedule at `time` of a run that is `length` long, both in epochs or both in steps.

    {schedule: drops, from, factor, at: [...]}: times `factor` at each time in `at` (epoch 50 done: at 50).
    {schedule: steps, values: [...], at: [...]}: the first of the values, and the next one at each time in `at`.
    {schedule: random, values: [...], weights: [...]}: one of the values, drawn in the shares of the weights: the
    one that `draw`, uniform in [0, 1), falls on. Schedules of equal weights so take the values of one place together.
    {schedule: linear | cosine, from, to, begin, end}: from `from` at `begin` (0) to `to` at `end` (the end of the run).
    With `unit: share` times are shares of the run's length. With `unit: counted` they are as well, but rounded down
    to whole epochs (or steps) and met by epochs counted from 1, so that a linear schedule arrives in the last epoch:
    (e - begin) / (end - begin) in epoch e; steps come in the first epoch past their time. There `late` puts the end,
    or the times of steps, so many epochs later. `least` is what a linear schedule never falls below.
    """
    if not isinstance(number, dict):
        return number
    if number.get("unit") == "counted":
        return value(_counted(number, length), time + 1, length)
    if number.get("unit") == "share":
        time, length = time / length, 1
    if number["schedule"] == "drops":
        return number["from"] * number["factor"] ** sum(time >= drop for drop in number["at"])
    if number["schedule"] == "random":
        if draw is None:
            raise ValueError("a random schedule needs a draw")
        ends = list(accumulate(number["weights"]))
        return number["values"][sum(draw * ends[-1] >= end for end in ends)]
    if number["schedule"] == "steps":
        return number["values"][sum(time >= step for step in number["at"])]
    begin, end = number.get("begin", 0), number.get("end", length)
    share = min(1.0, max(0.0, (time - begin) / (end - begin))) if end > begin else float(time >= end)
    if number["schedule"] == "cosine":
        share = (1 - math.cos(math.pi * share)) / 2
    return max(number.get("least", -math.inf), number["from"] + (number["to"] - number["from"]) * share)


def _counted(number: dict, length: float) -> dict:
    """A schedule of `unit: counted` with its times in epochs counted from 1, those of steps in the epoch after."""
    late = number.get("late", 0)

    def epochs(share: float) -> int:
        return int(share * length + 1e-9)  # 7/110 of 110 are 7, but 6.999... in floating point

    times = {"begin": epochs(number.get("begin", 0)), "end": epochs(number.get("end", 1)) + late}
    at = {"at": [epochs(time) + late + 1 for time in number["at"]]} if "at" in number else {}
    return {key: item for key, item in number.items() if key != "unit"} | times | at


def at(tree, time: float, length: float, draw: float | None = None):
    """A recipe's part with each schedule replaced by its value at `time` and `draw`; the tree itself is left alone."""
    if isinstance(tree, dict) and "schedule" not in tree:
        return {key: at(item, time, length, draw) for key, item in tree.items()}
    return value(tree, time, length, draw)


def largest(tree):
    """A recipe's part with each schedule replaced by the largest value that it takes."""
    if not isinstance(tree, dict):
        return tree
    if "schedule" not in tree:
        return {key: largest(item) for key, item in tree.items()}
    if tree["schedule"] == "drops":
        return tree["from"] * max(1, tree["factor"] ** len(tree["at"]))
    return max(tree.get("values") or (tree["from"], tree["to"], tree.get("least", -math.inf)))


class Clock:
    """The phases of a canonical recipe on one time line.

    `unit` is "epochs" or "steps", `length` the run's whole length in it.
    """

    def __init__(self, phases: list[dict]):
        self.unit = "steps" if "steps" in phases[0] else "epochs"
        self.phases = phases
        self.length = sum(phase[self.unit] for phase in phases)

    def steps(self, steps_an_epoch: int) -> int:
        """The run's length in steps."""
        return self.length if self.unit == "steps" else self.length * steps_an_epoch

    def time(self, step: int, steps_an_epoch: int) -> int:
        """The time of a step, counted from 0: the step itself, or the epoch that it lies in."""
        return step if self.unit == "steps" else step // steps_an_epoch

    def passes(self, shares: list[float], step: int, steps_an_epoch: int) -> bool:
        """Whether a step is the first of the first epoch (or step) past one of the shares of the run."""
        time = self.time(step, steps_an_epoch)
        before = self.time(step - 1, steps_an_epoch) if step else -1
        return any(before + 1 <= share * self.length < time + 1 for share in shares)

    def phase(self, time: int, draw: float | None = None) -> dict:
        """The phase that holds at a time, its schedules replaced by their values then, the random ones by `draw`."""
        passed = 0
        for phase in self.phases:
            passed += phase[self.unit]
            if time < passed:
                return at({key: phase[key] for key in ("augment", "method", "awp")}, time, self.length, draw)
        raise ValueError(f"time {time} lies past the run's end at {self.length} {self.unit}")
