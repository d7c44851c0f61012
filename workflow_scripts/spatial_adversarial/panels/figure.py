"""Figures of panels: each panel is drawn by its kind, the legends below their panels or beside their rows."""

from spatial_adversarial.panels.base import TargetKind
from spatial_adversarial.records.panel import base_letter


class PanelsFigure(TargetKind):
    name = "panels"
    made_of = "panels"
    shares_numbers = True

    def caption(self, spec, panels, about):
        from spatial_adversarial.panels import PANELS

        kinds = [(PANELS[panel.kind], panel) for panel in panels]
        parts = [f"Bands: {words}." for words in sorted({kind.bands(about) for kind, _ in kinds} - {""})]
        if any(kind.marks_unlearnt and not panel.reason for kind, panel in kinds):
            parts.append(UNLEARNT)
        if any(kind.beyond_reach(panel) for kind, panel in kinds):
            parts.append(REACH)
        if any(line.points for panel in panels if panel.data not in about.stand_ins for line in panel.lines):
            parts.append("Hollow markers: as published.")
        if any(panel.space == "normalized" for panel in panels):
            parts.append("Primed panels: the attack moves in normalised inputs, as in the authors' code.")
        if any(base_letter(panel.letter) != panel.letter and not panel.reason for panel in panels):
            parts.append("Green, over the paper's curves: networks of the user's own, evaluated as they are.")
        return parts

    def pages(self, figure):
        from spatial_adversarial.plots import layout

        figure = layout.folded(figure)
        return layout.pages(figure) if layout.is_grid(figure) else [figure]

    def draw(self, rows, figure):
        from spatial_adversarial import plots
        from spatial_adversarial.panels import PANELS

        return plots.draw_panels(
            rows, figure, lambda axes, rows, panel: PANELS[panel.kind].draw(axes, rows, panel)
        )


UNLEARNT = (
    "Pale or crossed out, “not learnt”: clean accuracy is not shown to reach twice chance, or one class takes more "
    "than 90% of the predictions."
)
REACH = "Shaded, “out of reach”: eps that exceed the attack's steps times their size."
TARGET = PanelsFigure()
