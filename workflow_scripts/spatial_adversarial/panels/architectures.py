"""Tables of networks: layers, parameters and multiply-adds, of which nothing is trained."""

from spatial_adversarial.panels.base import TargetKind


class ArchitecturesTable(TargetKind):
    name = "architectures"
    label = "table"
    is_table = True
    has_aggregate = False


TARGET = ArchitecturesTable()
