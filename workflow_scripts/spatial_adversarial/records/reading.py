"""Reading YAML as the catalog wants it: numbers parsed, keys checked, every error one line with file and key."""

import difflib
import functools
import io
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from spatial_adversarial.attacks import PERTURBATIONS
from spatial_adversarial.records import profile, recipe
from spatial_adversarial.settings.registry import REGISTRIES

SCHEMAS = Path(__file__).parent / "schemas"
FRACTION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)\s*")
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?(e[-+]?\d+)?", re.IGNORECASE)


DRAWN = ("label", "title", "strength", "heading", "note")  # texts that matplotlib draws
KINDS = {"by_data": "data set", "by_model": "model", "families": "family", "profiles": "profile"}
KINDS |= {"recipes": "recipe", "figures": "figure", "tables": "table"}


class CatalogError(ValueError):
    """A mistake of the user's in the configuration; its text is one line that names the file and the key."""


class _UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SafeLoader that refuses a key given twice, which YAML would silently let the later one win."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1 and key != "<<"), None)
        if twice is not None:
            raise CatalogError(f"{node.start_mark.name}: key {twice!r} is given twice")
        return super().construct_mapping(node, deep)


def read(path: Path) -> dict:
    """The mapping in a YAML file, its fractions and whole floats turned into plain numbers.

    Raises CatalogError when the file is missing or unreadable, is no YAML, gives a key twice, or has what `checked`
    refuses.
    """
    stream = io.StringIO(text(path))
    stream.name = str(path)
    try:
        return checked(yaml.load(stream, Loader=_UniqueKeyLoader), str(path)) or {}
    except yaml.YAMLError as error:
        raise CatalogError(f"{path}: {' '.join(str(error).split())}") from None


def text(path: Path) -> str:
    """What a file of the user's says; CatalogError where it is missing, unreadable or not UTF-8."""
    try:
        content = path.read_bytes()
        return content.decode("utf-8")
    except FileNotFoundError:
        raise CatalogError(f"{path}: no such file") from None
    except OSError as error:
        raise CatalogError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogError(f"{path}: line {line} is not UTF-8: save the file as UTF-8") from None


def checked(tree, file: str, key: str = "", within: tuple = ()):
    """The tree with its `numbers`; CatalogError, naming file and key, for what no YAML of ours may hold.

    That is a number that is not finite, an anchor inside itself, a text to be drawn with broken mathtext.
    """
    where = f"{file}: {key}" if key else file
    if id(tree) in within:
        raise CatalogError(f"{where}: an anchor holds itself")
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        inside = (*within, id(tree))
        done = {k: checked(value, file, f"{key}.{k}" if key else str(k), inside) for k, value in items}
        return done if isinstance(tree, dict) else list(done.values())
    number = numbers(tree)
    if isinstance(number, float) and not math.isfinite(number):
        raise CatalogError(f"{where}: {tree} is no finite number")
    if isinstance(tree, str) and "$" in tree and key.rpartition(".")[2] in DRAWN:
        _check_mathtext(tree, where)
    return number


def _check_mathtext(words: str, where: str) -> None:
    from matplotlib.cbook import is_math_text  # only where there is a formula
    from matplotlib.mathtext import MathTextParser

    try:
        if is_math_text(words):
            MathTextParser("path").parse(words)
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise CatalogError(f"{where}: {words!r} cannot be drawn as mathtext: {reason}") from None


def numbers(tree):
    """The tree with each "8/255" as a float and each whole float as an int, so that 60 and 60.0 are one value.

    Text that is a number becomes it: YAML reads 1e-3 as text, and Snakemake what --config gives inside [ ] or { }.
    """
    if isinstance(tree, dict):
        return {key: numbers(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [numbers(value) for value in tree]
    if isinstance(tree, str) and (fraction := FRACTION.fullmatch(tree)) and float(fraction[2]):
        tree = float(fraction[1]) / float(fraction[2])
    elif isinstance(tree, str) and NUMBER.fullmatch(tree):
        tree = float(tree)
    return int(tree) if isinstance(tree, float) and tree.is_integer() else tree


def merge(base: dict, over: dict) -> dict:
    """`base` with `over` laid over it, mapping by mapping; lists and scalars are replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def choose(tree, by: dict[str, str], where: str):
    """The tree with each {by_data: {mnist: A, default: B}} (or by_model) replaced by the entry that fits.

    by: {"by_data": data set key, "by_model": model key}. Raises CatalogError where no entry fits.
    """
    if isinstance(tree, list):
        return [choose(value, by, where) for value in tree]
    if not isinstance(tree, dict):
        return tree
    key = next(iter(tree)) if len(tree) == 1 else None
    if key not in by:
        return {key: choose(value, by, f"{where}.{key}") for key, value in tree.items()}
    choices = tree[key]
    if by[key] not in choices and "default" not in choices:
        raise CatalogError(f"{where}.{key}: no entry for {by[key]!r} and no default")
    return choose(choices.get(by[key], choices.get("default")), by, where)


def check_choices(tree, known: dict[str, dict], where: str) -> None:
    """Check that each by_data and by_model chooses among data sets and models that there are.

    known: {"by_data": data sets, "by_model": models}. `where` ends in ": " or "."; raises CatalogError.
    """
    if isinstance(tree, list):
        for item in tree:
            check_choices(item, known, where)
    if not isinstance(tree, dict):
        return
    for key, value in tree.items():
        if key in known and not isinstance(value, dict):
            raise CatalogError(f"{where}{key}: {value!r} is not of type 'object'")
        for name in value if key in known else ():
            if name != "default":
                lookup(KINDS[key], name, known[key], f"{where}{key}")
        check_choices(value, known, f"{where}{key}.")


@functools.cache
def schema(name: str) -> dict:
    """The JSON schema of that name: that of recipes, of all profiles or of one kind, or the one in schemas/<name>.yaml.

    Of all profiles it is "profile", of one kind "attack/pgd" or "transform/rotate".
    """
    key, _, kind = name.partition("/")
    if name == "recipe":
        return recipe.schema()
    if name == "profile":
        return profile.schema()
    if key in PERTURBATIONS:
        return profile.schema_of(PERTURBATIONS[key][kind])
    found = yaml.safe_load((SCHEMAS / f"{name}.yaml").read_text(encoding="utf-8"))
    if name == "paper":
        keys = found["properties"]["profiles"]["additionalProperties"]["properties"]
        keys |= {key: {} for key in profile.keys_of_yaml() if key not in keys}
    return found


def _registered(_, kind: str, name: str, __):
    """A schema's keyword `registry`: the name of one of the library's files of a kind, such as a metric."""
    if name not in REGISTRIES[kind]:
        yield ValidationError(f"unknown {kind} {name!r}{nearest(name, REGISTRIES[kind])}")


Validator = extend(Draft202012Validator, {"registry": _registered})


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    return Validator(schema(name))


@functools.cache  # figures share most of their recipes and profiles
def _first_error(name: str, value: str) -> ValidationError | None:
    return best_match(_validator(name).iter_errors(json.loads(value)))


VALID = ContextVar("VALID", default=False)


@contextmanager
def known_to_be_valid() -> Iterator[None]:
    """Within it `validate` checks nothing: two thirds of the time of a catalog whose files have been checked before."""
    before = VALID.set(True)
    try:
        yield
    finally:
        VALID.reset(before)


def validate(name: str, value: dict, where: str) -> None:
    """Check a value against schemas/<name>.yaml; raises CatalogError naming `where` and the key."""
    if VALID.get():
        return
    error = _first_error(name, json.dumps(value, default=str))
    if error is None:
        return
    key = ".".join(str(part) for part in error.absolute_path)
    raise CatalogError(f"{where}: {key + ': ' if key else ''}{_explain(error)}")


def _explain(error) -> str:
    """jsonschema's message, with the nearest known key beside a misspelt one."""
    if error.validator == "oneOf":
        return "give exactly one of " + ", ".join(rule["required"][0] for rule in error.validator_value)
    if "propertyNames" in error.absolute_schema_path:
        return f"{error.instance!r} is no name: letters, digits and _ only"
    if error.validator == "pattern" and "hint" in error.schema:
        return f"{error.instance!r}: {error.schema['hint']}"
    if error.validator != "additionalProperties":
        return error.message
    known = list(error.schema.get("properties", {}))
    unknown = [key for key in error.instance if key not in known]
    kind = error.schema.get("hint", "key")
    return "; ".join(f"unknown {kind} {key!r}{nearest(key, known)}" for key in unknown)


def nearest(word: str, known) -> str:
    """A hint such as " (did you mean 'rotate'?)", empty when nothing known is near."""
    near = difflib.get_close_matches(str(word), [str(name) for name in known], 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def lookup(kind: str, name: str, known: dict, where: str):
    """known[name], or a CatalogError that names the unknown thing, where it stands and what is near."""
    if name not in known:
        raise CatalogError(f"{where}: unknown {KINDS.get(kind, kind)} {name!r}{nearest(name, known)}")
    return known[name]
