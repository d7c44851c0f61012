"""Tables in print: Markdown and LaTeX from rows, and the layer-by-layer table of architectures."""

import re
import textwrap
from dataclasses import dataclass, field
from itertools import groupby, zip_longest

import pandas as pd
from pandas import DataFrame

MISSING = "–"
WIDTH = 160  # characters of a row, at most, where its columns allow it
TEXT = 110  # of a line of text
FORMS = ("text", "markdown", "cell", "percent", "number")
LEFT = ("text", "markdown")
KEYS = ("operation", "output", "parameters")
TOTALS = {
    "parameters": "all parameters",
    "multiply_adds": "multiply-adds an image",
    "equivariance_error": "relative equivariance error",
}


@dataclass(frozen=True)
class Column:
    """One printed column: the data frame's `key`, its heading, and how its values are written.

    `form` is "text"; "markdown" or, on the right, "cell", for text that stands as it is; "percent", for values in
    [0, 1] printed as 0 to 100 with `digits` decimals; or "number": whole numbers with thousands separated, others
    to `digits` significant digits. Columns of one `group` stay beside each other.
    """

    key: str
    label: str
    form: str = "text"
    digits: int = 2
    group: str = ""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"column {self.key!r}: form {self.form!r} is none of {', '.join(FORMS)}")

    def heading(self) -> str:
        """Return the heading, with the unit of percent columns."""
        return escape(f"{self.label} (%)" if self.form == "percent" else self.label)

    def write(self, value: object) -> str:
        """Return one cell; missing values become a dash. ValueError if a percent lies outside [0, 1]."""
        if pd.isna(value):
            return MISSING
        if self.form in ("markdown", "cell"):
            return str(value)
        if self.form == "text" or isinstance(value, str):
            return escape(str(value))
        if self.form == "number":
            return f"{value:,.0f}" if float(value).is_integer() else f"{value:.{self.digits}g}"
        if not 0 <= value <= 1:
            raise ValueError(f"column {self.key!r}: {value:g} is no share in [0, 1]")
        return f"{100 * value:.{self.digits}f}"


def escape(text: str) -> str:
    """Return text that Markdown prints as it stands within one table cell."""
    for mark in "\\|*`<":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


@dataclass(frozen=True)
class TableLayout:
    """A table to be printed: rows, columns, and what stands around it.

    The first `lead` columns are repeated where the table is broken into several, side by side no longer. `notes`
    stand below it; `folded`: {a line: what unfolds below it}.
    """

    rows: DataFrame
    columns: list[Column]
    lead: int = 0
    notes: list[str] = field(default_factory=list)
    folded: dict[str, str] = field(default_factory=dict)

    def cells(self) -> list[list[str]]:
        """The cells of each column as Markdown. Empty cells of rows whose `status` is "not run" say so.

        ValueError names a column that is not there.
        """
        missing = [c.key for c in self.columns if c.key not in self.rows]
        if missing:
            raise ValueError(f"table has no column {missing[0]!r}")
        status = self.rows["status"] if "status" in self.rows else pd.Series("run", self.rows.index)
        cells = [[c.write(v) for v in self.rows[c.key]] for c in self.columns]
        return [
            [
                "not run" if (s, cell) == ("not run", MISSING) else cell
                for s, cell in zip(status, column, strict=True)
            ]
            for column in cells
        ]

    def parts(self) -> list[tuple[list[Column], list[list[str]]]]:
        """(columns, their cells) of each table, no wider than WIDTH unless one group of columns is."""
        made = list(zip(self.columns, self.cells(), strict=True))
        lead, parts = made[: self.lead], []
        groups = groupby(enumerate(made[self.lead :]), lambda one: one[1][0].group or one[0])
        for group in ([one for _, one in found] for _, found in groups):
            if parts and _wide([*lead, *parts[-1], *group]) <= WIDTH:
                parts[-1] += group
            else:
                parts.append(group)
        return [tuple(map(list, zip(*lead, *part, strict=True))) for part in parts or [[]]]


def _wide(columns: list[tuple[Column, list[str]]]) -> int:
    return 1 + sum(_width(column, cells) + 3 for column, cells in columns)


def _width(column: Column, cells: list[str]) -> int:
    return max(3, len(column.heading()), *map(len, cells), 0)


def to_markdown(table: TableLayout, *, caption: str) -> str:
    """Return a table as Markdown under its caption, aligned in the source as well as in print."""
    made = [_wrapped(caption)]
    for columns, cells in table.parts():
        widths = [_width(*pair) for pair in zip(columns, cells, strict=True)]
        rule = [
            "-" * w if c.form in LEFT else "-" * (w - 1) + ":" for c, w in zip(columns, widths, strict=True)
        ]
        lines = [[c.heading() for c in columns], rule, *zip(*cells, strict=True)]
        made.append("\n".join(_line(line, columns, widths) for line in lines))
    made += map(_wrapped, table.notes)
    for line, below in table.folded.items():
        made += [f"<details><summary>{line}</summary>", _wrapped(escape(below)), "</details>"]
    return "\n\n".join(made) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, TEXT, break_long_words=False, break_on_hyphens=False)


def _line(cells: list[str], columns: list[Column], widths: list[int]) -> str:
    padded = [
        cell.ljust(width) if column.form in LEFT else cell.rjust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


TEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
TEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
TEX |= {"±": r"$\pm$", "−": "$-$", "×": r"$\times$", "→": r"$\rightarrow$", "°": r"$^\circ$", "–": "--"}
TEX |= {
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    "θ": r"$\theta$",
    "ε": r"$\epsilon$",
}
TEX |= {mark: rf"\textsuperscript{{{n}}}" for n, mark in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
MARKED = re.compile(r"\\(?P<plain>[\\|*`<])|\*\*(?P<bold>.+?)\*\*|(?P<other>.)", re.DOTALL)


def latex(text: str) -> str:
    """A cell's Markdown as LaTeX."""

    def written(match: re.Match) -> str:
        if match["bold"]:
            return rf"\textbf{{{latex(match['bold'])}}}"
        mark = match["plain"] or match["other"]
        return TEX.get(mark, mark)

    return MARKED.sub(written, text)


def to_latex(table: TableLayout, *, caption: str, label: str) -> str:
    """Return a table as LaTeX for a paper that uses booktabs, under `\\label{tab:<label>}`."""
    made = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{latex(caption)}}}",
    ]
    made.append(rf"\label{{tab:{label}}}")
    for columns, cells in table.parts():
        made.append(rf"\begin{{tabular}}{{{''.join('l' if c.form in LEFT else 'r' for c in columns)}}}")
        made += [r"\toprule", " & ".join(latex(c.heading()) for c in columns) + r" \\", r"\midrule"]
        made += [_row(list(line)) for line in zip(*cells, strict=True)]
        made += [r"\bottomrule", r"\end{tabular}", ""]
    made += [
        rf"\par\footnotesize {latex(note)}" for note in [*table.notes, *(f"{one}." for one in table.folded)]
    ]
    return "\n".join([*made, r"\end{table}"]) + "\n"


def _row(cells: list[str]) -> str:
    filled = [cell for cell in cells if cell]
    if len(filled) == 1 and filled[0].startswith("**"):
        return rf"\multicolumn{{{len(cells)}}}{{l}}{{{latex(filled[0])}}} \\"
    return " & ".join(map(latex, cells)) + r" \\"


def architecture_table(networks: dict, models: list[str]) -> DataFrame:
    """Return networks side by side, a row a layer, then the totals (table 1 of invariance and of tradeoff).

    `networks` describes each model: {"layers": [{"operation", "output", "parameters"}],
    "parameters": int, "multiply_adds": int, "equivariance_error": float}, an output being [C, H, W] or [F].
    Columns: `layer`, and for each model `<model> operation`, `<model> output` and `<model> parameters`, where
    the totals stand too; cells that do not apply are "". ValueError if a model is not described or its layers
    do not add up to its total.
    """
    for model in models:
        _check_total(networks, model)
    layers = zip_longest(*(networks[model]["layers"] for model in models), fillvalue={})
    rows = [
        {"layer": str(i)}
        | {f"{m} {key}": _entry(one, key) for m, one in zip(models, line, strict=True) for key in KEYS}
        for i, line in enumerate(layers, start=1)
    ]
    for total, label in TOTALS.items():
        rows.append({"layer": label} | {f"{m} parameters": networks[m][total] for m in models})
    return DataFrame(rows, dtype=object).fillna("")


def architectures_layout(table: DataFrame, models: list[str]) -> TableLayout:
    """A table made by `architecture_table` of these models, to be printed: the columns of each stay together."""
    columns = [Column("layer", "")] + [
        Column(f"{m} {key}", f"{m} {key}", "number" if key == "parameters" else "text", group=m)
        for m in models
        for key in KEYS
    ]
    return TableLayout(table, columns, lead=1)


def _entry(layer: dict, key: str) -> str | int | None:
    if key == "output" and layer:
        return "×".join(map(str, layer["output"]))
    return layer.get(key)


def _check_total(networks: dict, model: str) -> None:
    if model not in networks:
        raise ValueError(f"no description of model {model!r}")
    total = sum(layer["parameters"] for layer in networks[model]["layers"])
    if total != networks[model]["parameters"]:
        raise ValueError(
            f"model {model!r}: layers hold {total:,} parameters of {networks[model]['parameters']:,}"
        )
