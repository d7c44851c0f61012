"""docs/reference.md: every key of the YAML files, its sentence, type, default and an example, from the schemas."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spatial_adversarial.catalog.catalog import Catalog
from spatial_adversarial.panels import PANELS
from spatial_adversarial.records.identity import number_text
from spatial_adversarial.records.reading import REGISTRIES, read, schema

HEAD = """# Every key of the YAML files

Made by `python workflow_scripts/make_reference.py` from the schemas and records of the library: edit those, not this
page. The [glossary](glossary.md) explains words.

Numbers may be fractions, such as 8/255. A value of a recipe, family or profile may be chosen by data set or model:
`{by_data: {mnist: 0.01, default: 2/255}}`, `{by_model: {stdcnn: 0.1, default: 0.2}}`. A key in angle brackets is a
name, of your own or of a thing that is there.
"""
FILES = {
    "config": ("Config files", "config.yaml, and what `--configfile` or a profile lays over it."),
    "paper": ("A paper's file", "figures/<paper>.yaml, and figures/protocols.yaml, which papers share."),
    "profile": ("Profiles", "What stands below a name in `profiles`, beside `label`, `metric` and `unit`."),
    "recipe": ("Recipes", "What stands below a name in `recipes`, in a family's `recipe` and in a row's."),
    "registry": ("The registry", "figures/registry.yaml."),
}
WORDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "null": "null",
}
WORDS |= {"object": "mapping", "array": "list"}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
TABLE = "| key | type | default | meaning | example |\n|---|---|---|---|---|"


class WithoutSentence(ValueError):
    """A key of a schema that nothing describes."""


@dataclass(frozen=True)
class Key:
    """One row of the page: a key's path below its part, what it may be, and what is said of it."""

    path: str
    kind: str
    default: str
    sentence: str
    example: str

    def row(self) -> str:
        example = f"`{self.example}`" if self.example != "null" else ""
        cells = (f"`{self.path}`", self.kind, self.default, self.sentence, example)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


class Part:
    """A part of a schema that has a table of its own."""

    def __init__(self, root: dict, defaults: dict):
        self.root, self.defaults = root, defaults

    def keys(self, node: dict, path: str = "") -> Iterator[Key]:
        """The rows of an object's properties and of what they hold; those of named parts stand elsewhere.

        Raises WithoutSentence for a property without a description.
        """
        node = self.resolved(node)
        required = node.get("required", ())
        for name, found in node.get("properties", {}).items():
            here = f"{path}.{name}" if path else name
            if not found:  # checked, and described, once it is resolved
                continue
            value = self.resolved(found)
            if "description" not in value:
                raise WithoutSentence(f"{here} has no sentence in its schema")
            default = self._default(here, value, name in required)
            yield Key(here, self.kind(value), default, value["description"], _flow(self._example(value)))
            yield from self._inside(value, here)

    def _inside(self, value: dict, path: str) -> Iterator[Key]:
        for inner in (value, *(value[key] for key in ("then", "else") if key in value)):
            if not self.is_part(inner):
                yield from self.keys(inner, path)
            held = {"": inner.get("items"), ".<name>": inner.get("additionalProperties")}
            for below, one in held.items():
                if isinstance(one, dict) and not self.is_part(one):
                    yield from self.keys(one, f"{path}{below}")

    def resolved(self, node: dict) -> dict:
        """A schema with what its $ref names, and its own keywords over that."""
        if "$ref" not in node:
            return node
        named = self.root["$defs"][node["$ref"].rpartition("/")[2]]
        return self.resolved(named) | {key: value for key, value in node.items() if key != "$ref"}

    def is_part(self, node: dict) -> bool:
        """Whether a schema is a part with a title: its keys stand in a table of their own."""
        return "title" in self.resolved(node) or "title" in self.resolved(node).get("items", {})

    def parts(self) -> dict[str, dict]:
        """{title: schema} of the named parts."""
        named = (one.get("items", one) for one in self.root.get("$defs", {}).values())
        known = {title for title, _ in FILES.values()}
        return {one["title"]: one for one in named if one.get("title", "Recipes") not in known}

    def kind(self, node: dict) -> str:
        """What a value may be, in words."""
        node = self.resolved(node)
        if "enum" in node:
            return " or ".join(f"`{_flow(value)}`" for value in node["enum"])
        if "const" in node:
            return f"`{_flow(node['const'])}`"
        if "registry" in node:
            return f"name of a {node['registry']}"
        if "if" in node and "then" in node:
            first = self.kind(node["if"] | self.resolved(node["then"]))
            return f"{self.kind(node.get('else', {}))} or {first}"
        if "anyOf" in node:
            return " or ".join(map(self.kind, node["anyOf"]))
        types = node.get("type", [])
        return (
            " or ".join(self._word(one, node) for one in ([types] if isinstance(types, str) else types))
            or "any"
        )

    def _word(self, kind: str, node: dict) -> str:
        if kind == "array" and "items" in node:
            inner = self.resolved(node["items"])
            held = "mappings" if "properties" in inner else self.kind(inner)
            return f"list of {held}"
        bounds = [f"{word} {number_text(node[key])}" for key, word in BOUNDS.items() if key in node]
        return " ".join(
            [WORDS[kind], *([", ".join(bounds)] if kind in ("number", "integer") else [])]
        ).strip()

    def _default(self, path: str, value: dict, required: bool) -> str:
        if path in self.defaults:
            return f"`{_flow(self.defaults[path])}`"
        if "default" in value:
            return f"`{_flow(value['default'])}`"
        return "required" if required else ""

    def _example(self, value: dict) -> Any:
        """The last of a schema's examples, else what its keys have, or a value that is not its default."""
        if "examples" in value:
            return value["examples"][-1]
        inner = {name: self.resolved(one) for name, one in value.get("properties", {}).items()}
        if inner:
            return {name: self._example(inner[name]) for name in value.get("required", list(inner)[:1])}
        others = [one for one in value.get("enum", [True]) if one != value.get("default")]
        return others[0] if "enum" in value or value.get("type") == "boolean" else value.get("default")


def _flow(value: Any) -> str:
    """A value as YAML in one line; empty for none."""
    if value is None:
        return "null"
    made = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return made.strip().removesuffix("...").strip()


def page(config: dict, catalog: Catalog, folder: Path) -> str:
    """The page; `folder` has the papers' files. Raises WithoutSentence."""
    parts = [HEAD]
    for name, (title, said) in FILES.items():
        part = Part(schema(name), config if name == "config" else {})
        parts.append(f"## {title}\n\n{said}\n\n{_table(part.keys(part.root))}")
        parts += [
            f"### {title}\n\n{_said(node)}{_table(part.keys(node))}" for title, node in part.parts().items()
        ]
    return "\n\n".join([*parts, _names(folder), _targets(catalog)]) + "\n"


def _said(node: dict) -> str:
    return f"{node['description']}\n\n" if "description" in node else ""


def _table(keys: Iterator[Key]) -> str:
    return "\n".join([TABLE, *(key.row() for key in keys)])


def _names(folder: Path) -> str:
    """The names that recipes, families, profiles and lines have in each file."""
    rows = ["| file | kind | names |\n|---|---|---|"]
    for path in sorted(folder.glob("*.yaml")):
        for kind in ("data", "models", "methods", "recipes", "families", "profiles", "lines"):
            if names := read(path).get(kind):
                rows.append(f"| {path.name} | {kind} | {', '.join(f'`{name}`' for name in names)} |")
    rows += [
        f"| the library | {kind} | {', '.join(f'`{name}`' for name in names)} |"
        for kind, names in REGISTRIES.items()
    ]
    return "## Names\n\nWhat budgets, overrides, panels and rows may name.\n\n" + "\n".join(rows)


def _targets(catalog: Catalog) -> str:
    """The letters of each figure's panels, and the rows of each table."""
    rows = ["| target | panels or rows |\n|---|---|"]
    for (paper, name), target in catalog.targets.items():
        if letters := [panel.letter for panel in target.panels if PANELS[panel.kind].is_shown]:
            rows.append(f"| {paper}/{name} | {', '.join(f'`{letter}`' for letter in letters)} |")
    said = "What `budget.panels`, `budget.rows`, `optional_rows` and claims may name."
    primed = "Primed letters are panels of our own beside the paper's."
    return f"## Panel letters and rows\n\n{said} {primed}\n\n" + "\n".join(rows)
