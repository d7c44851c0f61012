"""Tables in print: Markdown from rows, and the layer-by-layer table of architectures."""

from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd
from pandas import DataFrame

MISSING = "–"
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
    to `digits` significant digits.
    """

    key: str
    label: str
    form: str = "text"
    digits: int = 2

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


def to_markdown(rows: DataFrame, *, columns: list[Column], caption: str) -> str:
    """Return the rows as a Markdown table under its caption, aligned in the source as well as in print.

    Empty cells of rows whose `status` is "not run" say so. ValueError names a column that is not there.
    """
    missing = [c.key for c in columns if c.key not in rows]
    if missing:
        raise ValueError(f"table has no column {missing[0]!r}")
    status = rows["status"] if "status" in rows else pd.Series("run", rows.index)
    cells = [[c.write(v) for v in rows[c.key]] for c in columns]
    for column in cells:
        column[:] = [
            "not run" if (s, cell) == ("not run", MISSING) else cell
            for s, cell in zip(status, column, strict=True)
        ]
    widths = [max(3, len(c.heading()), *map(len, column)) for c, column in zip(columns, cells, strict=True)]
    body = zip(*cells, strict=True)
    rule = ["-" * w if c.form in LEFT else "-" * (w - 1) + ":" for c, w in zip(columns, widths, strict=True)]
    lines = [[c.heading() for c in columns], rule, *body]
    return f"{caption}\n\n" + "\n".join(_line(line, columns, widths) for line in lines) + "\n"


def _line(cells: list[str], columns: list[Column], widths: list[int]) -> str:
    padded = [
        cell.ljust(width) if column.form in LEFT else cell.rjust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


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


def architecture_markdown(table: DataFrame, *, caption: str) -> str:
    """Return a table made by `architecture_table` as Markdown."""
    columns = [
        Column(key, key if key != "layer" else "", "number" if key.endswith(" parameters") else "text")
        for key in table.columns
    ]
    return to_markdown(table, columns=columns, caption=caption)


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
