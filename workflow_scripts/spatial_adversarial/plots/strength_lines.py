"""Panels against the training strength: accuracies, or the mean L2 distance that DeepFool finds."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator
from pandas import DataFrame, Series

from spatial_adversarial.plots import style
from spatial_adversarial.plots.profile_curves import curve
from spatial_adversarial.records.drawing import DrawnPanel

DISTANCE, SUCCESS = "mean_l2_distance", "attack_success_rate"
LINES = 4  # looks to choose from, at least
WIDE = 7  # strengths further apart than this, such as steps of training, are drawn by their logarithms


def draw_panel(axes: Axes, rows: DataFrame, panel: DrawnPanel) -> list[Line2D]:
    """Draw one line for each {profile, metric, label} of `panel.lines`, at its point x if given; return the lines.

    Accuracies are drawn in percent, `mean_l2_distance` in the units of the network's input, from 0. An accuracy among
    rates of success is drawn in the one style that no other line has. ValueError if a line has no rows, or if
    distances and accuracies share a panel.
    """
    ours, theirs = style.by_source(rows)
    lines, published_marks, crossed = [], [], []
    for wanted, look in zip(panel.lines, _looks(panel), strict=True):
        own, published = (
            part[
                (part["metric"] == wanted.metric)
                & (part["profile"] == wanted.profile)
                & (wanted.x is None or _near(part["x"], wanted.x))
            ]
            for part in (ours, theirs)
        )
        if own.empty:
            raise ValueError(f"panel {panel.letter}: no {wanted.metric} of profile {wanted.profile}")
        own = own.assign(x=own["strength"])
        lines.append(curve(axes, own, look, wanted.label))
        crossed += _crossed(axes, own[style.not_learnt(own)])
        published_marks += style.hollow(axes, published["strength"], published["value"], look)
    _strength_axis(axes, panel, theirs["strength"].dropna().tolist())
    _value_axis(axes, panel)
    return lines + published_marks + crossed[:1]


def _crossed(axes: Axes, rows: DataFrame) -> list[Line2D]:
    """Cross out the points of networks not shown to have learnt; the legend's entry, if any."""
    if rows.empty:
        return []
    shape = {"linestyle": "none", "marker": "x", "color": "0.45", "markersize": 6, "markeredgewidth": 1}
    axes.plot(rows["x"], rows["value"].astype(float), clip_on=False, **shape)
    return [Line2D([], [], label=style.UNLEARNT, **shape)]


def _looks(panel: DrawnPanel) -> list[dict]:
    """Each line's look: rates of success have the common ones, and an accuracy over them one of its own.

    Looks are chosen from as many as the figure's fullest panel has lines (most_lines): a line looks alike in all.
    """
    lines = panel.lines
    apart = [line.metric != SUCCESS and any(other.metric == SUCCESS for other in lines) for line in lines]
    looks = iter(style.looks(max(LINES, panel.most_lines, apart.count(False))))
    return [style.APART if alone else next(looks) for alone in apart]


def _strength_axis(axes: Axes, panel: DrawnPanel, published: list[float]) -> None:
    """Ticks at the strengths, published ones too; the first, the last and what fits between have labels."""
    ticks = sorted({*panel.strengths, *published})
    if ticks[0] > 0 and ticks[-1] / ticks[0] > WIDE:
        axes.set_xscale("log")
    labels = {tick: _text(tick, panel.strength_label) for tick in ticks}
    inches = axes.get_window_extent().width / axes.figure.dpi
    places = axes.get_xaxis().get_transform().transform(np.array(ticks, dtype=float))
    places = (places - places[0]) / max(places[-1] - places[0], 1e-12) * 0.9 * inches
    halves = [0.03 * len(labels[tick]) + 0.005 for tick in ticks]
    told, end, last = {ticks[0], ticks[-1]}, places[0] + halves[0], places[-1] - halves[-1]
    for tick, place, half in list(zip(ticks, places, halves, strict=True))[1:-1]:
        if place - half >= end and place + half <= last:
            told.add(tick)
            end = place + half
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([labels[tick] if tick in told else "" for tick in ticks])
    axes.set_xlabel(panel.strength_label)


def _text(strength: float, label: str) -> str:
    return f"{strength:,.0f}" if strength >= 1000 else style.strength_text(strength, label)


def _near(values: Series, wanted: float) -> Series:
    return (values - wanted).abs() < 1e-6


def _value_axis(axes: Axes, panel: DrawnPanel) -> None:
    metrics = {line.metric for line in panel.lines}
    if metrics == {DISTANCE}:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_ylabel("mean L2 distance")
    elif DISTANCE in metrics:
        raise ValueError(f"panel {panel.letter}: {DISTANCE} and accuracies cannot share an axis")
    else:
        told = [style.metric_label(metric) for metric in sorted(metrics)]
        style.percent_axis(axes, ", ".join(told) if len(told) == 1 or SUCCESS in metrics else "accuracy")
