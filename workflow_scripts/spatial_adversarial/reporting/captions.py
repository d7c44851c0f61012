"""What is printed of a target: the description that plots and tables draw from, and the caption."""

import pandas as pd

from spatial_adversarial.catalog import Catalog, Target
from spatial_adversarial.catalog.panels import Panel, images_told
from spatial_adversarial.reporting.attack_settings import attack_words, labels_sentence
from spatial_adversarial.settings.numbers import number_text

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LEARNT = (
    "Pale or crossed out, “not learnt”: clean accuracy is not shown to reach twice chance, or one class takes more "
    "than 90% of the predictions."
)

REACH = "Shaded, “out of reach”: eps that exceed the attack's steps times their size."


def figure(catalog: Catalog, target: Target) -> dict:
    """A figure as `plots.draw` takes it: paper, target, title, columns, caption and its panels."""
    described = {
        "paper": target.paper,
        "target": target.name,
        "title": target.title,
        "columns": target.columns,
        "caption": caption(catalog, target),
    }
    if target.kind == "theory":
        return described | {"panels": [{"panel": "", "kind": "theory"}]}
    if target.kind == "pareto":
        return described | {"panels": [{"kind": "pareto"} | _pareto(target)]}
    statuses = catalog.panel_statuses(target)
    panels = [
        _panel(panel, status) | _names(catalog, panel)
        for panel, status in zip(target.panels, statuses, strict=True)
    ]
    return described | {"panels": panels}


def comparable(catalog: Catalog, rows: pd.DataFrame) -> pd.DataFrame:
    """Tidy rows as they are printed: without the published numbers of data that a stand-in replaces.

    A row that names no data, such as one derived from rows that were not run, goes with its table.
    """
    replaced = rows.data.isin(catalog.config["stand_ins"].values())
    replaced |= replaced.any() & (rows.data.fillna("") == "")
    if "source" in rows:
        rows, replaced = (kept[~(replaced & (rows.source == "published"))] for kept in (rows, replaced))
    return rows.assign(published=rows.published.mask(replaced)) if "published" in rows else rows


def _names(catalog: Catalog, panel: Panel) -> dict:
    """A panel's data set, network and family as they are printed."""
    data, network = (
        catalog.registry[kind][key]["label"] for kind, key in (("data", panel.data), ("models", panel.model))
    )
    family = panel.title.removeprefix(f"{data}, {network}, ")
    return {"data": data, "network": network, "family": family}


def _panel(panel: Panel, status: str) -> dict:
    described = {
        "panel": panel.letter,
        "kind": panel.kind,
        "title": f"({panel.letter}) {panel.title}",
        "strength_label": panel.strength,
        "strengths": [number_text(member.strength) for member in panel.members],
        "attack_space": panel.space,
        "status": status,
        "reason": panel.reason,
    }
    if panel.kind in ("boundary", "images"):
        return described
    if panel.kind == "history":
        return described | {"metric": panel.curve, "profile": "history", "x_unit": "epoch"}
    lines = [_line(line) for line in panel.lines]
    if panel.kind == "strength":
        return described | {"metric": panel.lines[0].metric, "lines": lines}
    profile = next(iter(panel.lines[0].profiles.values()))
    grid = [float(x) for x in profile.settings["grid"]]
    return described | lines[0] | {"x_unit": profile.unit, "grid": grid, "reach": profile.reach}


def _pareto(target: Target) -> dict:
    lines = {line.name: line for panel in target.panels for line in panel.lines}
    axes = {key: lines[target.spec[key]] for key in ("x", "y")}
    return {
        "methods": target.spec["methods"],
        "zoom": target.spec["zoom"],
        "columns": {key: line.name for key, line in axes.items()},
        "labels": {key: f"{line.label} accuracy (%)\n{attack_words(line)}" for key, line in axes.items()},
        "rows": {panel.letter: panel.title for panel in target.panels},
    }


def _line(line) -> dict:
    told = {"profile": next(iter(line.profiles.values())).key, "metric": line.metric, "label": line.label}
    points = set((line.at or {}).values())
    return told | ({"x": number_text(points.pop())} if len(points) == 1 else {})


def _out_of_reach(panel: Panel) -> bool:
    """Whether a panel draws eps beyond what its attack's steps reach."""
    profiles = [profile for line in panel.lines for profile in line.profiles.values()]
    return panel.kind == "profile" and any(
        profile.reach is not None and profile.reach < max(profile.settings["grid"]) for profile in profiles
    )


def table(target: Target) -> dict:
    """A table of results as `results.printed_results` takes it.

    A heading tells how far the attack that ran goes, "PGD, eps 8/255 (%) ¹"; the rest of it is told in the notes.
    """
    lines = [(line, panel) for panel in target.panels for line in panel.lines]
    headings, notes = {}, []
    for name, label in target.spec["columns"].items():
        told = [attack_words(line) for line, panel in lines if line.name == name and not panel.reason]
        told = list(dict.fromkeys(one for one in told if one))
        reach = {one.split(", ")[0] for one in told if one.startswith(("eps", "L2 eps", "±"))}
        headings[name] = f"{label}, {reach.pop()} (%)" if len(reach) == 1 else f"{label} (%)"
        note = "; ".join(told)
        if note and not headings[name].endswith(f", {note} (%)"):
            notes += [note] if note not in notes else []
            headings[name] += f" {str(notes.index(note) + 1).translate(RAISED)}"
    told = [f"{str(k).translate(RAISED)} {note}." for k, note in enumerate(notes, start=1)]
    return target.spec | {"columns": headings, "notes": [" ".join(told)] if told else []}


def unlike(catalog: Catalog, rows: pd.DataFrame) -> pd.Series:
    """For each tidy row, whether its network is not the paper's: a difference to published numbers would be of both."""
    changed = {model: not catalog.is_papers_own(model) for model in set(rows.model.dropna()) - {""}}
    return rows.model.map(changed).fillna(any(changed.values())).astype(bool)


def caption(catalog: Catalog, target: Target) -> str:
    """The sentences below a figure or table: title, what the bands are, what is reduced, what is not run."""
    parts = [f"{target.title}."]
    if target.kind == "results":
        parts += _cells_told(catalog, target)
    if target.kind == "pareto":
        parts.append(
            "Numbers: rows of the table. Step line: the front; shaded: what some model dominates. Right: each list "
            "against the one other model that dominates most. Legend: hypervolume, the area that a "
            "method's models dominate, with its "
            f"{intervals(catalog, target)}."
        )
    if target.kind == "panels":
        if any(panel.kind != "images" for panel in target.panels):
            parts.append(f"Bands: {intervals(catalog, target)}.")
        if any(panel.kind in ("profile", "strength") and not panel.reason for panel in target.panels):
            parts.append(LEARNT)
        if any(_out_of_reach(panel) for panel in target.panels):
            parts.append(REACH)
        own = [panel for panel in target.panels if panel.data not in catalog.config["stand_ins"].values()]
        if any(line.points for panel in own for line in panel.lines):
            parts.append("Hollow markers: as published.")
        if any(panel.space == "normalized" for panel in target.panels):
            parts.append("Primed panels: the attack moves in normalised inputs, as in the authors' code.")
    parts += sorted(
        {f"Robust images: {told}." for panel in target.panels if (told := images_told(panel.members))}
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
    told = [f"mean and {level} interval over {number} seeds" for number in numbers if number > 1]
    return "; ".join(
        told + ([f"{level} bootstrap over test images, exact near 0 and 100%"] if 1 in numbers else [])
    )


def _cells_told(catalog: Catalog, target: Target) -> list[str]:
    rows = target.spec["rows"].values()
    kinds = {row["kind"] for row in rows if "nearest" not in row}
    nearest = sorted({row["nearest"] for row in rows if "nearest" in row})
    told = [f"Brackets: {intervals(catalog, target)}."]
    several = any(len(catalog.seeds(path)) > 1 for path in target.paths())
    over_seeds = (
        "; over seeds paired where one run continues the other, else Welch's interval" if several else ""
    )
    told += [f"Differences of rows: paired bootstrap{over_seeds}."] if "gain" in kinds else []
    told += (
        ["Best of several: chosen cell by cell, with the chosen one's interval."] if "best" in kinds else []
    )
    told += [
        f"Nearest to {100 * one:g}%: by accuracy on the validation images, of several settings."
        for one in nearest
    ]
    bold = target.spec["bold"]
    return told + (
        [
            f"Bold: among the best {bold} of each column on a data set, where intervals show it."
            if bold > 1
            else "Bold: the best of each column on a data set, where its interval lies above all others."
        ]
        if bold
        else []
    )
