"""Panels of training histories: an accuracy by epoch, a line a member (features, figure B)."""

from dataclasses import replace

import numpy as np

from spatial_adversarial.panels.base import POINT, PanelKind, frame
from spatial_adversarial.records.tidy import Row


class HistoryPanel(PanelKind):
    needs = "curve"
    x_axis = POINT
    evaluates = False

    def histories(self, panel):
        return [member.path for member in panel.members]

    def bands(self, about):
        """Of one training there is one curve: it is no mean over images."""
        return about.intervals if about.several_seeds else ""

    def rows(self, panel, results):
        """A column of each member's history: the mean, and Student's interval over several seeds."""
        from spatial_adversarial.statistics.bootstrap import over_seeds

        for member in panel.members:
            seeds = results.seeds(member.path)
            tables = [results.history(member.path, seed) for seed in seeds]
            about = frame(panel, results) | results.clean(panel, member)
            about |= {
                "strength": member.strength,
                "status": results.status(member.path, None),
                "profile": "history",
                "x_unit": "epoch",
                "metric": panel.curve,
                "seed": " ".join(map(str, seeds)),
                "n": len(tables),
            }
            by_epoch = np.stack([table[panel.curve] for table in tables], axis=1)
            for epoch, values in zip(tables[0].epoch, by_epoch, strict=True):
                numbers = over_seeds(values, results.level)
                sample = replace(results.blank(), value=numbers["value"], seeds=values)
                yield Row(**about, x=epoch, **numbers), sample

    def description(self, panel):
        return {"metric": panel.curve, "profile": "history", "x_unit": "epoch"}

    def draw(self, axes, rows, panel):
        from spatial_adversarial.plots.profile_curves import draw_panel

        return draw_panel(axes, rows, panel)


PANEL = HistoryPanel()
