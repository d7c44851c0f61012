"""Panels of a profile: a metric against the strength of a test transform or attack, a line a training strength."""

from spatial_adversarial.panels import line_rows
from spatial_adversarial.panels.base import POINT, PanelKind


class ProfilePanel(PanelKind):
    x_axis = POINT
    by_default = True
    marks_unlearnt = True

    def lines(self, spec, named):
        return [{"profile": spec["profile"], "metric": spec.get("metric")}]

    def rows(self, panel, results):
        return line_rows.rows_of_lines(panel, results)

    def description(self, panel):
        (line,) = panel.lines
        profile = next(iter(line.profiles.values()))
        about = {"profile": profile.key, "metric": line.metric, "label": line.label, "x_unit": profile.unit}
        return about | {"grid": tuple(map(float, profile.settings["grid"])), "reach": profile.reach}

    def beyond_reach(self, panel):
        profiles = [profile for line in panel.lines for profile in line.profiles.values()]
        return any(one.reach is not None and one.reach < max(one.settings["grid"]) for one in profiles)

    def draw(self, axes, rows, panel):
        from spatial_adversarial.plots.profile_curves import draw_panel

        return draw_panel(axes, rows, panel)


PANEL = ProfilePanel()
