"""Panels against the training strength: a line for each profile and metric of the YAML's `lines`."""

from spatial_adversarial.panels import line_rows
from spatial_adversarial.panels.base import STRENGTH, PanelKind


class StrengthPanel(PanelKind):
    needs = "lines"
    x_axis = STRENGTH
    by_default = True
    marks_unlearnt = True
    published_at = "strength"

    def lines(self, spec, named):
        return named(spec["lines"])

    def rows(self, panel, results):
        return line_rows.rows_of_lines(panel, results)

    def description(self, panel):
        lines = tuple(line_rows.drawn_line(line) for line in panel.lines)
        return {"metric": lines[0].metric, "lines": lines}

    def draw(self, axes, rows, panel):
        from spatial_adversarial.plots.strength_lines import draw_panel

        return draw_panel(axes, rows, panel)


PANEL = StrengthPanel()
