"""The Markdown that this workflow writes, tables and documents, as HTML: no more of it than that takes."""

import re
from collections import Counter
from html import escape

INLINE = re.compile(
    r"\\(?P<plain>[\\|*`<])|`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*|\[(?P<text>[^\]]+)\]\((?P<to>[^)\s]+)\)"
)
CELLS = re.compile(r"(?<!\\)\|")


def inline(text: str) -> str:
    """Text with code, bold and escaped marks as HTML; of links that are not to the web, the words alone."""
    made, last = [], 0
    for match in INLINE.finditer(text):
        made.append(escape(text[last : match.start()]))
        made.append(_marked(match))
        last = match.end()
    return "".join(made) + escape(text[last:])


def _marked(match: re.Match) -> str:
    if match["plain"]:
        return escape(match["plain"])
    if match["code"]:
        return f"<code>{escape(match['code'])}</code>"
    if match["bold"]:
        return f"<strong>{inline(match['bold'])}</strong>"
    if match["to"].startswith("https://"):
        return f'<a href="{escape(match["to"])}">{inline(match["text"])}</a>'
    return inline(match["text"])


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """[(kind, lines)] of a document: "heading", "table" or "text"."""
    found: list[tuple[str, list[str]]] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.splitlines()
        kind = {"#": "heading", "|": "table"}.get(lines[0][:1], "text")
        found.append((kind, lines))
    return found


def cells(line: str) -> list[str]:
    """The cells of a table's row."""
    return [cell.strip() for cell in CELLS.split(line.strip())[1:-1]]


def table(lines: list[str], label: str) -> str:
    """A table as HTML in a box that scrolls sideways; `label` names it for those who do not see it.

    A row whose first cell that is not empty is the only one, in bold, is a heading of those below it.
    """
    head, rule, *body = lines
    right = [cell.endswith(":") for cell in cells(rule)]
    made = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in cells(head))
    rows = "".join(_row(cells(line), right) for line in body)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}"><table class="sortable">'
        f"<thead><tr>{made}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(found: list[str], right: list[bool]) -> str:
    filled = [cell for cell in found if cell]
    if len(filled) == 1 and filled[0].startswith("**") and len(found) > 1:
        return f'<tr class="part"><th scope="rowgroup" colspan="{len(found)}">{inline(filled[0])}</th></tr>'
    kinds = (' class="number"' if number else "" for number in right)
    return f"<tr>{''.join(f'<td{kind}>{inline(cell)}</td>' for cell, kind in zip(found, kinds, strict=False))}</tr>"


def html(text: str, label: str, level: int = 2) -> str:
    """A document as HTML, its first level of headings being h<level>; tables of one label are numbered in it."""
    made, named = [], Counter()
    for kind, lines in blocks(text):
        if kind == "table":
            named[label] += 1
            made.append(table(lines, label if named[label] == 1 else f"{label}, part {named[label]}"))
        elif kind == "heading":
            marks, _, title = lines[0].partition(" ")
            depth = len(marks) - 1 + level
            label = title
            made.append(f"<h{depth}>{inline(title)}</h{depth}>")
            made += [f"<p>{inline(' '.join(lines[1:]))}</p>"] if lines[1:] else []
        elif lines[0].startswith("<"):  # a part that folds
            made += lines
        else:
            made.append(f"<p>{inline(' '.join(lines))}</p>")
    return "\n".join(made)


def deviations(text: str, papers: list[str]) -> dict[str, list[tuple[str, list[str], list[list[str]]]]]:
    """{paper: [(what they are about, the table's heading, rows)]} of docs/deviations.md: what touches each paper.

    A row is of the papers that its first cell, the line above its table or its heading names; else it touches all.
    """
    found: dict[str, list] = {paper: [] for paper in papers}
    heading = lead = ""
    for kind, lines in blocks(text):
        if kind == "heading":
            heading, lead = lines[0].lstrip("# "), ""
        elif kind == "text":
            lead = lines[-1] if len(lines) == 1 else ""
        elif {"here", "ours"} & set(cells(lines[0])):
            rows = [cells(line) for line in lines[2:]]
            for paper in papers:
                named = [_named(f"{heading} {lead} {row[0]}", papers) or papers for row in rows]
                own = [row for row, touched in zip(rows, named, strict=True) if paper in touched]
                title = f"{heading}: {lead}" if lead else heading
                found[paper] += [(title, cells(lines[0]), own)] if own else []
    return found


def _named(text: str, papers: list[str]) -> list[str]:
    """The papers that a text names: "OA-AT's paper", "CuSP"."""
    plain = re.sub(r"[^a-z0-9 ]", "", text.casefold())
    return [paper for paper in papers if paper in plain]
