"""Descriptions of targets that figures and tables are made from, and their captions."""

from collections.abc import Callable
from functools import partial

import pandas as pd

from spatial_adversarial.catalog import Catalog, Target
from spatial_adversarial.catalog.panel_specs import robust_images_words
from spatial_adversarial.panels import PANELS, TARGETS
from spatial_adversarial.panels.base import STRENGTH, Caption
from spatial_adversarial.records.drawing import DrawnFigure, DrawnPanel, over_their_panels
from spatial_adversarial.records.panel import Line, Panel
from spatial_adversarial.reporting.attack_settings import attack_words, budgets_sentence, labels_sentence

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(catalog: Catalog, target: Target) -> DrawnFigure:
    """A figure as `panels.draw` takes it."""
    panels = TARGETS[target.kind].description(target.spec, target.panels, _attack_words(catalog, target))
    if panels is None:
        statuses = catalog.panel_statuses(target)
        described = (_panel(catalog, *pair) for pair in zip(target.panels, statuses, strict=True))
        panels = over_their_panels(tuple(described))
    return DrawnFigure(
        paper=target.paper,
        target=target.name,
        kind=target.kind,
        title=target.title,
        columns=target.columns,
        caption=caption(catalog, target),
        panels=panels,
    )


def comparable(catalog: Catalog, rows: pd.DataFrame) -> pd.DataFrame:
    """Tidy rows as they are shown: without the published numbers of data that a stand-in replaces.

    A row that names no data, such as one computed from rows that were not run, goes with its table.
    """
    replaced = rows.data.isin(catalog.config["stand_ins"].values())
    replaced |= replaced.any() & (rows.data.fillna("") == "")
    if "source" in rows:
        rows, replaced = (kept[~(replaced & (rows.source == "published"))] for kept in (rows, replaced))
    return rows.assign(published=rows.published.mask(replaced)) if "published" in rows else rows


def _panel(catalog: Catalog, panel: Panel, status: str) -> DrawnPanel:
    kind = PANELS[panel.kind]
    data, network = (
        catalog.registry[part][key]["label"] for part, key in (("data", panel.data), ("models", panel.model))
    )
    return DrawnPanel(
        letter=panel.letter,
        kind=panel.kind,
        x_axis=kind.x_axis,
        title=f"({panel.letter}) {panel.title}",
        data=data,
        network=network,
        family=panel.title.removeprefix(f"{data}, {network}, "),
        strength_label=panel.strength,
        strengths=tuple(member.strength for member in panel.members),
        attack_space=panel.space,
        status=status,
        reason=panel.reason,
        **kind.description(panel),
    )


def _attack_words(catalog: Catalog, target: Target) -> Callable[[Line], str]:
    """`attack_words` of the lines of a target; where it is of several data sets, the largest says what a sample is."""
    sizes = [catalog.registry["data"][panel.data].get("test") for panel in target.panels if panel.data]
    return partial(attack_words, test_images=None if None in sizes else max(sizes, default=None))


def table(catalog: Catalog, target: Target) -> dict:
    """A table of results as `result_tables.results_layout` takes it.

    A heading says how far the attack that ran goes, "PGD, eps 8/255 (%) ¹"; the rest stands in the notes.
    """
    lines = [(line, panel) for panel in target.panels for line in panel.lines]
    told = _attack_words(catalog, target)
    headings, notes = {}, []
    for name, label in target.spec["columns"].items():
        words = [told(line) for line, panel in lines if line.name == name and not panel.reason]
        words = list(dict.fromkeys(one for one in words if one))
        reach = {one.split(", ")[0] for one in words if one.startswith(("eps", "L2 eps", "±"))}
        headings[name] = f"{label}, {reach.pop()} (%)" if len(reach) == 1 else f"{label} (%)"
        note = "; ".join(words)
        if note and not headings[name].endswith(f", {note} (%)"):
            notes += [note] if note not in notes else []
            headings[name] += f" {str(notes.index(note) + 1).translate(RAISED)}"
    words = [f"{str(k).translate(RAISED)} {note}." for k, note in enumerate(notes, start=1)]
    return target.spec | {"columns": headings, "notes": [" ".join(words)] if words else []}


def unlike(catalog: Catalog, rows: pd.DataFrame) -> pd.Series:
    """For each tidy row, whether its network is not the paper's: a difference to published numbers would be of both."""
    changed = {model: not catalog.is_unchanged(model) for model in set(rows.model.dropna()) - {""}}
    return rows.model.map(changed).fillna(any(changed.values())).astype(bool)


def caption(catalog: Catalog, target: Target) -> str:
    """The sentences below a figure or table: title, what the bands are, what is reduced, what is not run."""
    parts = [f"{target.title}."]
    about = Caption(
        intervals=intervals(catalog, target),
        several_seeds=any(len(catalog.seeds(path)) > 1 for path in target.paths()),
        stand_ins=frozenset(catalog.config["stand_ins"].values()),
    )
    parts += TARGETS[target.kind].caption(target.spec, target.panels, about)
    parts += sorted(
        {
            f"Robust images: {whose}."
            for panel in target.panels
            if (whose := robust_images_words(panel.members))
        }
    )
    against = [one for one in target.panels if not one.reason and PANELS[one.kind].x_axis == STRENGTH]
    parts.append(
        budgets_sentence(against, {key: one["label"] for key, one in catalog.registry["data"].items()})
    )
    parts.append(
        labels_sentence([line for panel in target.panels if not panel.reason for line in panel.lines])
    )
    reduced = "reduced" in catalog.panel_statuses(target)
    parts += [target.spec.get("note", ""), catalog.reduced() if reduced else ""]
    missing = sorted({panel.reason for panel in target.panels if panel.reason})
    parts += [f"Not run: {'; '.join(missing)}."] if missing else []
    return " ".join(part for part in parts if part)


def intervals(catalog: Catalog, target: Target) -> str:
    """What a target's intervals are: of each number of seeds that its runs are trained with."""
    level = f"{100 * catalog.config['bootstrap']['level']:g}%"
    numbers = sorted({len(catalog.seeds(path)) for path in target.paths()} or {1})
    words = [f"mean and {level} interval over {number} seeds" for number in numbers if number > 1]
    return "; ".join(
        words + ([f"{level} bootstrap over test images, exact near 0 and 100%"] if 1 in numbers else [])
    )
