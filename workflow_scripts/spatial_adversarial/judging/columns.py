"""The columns of a table of results as samples by row."""

from collections.abc import Iterable
from dataclasses import dataclass

from spatial_adversarial.judging.target_numbers import Numbers, not_learnt
from spatial_adversarial.judging.verdicts import NotInformative, NotRun
from spatial_adversarial.records.tidy import RANKED
from spatial_adversarial.statistics.intervals import Sample

GIVEN = "given"  # the family of a user's own models


@dataclass(frozen=True)
class Column:
    """The rows with a number in one column, and apart those whose networks are not shown to have learnt.

    rows: all that a claim on the whole column is about, those too that were not run.
    """

    samples: dict[str, Sample]
    lost: frozenset[str] = frozenset()
    rows: tuple[str, ...] = ()

    def of(self, row: str | int) -> Sample:
        """A row that a sentence is about; NotRun where it has no number, NotInformative where it has not learnt."""
        if str(row) in self.lost:
            raise NotInformative(f"row {row} is not shown to have learnt")
        if str(row) not in self.samples:
            raise NotRun(f"row {row} has no number")
        return self.samples[str(row)]

    def asked(self, rows: Iterable[str | int]) -> list[str]:
        """Those that were run of the rows that a sentence is about; NotInformative where one has not learnt."""
        names = list(map(str, rows))
        for name in names:
            if name in self.lost:
                self.of(name)
        return self.among(names)

    def among(self, rows: Iterable[str | int]) -> list[str]:
        """Those of some rows that were run and have learnt; where none is left, NotRun or NotInformative."""
        names = list(map(str, rows))
        found = [name for name in names if name in self.samples]
        if not found and self.lost & set(names):
            raise NotInformative(f"none of the rows {', '.join(names)} is shown to have learnt")
        if not found:
            raise NotRun(f"none of the rows {', '.join(names)} has a number")
        return found


def column_of(numbers: Numbers, name: str, source: str) -> Column:
    """A column of ours (`source` "value") or as "published": no candidates, differences, and a user's own models."""
    rows = numbers.rows
    ranked = rows[(rows.column == name) & rows.kind.isin(RANKED) & (rows["family"] != GIVEN)]
    chosen = ranked[ranked[source].notna()]
    lost = not_learnt(chosen) & (source == "value")
    samples = {row.panel: numbers.sample(row.Index, column=source) for row in chosen[~lost].itertuples()}
    asked = ranked if source == "value" else chosen
    return Column(samples, frozenset(chosen.panel[lost]), tuple(asked.panel))
