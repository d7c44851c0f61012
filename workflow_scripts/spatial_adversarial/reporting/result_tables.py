"""A table of results to be printed, from its tidy rows."""

import pandas as pd

from spatial_adversarial.records.tidy import RANKED
from spatial_adversarial.reporting.markup import Column, TableLayout, escape


def results_layout(rows: pd.DataFrame, table: dict) -> TableLayout:
    """A line for each row of `table` that was run, a column for each of its columns, values and intervals in percent.

    rows: the tidy ones, and `difference`, ours less published where that compares like with like. table: {"rows":
    {key: {"label", "kind", ...}}, "columns": {key: heading}, "notes": below it, "bold": of how many of the largest
    values of a column those are bold whose rank is decided, "numbered": whether rows begin with their keys}. Columns
    with published numbers have these, and the differences, beside them.
    """
    cells = {(row.panel, row.column): row for row in rows.itertuples()}
    columns = [Column("key", "")] if table["numbered"] else []
    columns += [Column("row", "", "markdown")]
    lead = len(columns)
    for name, heading in table["columns"].items():
        own = rows[(rows.column == name) & (rows.status != "not run")]
        more = [what for what in ("published", "difference") if own[what].notna().any()]
        columns.append(Column(name, heading, "cell", group=name))
        columns += [Column(f"{name} {what}", what, "cell", group=name) for what in more]
    bold = _bold(rows, table["bold"])
    lines, heading, section = [], None, ""
    folded: dict[str, list[str]] = {}  # by section: two of them may have rows of one name
    for key, told in table["rows"].items():
        if told["kind"] == "heading":
            section = told["label"]
            heading = {column.key: "" for column in columns} | {"row": f"**{escape(section)}**"}
            continue
        own = [cells[key, name] for name in table["columns"] if (key, name) in cells]
        if all(cell.status == "not run" for cell in own):
            name = f"{key} {told['label']}" if table["numbered"] else told["label"]
            folded.setdefault(section, []).append(name)
            continue
        lines += [heading] if heading else []
        heading = None
        lost = any(getattr(cell, "learnt", "") == "no" for cell in own)
        label = escape(told["label"]) + (" (not shown to have learnt)" if lost else "")
        lines.append({"key": key, "row": label} | _line(own, told["kind"], bold))
    frame = pd.DataFrame(lines, columns=[column.key for column in columns])
    all_rows = sum(told["kind"] != "heading" for told in table["rows"].values())
    return TableLayout(frame, columns, lead, table["notes"], _fold(folded, all_rows))


def _fold(folded: dict[str, list[str]], all_rows: int) -> dict[str, str]:
    """What stands folded below a table: the rows that were not run, by section."""
    if not folded:
        return {}
    sections = [
        f"{section}: {'; '.join(names)}" if section else "; ".join(names) for section, names in folded.items()
    ]
    return {f"{sum(map(len, folded.values()))} of {all_rows} rows were not run": ". ".join(sections)}


def _bold(rows: pd.DataFrame, best: int) -> set[tuple[str, str]]:
    """The (row, column) of values that are shown to be among the `best` of their column, on their data set.

    The intervals of fewer than `best` other rows reach its own. Differences have no rank; a best of several has
    that of the row that it is, which is no rival of its own.
    """
    ranked = rows[rows.kind.isin(RANKED) & rows.value.notna()]
    found = set()
    for cell in ranked.itertuples():
        rivals = ranked[(ranked.column == cell.column) & (ranked.kind == "row")]
        rivals = rivals[rivals.data == cell.data]
        rivals = rivals[~rivals.panel.isin([cell.panel, getattr(cell, "chosen", "")])]
        if (rivals.high >= cell.low).sum() < best <= len(rivals):
            found.add((cell.panel, cell.column))
    return found


def _line(cells: list, kind: str, bold: set) -> dict:
    """{column: text} of one row, with its published numbers and the differences."""
    line, signed = {}, "+" if kind == "gain" else ""
    for cell in cells:
        line[cell.column] = _cell(cell, (cell.panel, cell.column) in bold, signed)
        if not pd.isna(cell.published):
            line[f"{cell.column} published"] = f"{100 * cell.published:{signed}.2f}"
            if not pd.isna(cell.difference):
                line[f"{cell.column} difference"] = f"{100 * cell.difference:+.2f}"
    return line


def _cell(cell, bold: bool, signed: str) -> str:
    if cell.status == "not run":
        return "not run"
    value, low, high = (f"{100 * number:{signed}.2f}" for number in (cell.value, cell.low, cell.high))
    return f"{f'**{value}**' if bold else value} [{low}, {high}]"
