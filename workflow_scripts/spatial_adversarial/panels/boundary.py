"""Boundary slices: a plane through a test image and two networks' boundaries in it (tradeoff, section 5)."""

import numpy as np

from spatial_adversarial.panels.base import PanelKind, frame
from spatial_adversarial.records.tidy import BoundaryRow


class BoundaryPanel(PanelKind):
    needs = "strengths"
    evaluates = False

    def slices(self, panel):
        first, second = panel.members
        return [(first.path, second.path)]

    def rows(self, panel, results):
        """The signed margin of each network on a grid of the plane: positive where it keeps its class of x0."""
        x, y, margins = results.boundary([member.path for member in panel.members])
        for member, margin in zip(panel.members, margins, strict=True):
            about = frame(panel, results) | results.clean(panel, member)
            about |= {
                "strength": member.strength,
                "profile": "boundary",
                "x_unit": "l2",
                "metric": "margin",
                "seed": str(results.seeds(member.path)[0]),
                "status": results.status(member.path, None),
            }
            for i, j in np.ndindex(margin.shape):
                yield BoundaryRow(**about, x=x[j], y=y[i], value=float(margin[i, j])), results.blank()

    def draw(self, axes, rows, panel):
        from spatial_adversarial.plots.boundary_slice import draw_panel

        return draw_panel(axes, rows, panel)


PANEL = BoundaryPanel()
