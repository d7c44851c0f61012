"""Markdown tables and the table of architectures."""

import re

import pandas as pd
import pytest

from spatial_adversarial.reporting.markup import (
    Column,
    TableLayout,
    architecture_table,
    architectures_layout,
    latex,
    to_latex,
    to_markdown,
)

COLUMNS = [
    Column("method", "Method"),
    Column("value", "Clean", "percent", 1),
    Column("steps", "Steps", "number"),
]
ROWS = pd.DataFrame(
    {
        "method": ["PGD | TRADES", "a\\b *c* `d` <e>\nf"],
        "value": [0.93125, None],
        "steps": [1200, 0.0314159],
        "status": ["run", "not run"],
    }
)


def cells(line):
    """Split a row of a Markdown table at the pipes that are not escaped."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def describe(*parameters):
    layers = [{"operation": f"Conv({n})", "output": [10, 26, 26], "parameters": n} for n in parameters]
    return {"layers": layers, "parameters": sum(parameters), "multiply_adds": 5, "equivariance_error": 1e-7}


def test_markdown_has_caption_heading_rule_and_one_line_a_row():
    caption, empty, heading, rule, *body = to_markdown(
        TableLayout(ROWS, COLUMNS), caption="Table 1"
    ).splitlines()
    assert (caption, empty) == ("Table 1", "")
    assert cells(heading) == ["Method", "Clean (%)", "Steps"]
    assert [c.endswith(":") for c in cells(rule)] == [False, True, True]
    assert len(body) == len(ROWS)
    assert len({len(line) for line in (heading, rule, *body)}) == 1


def test_cells_are_escaped_and_stay_in_their_column():
    *_, first, second = to_markdown(TableLayout(ROWS, COLUMNS), caption="").splitlines()
    assert len(cells(first)) == len(cells(second)) == 3
    assert cells(first)[0] == r"PGD \| TRADES"
    assert cells(second)[0] == r"a\\b \*c\* \`d\` \<e> f"


def test_values_are_written_in_the_form_of_their_column():
    *_, first, second = to_markdown(TableLayout(ROWS, COLUMNS), caption="").splitlines()
    assert cells(first)[1:] == ["93.1", "1,200"]
    assert cells(second)[1:] == ["not run", "0.031"]


def test_missing_values_of_a_run_are_a_dash():
    *_, second = to_markdown(TableLayout(ROWS.assign(status="run"), COLUMNS), caption="").splitlines()
    assert cells(second)[1] == "–"


@pytest.mark.parametrize("value", [-0.01, 1.01, 93.0])
def test_percent_columns_take_shares_only(value):
    with pytest.raises(ValueError, match="'value'.*share"):
        to_markdown(TableLayout(ROWS.assign(value=value), COLUMNS), caption="")


def test_unknown_columns_and_forms_are_named():
    with pytest.raises(ValueError, match="'absent'"):
        to_markdown(TableLayout(ROWS, [Column("absent", "Absent")]), caption="")
    with pytest.raises(ValueError, match="'percents'"):
        Column("value", "Clean", "percents")


def test_architectures_stand_side_by_side_with_their_totals():
    table = architecture_table(
        {"StdCNN": describe(100, 910), "GCNN": describe(400, 3640)}, ["StdCNN", "GCNN"]
    )
    assert list(table["StdCNN operation"][:2]) == ["Conv(100)", "Conv(910)"]
    assert table["GCNN output"][0] == "10×26×26"
    assert list(table["GCNN parameters"]) == [400, 3640, 4040, 5, 1e-7]
    assert table["layer"][2] == "all parameters"


def test_architectures_in_markdown_keep_every_number():
    table = architecture_table({"a": describe(1, 14909)}, ["a"])
    body = to_markdown(architectures_layout(table, ["a"]), caption="Table 1").splitlines()[4:]
    assert [cells(line)[-1] for line in body] == ["1", "14,909", "14,910", "5", "1e-07"]


def test_a_shorter_network_leaves_its_cells_empty():
    table = architecture_table({"a": describe(1, 2, 3), "b": describe(4)}, ["a", "b"])
    assert len(table) == 6
    assert table["b parameters"].tolist() == [4, "", "", 4, 5, 1e-7] and not any(table["b output"][1:])


def test_layers_must_add_up_to_the_total():
    with pytest.raises(ValueError, match="'a'.*7 parameters of 8"):
        architecture_table({"a": describe(3, 4) | {"parameters": 8}}, ["a"])
    with pytest.raises(ValueError, match="'b'"):
        architecture_table({"a": describe(3)}, ["b"])


def test_a_wide_table_is_broken_between_groups_and_begins_anew_with_its_lead():
    columns = [Column("row", ""), *(Column(f"{g}{k}", f"{g}{k}", group=g) for g in "abc" for k in (1, 2))]
    rows = pd.DataFrame([{c.key: "x" * 30 for c in columns}] * 2)
    table = TableLayout(rows, columns, lead=1, notes=["word " * 60])
    parts = [[c.key for c in part] for part, _ in table.parts()]  # 1 + 4 * 33 fit, 1 + 5 * 33 do not
    assert parts == [["row", "a1", "a2"], ["row", "b1", "b2"], ["row", "c1", "c2"]]
    text = to_markdown(table, caption="caption " * 50)
    assert max(map(len, text.splitlines())) <= 200
    assert text.count("x" * 30) == 18 == to_latex(table, caption="", label="a").count("x" * 30)


def test_a_folded_line_unfolds_what_it_counts():
    table = TableLayout(ROWS, COLUMNS, folded={"2 of 4 rows were not run": "a; b|c"})
    text = to_markdown(table, caption="Table 1")
    assert text.endswith("<details><summary>2 of 4 rows were not run</summary>\n\na; b\\|c\n\n</details>\n")
    assert "2 of 4 rows were not run." in to_latex(table, caption="", label="a")


def test_latex_has_the_cells_of_the_markdown_under_booktabs_rules():
    rows = pd.DataFrame({"row": ["**Part_1**", "PGD & 50%"], "value": ["", "**1.5** [1, 2]"]})
    columns = [Column("row", "", "markdown"), Column("value", "±8 (%) ¹", "cell")]
    lines = to_latex(TableLayout(rows, columns), caption="A_b", label="p-t").splitlines()
    body = lines[lines.index(r"\begin{tabular}{lr}") :]
    assert body[1:7] == [
        r"\toprule",
        r" & $\pm$8 (\%) \textsuperscript{1} \\",
        r"\midrule",
        r"\multicolumn{2}{l}{\textbf{Part\_1}} \\",
        r"PGD \& 50\% & \textbf{1.5} [1, 2] \\",
        r"\bottomrule",
    ]
    assert r"\caption{A\_b}" in lines and r"\label{tab:p-t}" in lines
    assert latex(r"a\*b \| c\d") == r"a*b \textbar{} c\textbackslash{}d"
