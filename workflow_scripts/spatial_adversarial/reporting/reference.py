"""docs/reference.md: every key of the YAML files, its sentence, type, default and an example, from the schemas."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from spatial_adversarial.attacks import PERTURBATIONS
from spatial_adversarial.catalog.catalog import Catalog
from spatial_adversarial.panels import PANELS
from spatial_adversarial.records.profile import ProfileSettings
from spatial_adversarial.records.reading import read, schema
from spatial_adversarial.reporting.schema_keys import Key, Part
from spatial_adversarial.settings.fields import properties, required
from spatial_adversarial.settings.registry import REGISTRIES

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
TABLE = "| key | type | default | meaning | example |\n|---|---|---|---|---|"


def page(config: dict, catalog: Catalog, folder: Path) -> str:
    """The page; `folder` has the papers' files. Raises WithoutSentence."""
    files = {path: read(path) for path in sorted(folder.glob("*.yaml"))}
    parts = [HEAD, *_chapter("config", config), *_chapter("paper", {}), *_profiles(files)]
    recipes = [recipe for one in files.values() for recipe in _recipes(one)]
    parts += [*_chapter("recipe", {}, recipes), *_chapter("registry", {})]
    return "\n\n".join([*parts, _names(files), _targets(catalog)]) + "\n"


def _chapter(name: str, defaults: dict, uses: Sequence[dict] = ()) -> Iterator[str]:
    """A file's keys, and those of its named parts."""
    title, said = FILES[name]
    part = Part(schema(name), defaults, uses)
    yield f"## {title}\n\n{said}\n\n{_table(part.keys(part.root))}"
    for title, node in part.parts().items():
        if title in (known for known, _ in FILES.values()):  # that has a chapter
            continue
        yield f"### {title}\n\n{_said(node)}{_table(part.keys(node))}"


def _profiles(files: dict[Path, dict]) -> Iterator[str]:
    """The keys of all profiles, and those of each attack; random transforms have none of their own."""
    title, said = FILES["profile"]
    uses = [profile for one in files.values() for profile in one.get("profiles", {}).values()]
    common = {"properties": properties(ProfileSettings), "required": required(ProfileSettings)}
    part = Part(common, {}, uses)
    transforms = " or ".join(f"`{name}`" for name in PERTURBATIONS["transform"])
    said += f" A profile has one of `transform` ({transforms}) and `attack`."
    yield f"## {title}\n\n{said}\n\n{_table(part.keys(part.root))}"
    for name, kind in PERTURBATIONS["attack"].items():
        uses_it = [profile for profile in uses if profile.get("attack") == name]
        settings = {"properties": properties(kind), "required": required(kind)}
        rows = (
            _table(Part(settings, {}, uses_it).keys(settings)) if properties(kind) else "It has no settings."
        )
        yield f"### attack: {name}\n\n{kind.label or name}.\n\n{rows}"


def _recipes(file: dict) -> Iterator[dict]:
    """The recipes that a file has: those with a name, and those of families and rows."""
    yield from file.get("recipes", {}).values()
    for family in file.get("families", {}).values():
        yield family["recipe"]


def _said(node: dict) -> str:
    return f"{node['description']}\n\n" if "description" in node else ""


def _table(keys: Iterator[Key]) -> str:
    return "\n".join([TABLE, *(key.row() for key in keys)])


def _names(files: dict[Path, dict]) -> str:
    """The names that recipes, families, profiles and lines have in each file."""
    rows = ["| file | kind | names |\n|---|---|---|"]
    for path, file in files.items():
        for kind in ("data", "models", "methods", "recipes", "families", "profiles", "lines"):
            if names := file.get(kind):
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
