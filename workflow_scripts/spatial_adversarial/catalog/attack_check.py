"""Attack checks: a figure's panels of PGD again, under stronger attacks at one eps, against the training strength.

The attacks are the lines `attack_check` of figures/protocols.yaml. Off unless the config names the figure.
"""

from spatial_adversarial.catalog.profiles import named
from spatial_adversarial.catalog.specs import Scope, Specs
from spatial_adversarial.records.panel import Panel
from spatial_adversarial.records.reading import CatalogError
from spatial_adversarial.settings.numbers import number_text

LINES = "attack_check"


def asked_for(paper: str, specs: Specs) -> list[str]:
    """The figures of a paper that the config names."""
    named = [name.partition("/") for name in specs.config["attack_check"]]
    return [figure for where, _, figure in named if where == paper]


def panels(dealt: dict[str, dict], scope: Scope, figure: str) -> dict[str, dict]:
    """A panel for each data set, model and family that a figure's panels, by letter, attack with PGD in pixels.

    Normalised inputs are left out: AutoAttack knows pixels alone. CatalogError where a figure has none.
    """
    found: dict[tuple, tuple[str, dict]] = {}
    for letter, panel in dealt.items():
        profile = scope.find("profiles", panel["profile"], figure) if "profile" in panel else {}
        in_pixels = profile and panel.get("space", "pixel") == "pixel"
        if in_pixels and named(profile, scope.place("profiles", panel["profile"])).checked:
            kept = {key: panel[key] for key in ("data", "model", "family")}
            found.setdefault(tuple(kept.values()), (letter, kept | {"lines": LINES}))
    if not found:
        raise CatalogError(f"config: attack_check: {figure} has no panel of PGD in pixels")
    return dict(found.values())


def note(drawn: tuple[Panel, ...]) -> str:
    """At which eps the attacks of the panels are."""
    points = {number_text(x) for panel in drawn for line in panel.lines for x in line.at.values()}
    sentence = f"Accuracy under attacks at eps {', '.join(sorted(points))}, more of them than the figure has."
    attacks = [p.perturbation for panel in drawn for line in panel.lines for p in line.profiles.values()]
    return " ".join([sentence, *sorted({attack.note for attack in attacks if attack.note})])
