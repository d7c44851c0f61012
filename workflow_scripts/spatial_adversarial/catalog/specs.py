"""The files that a catalog is made from: the registry, the protocols that papers share, and a file a paper."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from spatial_adversarial.catalog import checks, optional_rows
from spatial_adversarial.records.reading import (
    CatalogError,
    check_choices,
    checked,
    lookup,
    merge,
    read,
    validate,
)

DEFAULTS = {"stand_ins": {}, "budget": {}, "overrides": {}, "only_data": None, "own": {}, "optional_rows": []}
DEFAULTS |= {"robust_images": "ours", "attack_check": [], "runs_from": [], "export": None, "precision": None}


@dataclass
class Scope:
    """What a paper's file is resolved against."""

    registry: dict
    shared: dict
    paper: dict
    config: dict
    file: str
    shared_file: str
    registry_file: str
    recipes: dict = field(default_factory=dict)  # path -> canonical recipe, of every run met
    robust_images: str = "ours"  # or released

    def find(self, kind: str, name: str, where: str) -> dict:
        """The family, profile, recipe or lines of that name: the paper's own, else the shared one."""
        return lookup(kind, name, self.shared.get(kind, {}) | self.paper.get(kind, {}), where)

    def place(self, kind: str, name: str) -> str:
        """Where that entry is written: file and key, and that the config overrides it."""
        file = self.file if name in self.paper.get(kind, {}) else self.shared_file
        changed = name in self.config["overrides"].get(kind, {})
        return f"{file}: {kind}.{name}{' with config: overrides' if changed else ''}"


class Specs:
    """The YAML of a configuration, read, checked and with the config's overrides laid over it.

    Raises CatalogError, one line that names file and key, for anything wrong in the config or a file.
    """

    def __init__(self, config: dict, folder: Path):
        config = checked(config, "config")
        validate("config", config, "config")
        self.config = DEFAULTS | config
        self.folder = folder
        self.registry = self._overridden("registry", "registry")
        for kind in ("budget", "overrides", "seeds"):
            check_choices(self.config[kind], self._choices, f"config: {kind}.")
        self._papers: dict[str, dict] = {}
        self.shared = self.paper("protocols")
        self.shared["recipes"] = checks.new_recipes(self.config["overrides"]) | self.shared["recipes"]
        checks.check_names(self)

    @property
    def _choices(self) -> dict[str, dict]:
        return {"by_data": self.registry["data"], "by_model": self.registry["models"]}

    def _overridden(self, name: str, rule: str) -> dict:
        """<name>.yaml, checked, with the config's overrides laid over the entries that it has, and checked again."""
        path = self.folder / f"{name}.yaml"
        spec = read(path)
        validate(rule, spec, str(path))
        over = {kind: named for kind, named in self.config["overrides"].items() if kind in spec}
        over = {k: {key: v for key, v in named.items() if key in spec[k]} for k, named in over.items()}
        spec = merge(spec, over)
        validate(rule, spec, f"config: overrides of {path.name}")
        return spec

    def full_width(self, model: str) -> dict:
        """A model of the registry as the config has it, but as wide as the registry's file says."""
        written = self._file["models"][model]
        return self.registry["models"][model] | {"width": written.get("width", 1)}

    @cached_property
    def _file(self) -> dict:
        return read(self.folder / "registry.yaml")

    @cached_property
    def files(self) -> dict[str, Path]:
        """{paper: its file} of all the papers in the folder, asked for or not."""
        files = {path.stem: path for path in sorted(self.folder.glob("*.yaml"))}
        return {name: path for name, path in files.items() if name not in ("registry", "protocols")}

    def paper(self, name: str) -> dict:
        """A paper's file as read and checked, with the config's overrides; raises CatalogError."""
        if name not in self._papers:
            self._papers[name] = self._overridden(name, "paper")
            check_choices(self._papers[name], self._choices, f"{self.folder / name}.yaml: ")
        return self._papers[name]

    def add_paper(self, name: str, spec: dict) -> None:
        """Have a paper more that no file says; it comes last."""
        self._papers[name] = spec
        self.config["papers"] = [*self.config["papers"], name]

    def scope(self, paper: str, recipes: dict[str, dict]) -> Scope:
        """Where the names in a paper's file are looked up; runs add their recipes to `recipes`."""
        files = [str(self.folder / f"{name}.yaml") for name in (paper, "protocols", "registry")]
        images = "released" if self.config["robust_images"] == "released" else "ours"
        return Scope(self.registry, self.shared, self.paper(paper), self.config, *files, recipes, images)

    def figures(self, kind: str = "figures") -> dict[str, dict]:
        """{<paper>/<name>: YAML} of the figures, or "tables", of all papers that the config asks for."""
        specs = {paper: self.paper(paper).get(kind, {}) for paper in self.config["papers"]}
        return {f"{paper}/{name}": spec for paper, figures in specs.items() for name, spec in figures.items()}

    def tables(self, paper: str) -> dict[str, dict]:
        """{name: YAML} of a paper's tables, those that are `like` another written out, without rows not asked for."""
        left = self.left_out(paper)
        return {name: optional_rows.table(name, spec, left) for name, spec in self._all_tables(paper).items()}

    def left_out(self, paper: str) -> optional_rows.Left:
        """The optional rows of a paper's tables that the config does not ask for."""
        return optional_rows.left_out(paper, self._all_tables(paper), self.config["optional_rows"])

    def check_optional_rows(self, paper: str) -> None:
        """What the config asks for of a paper's optional rows is there; raises CatalogError."""
        optional_rows.check(paper, self._all_tables(paper), self.config["optional_rows"])

    def _all_tables(self, paper: str) -> dict[str, dict]:
        return {name: self.written_out(paper, "tables", name) for name in self.paper(paper).get("tables", {})}

    def written_out(self, paper: str, kind: str, name: str) -> dict:
        """The YAML of a figure or table, `like` written out, and the config's overrides of it over that."""
        spec = self.like(paper, kind, name)
        over = self.config["overrides"].get(kind, {}).get(f"{paper}/{name}")
        if over is None:
            return spec
        spec = merge(_rows_as_text(spec), _rows_as_text(over))
        validate("paper", {kind: {name: spec}}, f"config: overrides.{kind}.{paper}/{name}")
        return spec

    def like(self, paper: str, kind: str, name: str, after: tuple = ()) -> dict:
        """A figure's YAML with `like: [paper/]figure` replaced by that figure, its data and models exchanged."""
        spec = self.paper(paper)[kind][name]
        where = f"{self.folder / paper}.yaml: {kind}.{name}"
        if "like" not in spec:
            if kind == "figures" and "model" in spec:
                raise CatalogError(f"{where}.model: only a figure that is `like` another exchanges models")
            return spec
        if (paper, name) in after:
            raise CatalogError(f"{where}.like: the figure repeats itself")
        other, _, target = spec["like"].rpartition("/")
        lookup("paper", other or paper, self.files, f"{where}.like")
        lookup(kind, target, self.paper(other or paper).get(kind, {}), f"{where}.like")
        model = self.like(other or paper, kind, target, (*after, (paper, name)))
        if kind == "tables":
            return merge(model, {key: value for key, value in spec.items() if key != "like"})
        models = {panel.get("model"): panel for panel in model.get("panels", {}).values()}
        for exchanged in spec.get("model", {}):
            lookup("model", exchanged, models, f"{where}.model")
        panels = {k: _exchanged(panel, spec) for k, panel in model.get("panels", {}).items()}
        changes = {key: value for key, value in spec.items() if key not in ("like", "model")}
        return merge(model | ({"panels": panels} if panels else {}), changes)


def _rows_as_text(spec: dict) -> dict:
    """A table whose rows are named by text, so that 7 and "7" are one row."""
    return spec | {"rows": {str(key): row for key, row in spec["rows"].items()}} if "rows" in spec else spec


def _exchanged(panel: dict, spec: dict) -> dict:
    """A panel of the figure that is repeated, with this figure's data set and models in place of the other's."""
    model = spec.get("model", {}).get(panel.get("model"), panel.get("model"))
    return {key: value for key, value in panel.items() if key != "data" or "data" not in spec} | {
        "model": model
    }
