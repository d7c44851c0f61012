"""Rows of a table of results: a cell for each of its columns, one number of one network."""

from spatial_adversarial.metrics import METRICS
from spatial_adversarial.panels import line_rows
from spatial_adversarial.panels.base import PanelKind, frame
from spatial_adversarial.records.tidy import CellRow

SETTINGS = ("attack", "loss", "steps", "step", "restarts", "targets", "queries")  # of a cell's attack


class RowPanel(PanelKind):
    """kind: its name in the CSV; is_shown: it is a row of its table itself, with published numbers."""

    in_figures = False

    def __init__(self, kind: str, *, is_shown: bool):
        self.kind, self.is_shown = kind, is_shown

    def rows(self, panel, results):
        for line in panel.lines:
            (member,) = panel.members
            label = line_rows.labels(line, member)[0]  # a cell has one number
            cell = self._cell(panel, line)
            del cell["metric"]
            yield from line_rows.rows_of_line(panel, line, member, label, results, CellRow, **cell)

    def rows_not_run(self, panel, results):
        for line in panel.lines:
            about = frame(panel, results) | self._cell(panel, line)
            yield CellRow(**about, status="not run"), results.blank()

    def _cell(self, panel, line) -> dict:
        """What a table says of a cell beside what a figure says of a point."""
        (profile,) = line.profiles.values()
        attacks = "attack" in profile.settings and METRICS[line.metric].climbs
        settings = profile.settings | profile.perturbation.columns() if attacks else {}
        about = {"row": panel.title, "kind": self.kind, "column": line.name, "metric": line.metric}
        return about | {key: settings.get(key, "") for key in SETTINGS} | {"published": line.published}


PANEL = RowPanel("row", is_shown=True)
