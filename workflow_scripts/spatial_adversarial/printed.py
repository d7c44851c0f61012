"""What is printed of a target: the description that plots and tables draw from, and the caption."""

from spatial_adversarial.catalog import Catalog, Target
from spatial_adversarial.catalog.papers import Panel
from spatial_adversarial.catalog.recipes import number_text


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
    status = "reduced" if catalog.reduced() else "run"
    return described | {"panels": [_panel(panel, status) for panel in target.panels]}


def _panel(panel: Panel, status: str) -> dict:
    described = {
        "panel": panel.letter,
        "kind": panel.kind,
        "title": f"({panel.letter}) {panel.title}",
        "strength_label": panel.strength,
        "strengths": [number_text(member.strength) for member in panel.members],
        "attack_space": panel.space,
        "status": "not run" if panel.reason else status,
        "reason": panel.reason,
    }
    if panel.kind == "boundary":
        return described
    lines = [_line(line) for line in panel.lines]
    if panel.kind == "strength":
        return described | {"metric": panel.lines[0].metric, "lines": lines}
    profile = next(iter(panel.lines[0].profiles.values()))
    return described | lines[0] | {"x_unit": profile.unit}


def _line(line) -> dict:
    return {"profile": next(iter(line.profiles.values())).key, "metric": line.metric, "label": line.label}


def caption(catalog: Catalog, target: Target) -> str:
    """The sentences below a figure or table: title, what the bands are, what is reduced, what is not run."""
    parts = [f"{target.title}."]
    if target.kind == "panels":
        several = len(catalog.seeds) > 1
        level = f"{100 * catalog.config['bootstrap']['level']:g}%"
        bands = (
            f"mean and {level} interval over {len(catalog.seeds)} seeds"
            if several
            else f"{level} bootstrap over test images"
        )
        parts.append(f"Bands: {bands}.")
        if any("'" in panel.letter for panel in target.panels):
            parts.append("Primed panels: the attack moves in normalised inputs, as in the authors' code.")
    parts += [target.spec.get("note", ""), catalog.reduced() if target.kind != "theory" else ""]
    missing = sorted({panel.reason for panel in target.panels if panel.reason})
    parts += [f"Not run: {'; '.join(missing)}."] if missing else []
    return " ".join(part for part in parts if part)
