"""Boundary slices: planes through test images and two networks' boundaries in them (tradeoff, section 5)."""

import numpy as np

from spatial_adversarial.panels.base import PanelKind, frame
from spatial_adversarial.records.tidy import BoundaryRow, Row


class BoundaryPanel(PanelKind):
    needs = "strengths"
    evaluates = False

    def slices(self, panel):
        first, second = panel.members
        return [(first.path, second.path)]

    def bands(self, about):
        return ""

    def rows(self, panel, results):
        """The signed margin of each network on a grid of each plane: positive where it keeps its class of x0.

        The last row is the share of images whose distance to the second network's boundary is the smaller one.
        """
        found = results.boundary([member.path for member in panel.members])
        first = panel.members[0]
        shared = frame(panel, results) | {"profile": "boundary", "x_unit": "l2"}
        shared |= {"seed": str(results.seeds(first.path)[0]), "status": results.status(first.path, None)}
        for image, plane in enumerate(found.planes):
            for member, margin in zip(panel.members, plane.margin, strict=True):
                about = shared | results.clean(panel, member) | {"strength": member.strength}
                about |= {"status": results.status(member.path, None), "metric": "margin", "image": image}
                about |= {"seed": str(results.seeds(member.path)[0])}
                for i, j in np.ndindex(margin.shape):
                    place = {"x": plane.x[j], "y": plane.y[i], "value": float(margin[i, j])}
                    yield BoundaryRow(**about, **place), results.blank()
        if found.distance.size:
            about = shared | {"metric": NEARER, "interval": "test images"}
            yield Row(**about, **_share(found.distance, results.level)), results.blank()

    def draw(self, axes, rows, panel):
        from spatial_adversarial.plots.boundary_slice import draw_panel

        return draw_panel(axes, rows, panel)


def _share(distance: np.ndarray, level: float) -> dict:
    """Of images [2, N], the share whose second distance is the smaller one, with its exact interval."""
    from spatial_adversarial.statistics.intervals import of_share

    nearer = distance[1] < distance[0]
    low, high = of_share(float(nearer.mean()), len(nearer), level)
    return {"value": float(nearer.mean()), "low": low, "high": high, "n": len(nearer)}


NEARER = "share_nearer"
PANEL = BoundaryPanel()
