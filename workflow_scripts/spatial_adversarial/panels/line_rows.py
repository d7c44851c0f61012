"""Rows of evaluations: a metric of each member of a panel, at all points of a profile or at one."""

from collections.abc import Iterator

import numpy as np

from spatial_adversarial.metrics import METRICS, outcomes
from spatial_adversarial.panels.base import Made, Results, frame
from spatial_adversarial.records.climbed_label import climbed
from spatial_adversarial.records.drawing import DrawnLine
from spatial_adversarial.records.evaluation import Evaluation
from spatial_adversarial.records.panel import Line, Member, Panel
from spatial_adversarial.records.tidy import Row
from spatial_adversarial.statistics.sample import Sample


def labels(line: Line, member: Member) -> tuple[str, ...]:
    """The labels that the attack of a line climbs, the one that is drawn first."""
    return climbed(line.profiles[member.path].settings, METRICS[line.metric].climbs)


def rows_of_lines(panel: Panel, results: Results) -> Iterator[Made]:
    """The rows of all lines of a panel, for each label that their attacks climb."""
    for line in panel.lines:
        for member in panel.members:
            for label in labels(line, member):
                yield from rows_of_line(panel, line, member, label, results)


def rows_of_line(
    panel: Panel, line: Line, member: Member, label: str, results: Results, row_type: type[Row] = Row, **more
) -> Iterator[Made]:
    """A `row_type`, with the fields `more`, for each point of a line: its value over images and seeds."""
    from spatial_adversarial.statistics.bootstrap import summarise

    profile, seeds = line.profiles[member.path], results.seeds(member.path)
    metric, several = METRICS[line.metric], len(seeds) > 1
    found = [results.evaluation(member.path, profile, seed) for seed in seeds]
    measured = [outcomes(evaluation, line.metric, label) for evaluation in found]
    summary = summarise(measured, most=metric.most, **results.bootstrap)
    about = frame(panel, results) | results.clean(panel, member) | more
    about |= {
        "strength": member.strength,
        "attack_space": panel.space if "attack" in profile.settings else "",
        "profile": profile.key,
        "x_unit": profile.unit,
        "metric": line.metric,
        "interval": "seeds" if several else "test images",
        "n": len(found) if several else len(found[0].label),
        "seed": " ".join(map(str, seeds)),
        "status": results.status(member.path, profile.settings),
        "attacked_label": label,
        "reach": profile.reach,
    }
    zero = _zero_gradients(found) if metric.climbs else None
    for k, x in enumerate(found[0].x):
        if line.at is None or line.at[member.path] == x:
            numbers = {name: float(summary[name][k]) for name in ("value", "low", "high")}
            numbers |= {} if zero is None else {"zero_gradient": float(zero[k])}
            drawn, by_seed, images = (summary[name][k] for name in ("replicates", "seeds", "images"))
            sample = Sample(numbers["value"], drawn, by_seed, results.origin(member.path), int(images))
            yield row_type(**about, **numbers, x=x), sample


def _zero_gradients(found: list[Evaluation]) -> np.ndarray | None:
    """The share of images left standing at a gradient of 0, [P], the mean over seeds; None for all but PGD."""
    if found[0].zero_gradient is None:
        return None
    return np.mean([evaluation.zero_gradient.mean(axis=(1, 2)) for evaluation in found], axis=0)


def drawn_line(line: Line) -> DrawnLine:
    """What of a line its drawing takes."""
    points = set((line.at or {}).values())
    x = points.pop() if len(points) == 1 else None
    return DrawnLine(
        profile=next(iter(line.profiles.values())).key, metric=line.metric, label=line.label, x=x
    )
