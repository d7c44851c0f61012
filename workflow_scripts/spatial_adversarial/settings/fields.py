"""Settings as the fields of a frozen dataclass: each has a sentence, maybe a default, and a JSON schema."""

from dataclasses import MISSING, field, fields
from typing import Any


def setting(sentence: str, *, default: Any = MISSING, **rule) -> Any:
    """A field of a record of settings; without a default the YAML has to give it.

    sentence: what it is, for the reference of all keys. rule: its JSON schema, such as type="integer", minimum=1.
    """
    metadata = {"rule": rule, "sentence": sentence}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def optional(sentence: str, **rule) -> Any:
    """A field that the YAML may leave out; it is None then, and no key of the canonical form."""
    return field(default=None, metadata={"rule": rule, "sentence": sentence, "optional": True})


def properties(record: type) -> dict[str, dict]:
    """{key: its JSON schema, with its default and its sentence} of a record's settings."""
    return {
        one.name: one.metadata["rule"] | _default(one) | {"description": one.metadata["sentence"]}
        for one in fields(record)
        if "rule" in one.metadata
    }


def required(record: type) -> list[str]:
    """The settings that have no default."""
    optional = {one.name for one in fields(record) if "optional" in one.metadata}
    return [key for key, rule in properties(record).items() if "default" not in rule and key not in optional]


def mapping(record: type, **more) -> dict:
    """The JSON schema of a mapping whose keys are a record's settings."""
    asked = {"required": required(record)} if required(record) else {}
    return (
        {"type": "object", "additionalProperties": False} | asked | {"properties": properties(record)} | more
    )


def made(record: type, settings: dict) -> Any:
    """A record of those of the settings that are its own; what is left out has its default."""
    names = [one.name for one in fields(record) if "rule" in one.metadata]
    return record(**{name: settings[name] for name in names if name in settings})


def _default(one) -> dict:
    if "optional" in one.metadata:
        return {}
    if one.default_factory is not MISSING:
        return {"default": one.default_factory()}
    return {} if one.default is MISSING else {"default": one.default}
