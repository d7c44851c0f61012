"""The keys of a JSON schema as rows: what each may be, its default, its sentence and an example."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from spatial_adversarial.settings.numbers import number_text

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
    """A part of a schema that has a table of its own.

    defaults: values of the keys at its top; uses: mappings of figures/ of this kind, from which examples are taken.
    """

    def __init__(self, root: dict, defaults: dict, uses: Sequence[dict] = ()):
        self.root, self.defaults, self.uses = root, defaults, uses

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
            yield Key(here, self.kind(value), default, value["description"], flow(self._example(value, here)))
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
        """{title: schema} of the named parts: of definitions, and of what lists at the top hold."""
        named = [*self.root.get("$defs", {}).values(), *self.root["properties"].values()]
        held = [one.get("items", one) for one in named]
        return {one["title"]: one for one in held if "title" in one}

    def kind(self, node: dict) -> str:
        """What a value may be, in words."""
        node = self.resolved(node)
        if "enum" in node:
            return " or ".join(f"`{flow(value)}`" for value in node["enum"])
        if "const" in node:
            return f"`{flow(node['const'])}`"
        if "registry" in node:
            return f"name of a {node['registry']}"
        if "if" in node and "type" not in node:
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
            return f"`{flow(self.defaults[path])}`"
        if "default" in value:
            return f"`{flow(value['default'])}`"
        return "required" if required else ""

    def _example(self, value: dict, path: str) -> Any:
        """The last of a schema's examples, else what figures/ have, what its keys have, or another value."""
        if "examples" in value:
            return value["examples"][-1]
        if used := [found for one in self.uses if (found := _leaf(one, path.split("."))) is not None]:
            return used[0]
        inner = {name: self.resolved(one) for name, one in value.get("properties", {}).items()}
        if inner:
            names = value.get("required", list(inner)[:1])
            return {name: self._example(inner[name], f"{path}.{name}") for name in names}
        choices = value.get("enum", [True, False] if value.get("type") == "boolean" else [])
        others = [one for one in choices if one != value.get("default")]
        return others[0] if others else value.get("default")


def _leaf(tree: Any, keys: list[str]) -> Any:
    """tree[keys[0]][keys[1]] and so on, the first entry of each by_data and by_model on the way; None for none."""
    while isinstance(tree, dict) and tree.keys() & {"by_data", "by_model"}:
        (choices,) = tree.values()
        tree = next(iter(choices.values()))
    if not keys:
        return tree
    return _leaf(tree[keys[0]], keys[1:]) if isinstance(tree, dict) and keys[0] in tree else None


def _as_written(value: Any) -> Any:
    """A value with each k/255 as the papers' files write it."""
    if isinstance(value, dict):
        return {key: _as_written(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_written(one) for one in value]
    return text if isinstance(value, float) and "/" in (text := number_text(value)) else value


def flow(value: Any) -> str:
    """A value as YAML in one line; empty for none."""
    if value is None:
        return "null"
    made = yaml.safe_dump(
        _as_written(value), default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True
    )
    return made.strip().removesuffix("...").strip()
