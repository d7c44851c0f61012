"""Registries: a package of which each file adds one thing, found by what the file names."""

import importlib
import pkgutil

REGISTRIES: dict[str, dict] = {}  # by the name that a schema's keyword `registry` has


def discover(package: str, constant: str, *, path: list[str]) -> dict:
    """{file's name: its `constant`} of all modules of a package (its `__name__` and `__path__`) that have one.

    runner.imports counts all of these modules among what an import of the package may import.
    """
    modules = sorted(module.name for module in pkgutil.iter_modules(path))
    loaded = {name: importlib.import_module(f"{package}.{name}") for name in modules}
    return {name: getattr(module, constant) for name, module in loaded.items() if hasattr(module, constant)}


def register(name: str, entries: dict) -> dict:
    """Let schemas check names of a kind, such as `registry: metric`, against the entries, and return these."""
    REGISTRIES[name] = entries
    return entries
