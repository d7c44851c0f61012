"""Kinds of panels, figures and tables, a file each: what they need, the rows they compute, how they are drawn.

The registries find the files by themselves. No file imports torch or matplotlib before it computes or draws.
"""

from typing import TYPE_CHECKING

from spatial_adversarial.panels.base import PanelKind, TargetKind
from spatial_adversarial.settings.registry import discover, register

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from spatial_adversarial.records.drawing import DrawnFigure

PANELS: dict[str, PanelKind] = discover(__name__, "PANEL", path=__path__)
register("panel kind", {name: kind for name, kind in PANELS.items() if kind.in_figures})
TARGETS: dict[str, TargetKind] = {
    kind.name: kind for kind in discover(__name__, "TARGET", path=__path__).values()
}


def kind_of(spec: dict) -> str:
    """The name of the kind of a panel of the YAML that says none."""
    defaults = (name for name, kind in PANELS.items() if kind.by_default and kind.needs in spec)
    return next(defaults, "profile")


def draw_pages(rows: "pd.DataFrame", figure: "DrawnFigure") -> "list[Figure]":
    """Draw a figure as `draw` does, on as many pages as its panels need to stay legible."""
    return [draw(rows, page) for page in TARGETS[figure.kind].pages(figure)]


def draw(rows: "pd.DataFrame", figure: "DrawnFigure") -> "Figure":
    """Draw a whole figure, as reporting.captions.figure describes it, from its tidy rows."""
    from spatial_adversarial.plots import style
    from spatial_adversarial.records.tidy import with_numbers

    with style.look():
        return TARGETS[figure.kind].draw(with_numbers(rows), figure)
