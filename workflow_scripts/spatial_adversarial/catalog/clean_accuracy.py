"""Which evaluation tells the clean accuracy of networks that a panel draws without evaluating them."""

from dataclasses import replace

from spatial_adversarial.catalog.targets import Target
from spatial_adversarial.panels import PANELS
from spatial_adversarial.records.panel import Line, Panel, Profile


def with_clean(targets: list[Target]) -> list[Target]:
    """A paper's targets, its panels of boundaries and training histories given evaluations of other targets.

    Such a panel gets one line, of the largest plain evaluation that another target asks of each of its networks: no
    evaluation is made for it, and a network that none asks for has no clean accuracy.
    """
    found: dict[str, list[Profile]] = {}
    for target in targets:
        for panel in target.panels:
            for line in panel.lines if not panel.reason else ():
                for path, profile in line.profiles.items():
                    found.setdefault(path, []).append(profile)
    best = {path: min(profiles, key=_order) for path, profiles in found.items()}
    return [
        replace(target, panels=tuple(_with_evaluations(p, best) for p in target.panels)) for target in targets
    ]


def _order(profile: Profile) -> tuple:
    unmoved, pixels = profile.plain
    return not unmoved, not pixels, -(profile.settings["sample"] or float("inf")), profile.file


def _with_evaluations(panel: Panel, best: dict[str, Profile]) -> Panel:
    known = {member.path: best[member.path] for member in panel.members if member.path in best}
    if PANELS[panel.kind].evaluates or panel.reason or not known:
        return panel
    return replace(panel, lines=(Line("clean", "natural_accuracy", known),))
