"""Rows of other tables, of which a table of results shows the best: evaluated in its columns, not shown themselves."""

from spatial_adversarial.panels.row import RowPanel

PANEL = RowPanel("candidate", is_shown=False)
