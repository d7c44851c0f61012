"""Figures of the theorems: their rows are simulated, without runs."""

from spatial_adversarial.panels.base import TargetKind


class TheoryFigure(TargetKind):
    name = "theory"
    label = "theory"

    def simulate(self, paper, spec, seed):
        from spatial_adversarial.theory.statements import simulate

        return simulate(paper, spec["settings"], seed)

    def description(self, spec, panels, words):
        return ()

    def draw(self, rows, figure):
        from spatial_adversarial.plots import theory_figure

        return theory_figure.draw(rows, figure)


TARGET = TheoryFigure()
