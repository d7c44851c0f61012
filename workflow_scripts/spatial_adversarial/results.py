"""A table of results in print: wide Markdown from its tidy rows."""

import pandas as pd

from spatial_adversarial.tables import Column, escape, to_markdown


def results_markdown(rows: pd.DataFrame, table: dict, *, caption: str) -> str:
    """A line for each row of `table`, a column for each of its columns, values and intervals in percent.

    table: {"rows": {key: {"label", "kind", ...}}, "columns": {key: heading}, "bold": how many of the largest values
    of a column are bold, "numbered": whether rows begin with their keys}. Columns with published numbers have
    these, and ours less theirs, beside them.
    """
    cells = {(row.panel, row.column): row for row in rows.itertuples()}
    compared = set(rows.column[rows.published.notna()])
    columns = [Column("key", "")] if table["numbered"] else []
    columns += [Column("row", "", "markdown")]
    for name, heading in table["columns"].items():
        more = [(f"{name} {what}", what) for what in ("published", "difference")]
        columns.append(Column(name, f"{heading} (%)", "cell"))
        columns += [Column(key, label, "cell") for key, label in more if name in compared]
    bold = _bold(rows, table)
    lines = []
    for key, told in table["rows"].items():
        if told["kind"] == "heading":
            lines.append({column.key: "" for column in columns} | {"row": f"**{escape(told['label'])}**"})
        else:
            own = [cells[key, name] for name in table["columns"] if (key, name) in cells]
            lost = any(getattr(cell, "learnt", "") == "no" for cell in own)
            label = escape(told["label"]) + (" (not shown to have learnt)" if lost else "")
            lines.append({"key": key, "row": label} | _line(own, told["kind"], bold))
    frame = pd.DataFrame(lines).reindex(columns=[column.key for column in columns])
    return to_markdown(frame, columns=columns, caption=caption)


def _bold(rows: pd.DataFrame, table: dict) -> set[tuple[str, str]]:
    """The (row, column) of the largest values of each column, with all that tie; no differences among them."""
    ranked = rows[rows.kind.isin(["row", "best"]) & rows.value.notna()]
    rank = ranked.groupby("column").value.rank(ascending=False, method="min")
    top = ranked[rank <= table["bold"]]
    return set(zip(top.panel, top.column, strict=True))


def _line(cells: list, kind: str, bold: set) -> dict:
    """{column: text} of one row, with its published numbers and the differences."""
    line, signed = {}, "+" if kind == "gain" else ""
    for cell in cells:
        line[cell.column] = _cell(cell, (cell.panel, cell.column) in bold, signed)
        if not pd.isna(cell.published):
            line[f"{cell.column} published"] = f"{100 * cell.published:{signed}.2f}"
            if not pd.isna(cell.value):
                line[f"{cell.column} difference"] = f"{100 * (cell.value - cell.published):+.2f}"
    return line


def _cell(cell, bold: bool, signed: str) -> str:
    if cell.status == "not run":
        return "not run"
    value, low, high = (f"{100 * number:{signed}.2f}" for number in (cell.value, cell.low, cell.high))
    return f"{f'**{value}**' if bold else value} [{low}, {high}]"
