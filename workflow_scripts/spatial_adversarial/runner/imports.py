"""What a script is made of: its own source and that of every module of the library that it may import."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
DISCOVERY = f"{LIBRARY.name}.settings.registry.discover"


def code_digest(script: str | Path) -> str:
    """SHA-256 of a script, of all library modules behind its imports, and of the files that lie in their packages.

    As a parameter of a rule it makes the jobs of a cheap stage run again when any of these changes, and only then:
    a fresh clone, whose files are new, has the same digest.
    """
    hashed = hashlib.sha256()
    for file in sources(Path(script)):
        hashed.update(_digest(file))
    return hashed.hexdigest()[:16]


def sources(script: Path) -> list[Path]:
    """A script, and all that it may import from the library, wherever the import stands, in a fixed order."""
    found, seen = [script], {script}
    for file in found:
        for other in _imported(file):
            if other not in seen:
                seen.add(other)
                found.append(other)
    return [script, *sorted(found[1:])]


@cache
def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


@cache
def _imported(file: Path) -> tuple[Path, ...]:
    if file.suffix != ".py":
        return ()
    names = [name for node in ast.walk(ast.parse(file.read_bytes())) for name in _names(node)]
    modules = [name.split(".")[1:] for name in names if name.split(".")[0] == LIBRARY.name]
    beside = (
        sorted(file.parent.glob("*.py")) if DISCOVERY in names else []
    )  # a registry finds its files by itself
    return tuple(dict.fromkeys([*(path for parts in modules for path in _files(parts)), *beside]))


def _names(node: ast.AST) -> Iterator[str]:
    """What an import may name: modules, and what is imported from one, which may be a module as well."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(parts: list[str]) -> Iterator[Path]:
    """The source of a module, of the packages above it, and the files beside a package that are not Python."""
    for depth in range(len(parts) + 1):
        folder = LIBRARY.joinpath(*parts[:depth])
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
            if depth:
                yield from _data_of(folder)
        elif folder.with_suffix(".py").is_file():
            yield folder.with_suffix(".py")


def _data_of(package: Path) -> Iterator[Path]:
    """The files of a package that are not Python, such as schemas and templates; a package in it has its own."""
    for path in sorted(package.iterdir()):
        if path.is_dir() and not (path / "__init__.py").is_file():
            yield from _data_of(path)
        elif path.suffix in (".yaml", ".html", ".css", ".js"):
            yield path
