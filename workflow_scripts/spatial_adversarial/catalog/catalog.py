"""Everything that the papers ask for, as the DAG, the targets and the plan need it."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from ..theory.bounds import STATEMENTS
from . import budget, checks, own, pareto, tables
from .papers import Panel, Scope, expand_panels, resolve_panel
from .reading import CatalogError, check_choices, lookup, merge, numbers, read, validate
from .recipes import digest, robust_images, run_and_step

TARGET_VERSION = 1  # raise it when aggregates made by older code are no longer right


@dataclass(frozen=True)
class Target:
    """A figure or table of a paper: `spec` is its resolved YAML, `panels` what its rows are computed from."""

    paper: str
    name: str
    kind: str  # panels, theory, pareto, architectures, results
    title: str
    columns: int
    spec: dict
    panels: tuple[Panel, ...] = ()

    @property
    def is_table(self) -> bool:
        return self.kind in ("architectures", "results")

    def paths(self) -> list[str]:
        """The runs, without seeds, that the target needs."""
        run = [panel for panel in self.panels if not panel.reason]
        return list(dict.fromkeys(run_and_step(m.path)[0] for panel in run for m in panel.members))

    def evaluations(self) -> list[tuple[str, str]]:
        """The (run without seed, profile file) pairs that the target needs."""
        pairs = [
            (path, profile.file)
            for panel in self.panels
            if not panel.reason
            for line in panel.lines
            for path, profile in line.profiles.items()
        ]
        return list(dict.fromkeys(pairs))

    def histories(self) -> list[str]:
        """The runs, without seeds, whose training history the target draws."""
        drawn = [panel for panel in self.panels if panel.kind == "history" and not panel.reason]
        return list(dict.fromkeys(member.path for panel in drawn for member in panel.members))

    def slices(self) -> list[tuple[str, str]]:
        """The pairs of runs between whose boundaries the target draws a slice."""
        drawn = [panel for panel in self.panels if panel.kind == "boundary" and not panel.reason]
        return [(panel.members[0].path, panel.members[1].path) for panel in drawn]


class Catalog:
    """The resolved papers of one configuration.

    Raises CatalogError, one line that names file and key, for anything wrong in the config or a paper's file.
    """

    def __init__(self, config: dict, folder: Path):
        config = numbers(config)
        validate("config", config, "config")
        self.config = {"stand_ins": {}, "budget": {}, "overrides": {}, "only_data": None, "own": {}} | config
        self.folder = folder
        self.registry = self._overridden("registry", "registry")
        for kind in ("budget", "overrides"):
            check_choices(self.config[kind], self._choices, f"config: {kind}.")
        self._papers: dict[str, dict] = {}
        self.shared = self.paper("protocols")
        self.shared["recipes"] = checks.new_recipes(self.config["overrides"]) | self.shared["recipes"]
        self.recipes: dict[str, dict] = {}
        checks.check_names(self)
        figures = {
            f"{paper}/{name}"
            for paper in self.config["papers"]
            for name in self.paper(paper).get("figures", {})
        }
        self.registry["models"] |= own.models(self.config["own"], self.registry, figures)
        self.targets = {(t.paper, t.name): t for paper in self.config["papers"] for t in self._targets(paper)}
        checks.check_rows(self.config["budget"], self.targets)
        self.claims = {paper: self._claims(paper) for paper in self.config["papers"]}
        checks.check_tests(self)

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

    def _scope(self, paper: str) -> Scope:
        files = [str(self.folder / f"{name}.yaml") for name in (paper, "protocols", "registry")]
        return Scope(self.registry, self.shared, self.paper(paper), self.config, *files, self.recipes)

    def _targets(self, paper: str):
        scope = self._scope(paper)
        for name in self.paper(paper).get("figures", {}):
            yield self._figure(paper, name, scope)
        for name in self.paper(paper).get("tables", {}):
            if name in self.paper(paper).get("figures", {}):
                raise CatalogError(f"{scope.file}: tables.{name}: a figure has this name")
            yield self._table(paper, name, scope)

    def _figure(self, paper: str, name: str, scope: Scope) -> Target:
        where = f"{scope.file}: figures.{name}"
        spec = self._like(paper, "figures", name)
        kind = spec.get("kind", "panels")
        if kind == "theory":
            if "settings" not in spec:
                raise CatalogError(f"{where}: a theory figure needs 'settings'")
            for k, panel in spec["settings"]["panels"].items():
                place = f"{where}.settings.panels.{k}.statement"
                lookup("statement", panel["statement"], STATEMENTS.get(paper, {}), place)
            settings = merge(spec["settings"], self.config["overrides"].get("theory", {}))
            validate("paper", {"figures": {name: {"settings": settings}}}, "config: overrides.theory")
            return Target(
                paper, name, kind, spec.get("title", ""), spec.get("columns", 2), {"settings": settings}
            )
        if kind == "pareto":
            drawn, rows = pareto.resolve(paper, spec, self._tables_of(paper), scope, where)
            return Target(paper, name, kind, spec.get("title", ""), 2, drawn, rows)
        dealt = expand_panels(spec, where)
        dealt |= own.panels(dealt, self.config["own"], f"{paper}/{name}")
        dealt = {k: lookup("panel", k, dealt, f"{where}.only") for k in spec.get("only", dealt)}
        if not dealt:
            raise CatalogError(f"{where}: a figure needs panels")
        panels = tuple(resolve_panel(k, panel, scope, f"{where}.panels.{k}") for k, panel in dealt.items())
        return Target(
            paper,
            name,
            kind,
            spec.get("title", ""),
            spec.get("columns", 2),
            {"note": spec.get("note", "")},
            panels,
        )

    def _table(self, paper: str, name: str, scope: Scope) -> Target:
        where = f"{self.folder / paper}.yaml: tables.{name}"
        spec = self._like(paper, "tables", name)
        if spec["kind"] == "results":
            printed, rows = tables.resolve(paper, name, self._tables_of(paper), scope)
            return Target(paper, name, spec["kind"], spec.get("title", ""), 1, printed, rows)
        for key in ("models", "data"):
            if key not in spec:
                raise CatalogError(f"{where}: a table needs {key!r}")
        for model in spec["models"]:
            lookup("model", model, self.registry["models"], f"{where}.models")
        data = spec["data"]
        lookup("data set", data, self.registry["data"], f"{where}.data")
        spec = spec | {"data": self.config["stand_ins"].get(data, data)}
        return Target(paper, name, spec["kind"], spec.get("title", ""), 1, spec)

    def _tables_of(self, paper: str) -> dict[str, dict]:
        return {name: self._like(paper, "tables", name) for name in self.paper(paper).get("tables", {})}

    def _like(self, paper: str, kind: str, name: str, after: tuple = ()) -> dict:
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
        model = self._like(other or paper, kind, target, (*after, (paper, name)))
        if kind == "tables":
            return merge(model, {key: value for key, value in spec.items() if key != "like"})
        models = {panel.get("model"): panel for panel in model.get("panels", {}).values()}
        for exchanged in spec.get("model", {}):
            lookup("model", exchanged, models, f"{where}.model")
        panels = {k: _exchanged(panel, spec) for k, panel in model.get("panels", {}).items()}
        own = {key: value for key, value in spec.items() if key not in ("like", "model")}
        return merge(model | ({"panels": panels} if panels else {}), own)

    def _claims(self, paper: str) -> dict:
        claims = self.paper(paper).get("claims", {})
        for key, claim in claims.items():
            for name, test in claim["tests"].items():
                where = f"{self.folder / paper}.yaml: claims.{key}.{name}"
                for target, panels in _judged_on(claim, test):
                    self._check_panels(paper, target, panels, where)
                if "columns" in test:
                    checks.check_cells(self.targets[paper, test.get("in", claim["in"])], test, where)
        return claims

    def _check_panels(self, paper: str, target: str, panels: list[str], where: str) -> None:
        if (paper, target) not in self.targets:
            raise CatalogError(f"{where}.in: no figure or table {target!r}")
        spec = self.targets[paper, target]
        letters = [panel.letter for panel in spec.panels] + list(
            spec.spec.get("settings", {}).get("panels", {})
        )
        for panel in panels:
            if panel not in letters:
                raise CatalogError(f"{where}.panels: {target} has no panel {panel!r}")

    def claimed_targets(self, paper: str) -> list[str]:
        """The targets whose aggregates a paper's claims are judged on."""
        claims = self.claims[paper].values()
        tests = [(claim, test) for claim in claims for test in claim["tests"].values()]
        return sorted({target for pair in tests for target, _ in _judged_on(*pair)})

    @property
    def seeds(self) -> list[int]:
        return self.config["seeds"]

    def runs(self, target: Target) -> list[str]:
        """<run>/seed<k> of every run of a target."""
        return [f"{path}/seed{seed}" for path in target.paths() for seed in self.seeds]

    def recipe(self, path: str) -> dict:
        """The canonical recipe of a run without its seed, or of the run of a snapshot.

        Raises CatalogError for a run that no target asks for.
        """
        path, _ = run_and_step(path)
        if path not in self.recipes:
            raise CatalogError(f"no figure or table asks for the run {path!r}: see figures/*.yaml")
        return self.recipes[path]

    @cached_property
    def profiles(self) -> dict[str, dict[str, dict]]:
        """{run without seed: {profile file: settings}} over all targets."""
        found: dict[str, dict[str, dict]] = {}
        for target in self.targets.values():
            for panel in target.panels:
                for line in panel.lines if not panel.reason else ():
                    for path, profile in line.profiles.items():
                        found.setdefault(path, {})[profile.file] = profile.settings
        return found

    @property
    def robust_images(self) -> dict[tuple[str, str], dict]:
        """{(run, name of the set): settings} of all images made from what a run's network sees."""
        mixes = [recipe["mix"] for recipe in self.recipes.values() if recipe["mix"]]
        made = [mix for mix in mixes if mix["of"] != "released"]
        return {robust_images(m): {k: v for k, v in m.items() if k != "share"} for m in made}

    def needed(self, path: str) -> list[str]:
        """A run, and all those that it takes first: the one that it starts from, the one whose images it mixes in."""
        recipe = self.recipe(path)
        before = [recipe["start"], recipe["mix"] and recipe["mix"]["of"]]
        return [path, *(run for one in before if one and one != "released" for run in self.needed(one))]

    @cached_property
    def snapshots(self) -> dict[str, list[int]]:
        """{run without seed: the steps at which some target looks at its weights}, of runs with snapshots."""
        found: dict[str, set[int]] = {}
        for path in self.profiles:
            run, step = run_and_step(path)
            if step is not None:
                found.setdefault(run, set()).add(step)
        return {run: sorted(steps) for run, steps in found.items()}

    def bundles(self) -> dict[str, tuple[list[str], list[str]]]:
        """{name: (profile files, runs without seed)}: what one evaluation job makes, for which runs.

        A job makes one profile of any run, or (`evaluate: by_run`) all the profiles that a run is evaluated on.
        """
        if self.config.get("evaluate") != "by_run":
            return {"profile": (["{profile}"], list(self.profiles))}
        sets: dict[tuple[str, ...], list[str]] = {}
        for path, profiles in self.profiles.items():
            sets.setdefault(tuple(sorted(profiles)), []).append(path)
        return {
            f"{len(files)}_profiles_{digest(files, 6)}": (list(files), paths) for files, paths in sets.items()
        }

    def networks(self) -> dict[str, dict]:
        """{<data>/<model key>: {data, model}} of every network that a target trains or a table lists."""
        found = {}
        for target in self.targets.values():
            for model in target.spec.get("models", []):
                entry = self.registry["models"][model]
                spec = own.network_spec(entry, f"models.{model}")
                found[f"{target.spec['data']}/{model}"] = {"data": target.spec["data"], "model": spec}
            for path in (run for asked in target.paths() for run in self.needed(asked)):
                recipe = self.recipes[path]
                found["/".join(path.split("/")[:2])] = {"data": recipe["data"], "model": recipe["model"]}
        return found

    def reduced(self) -> str:
        """Why results of this configuration are not the paper's full size; empty when they are."""
        return budget.told(self.config)

    def fingerprint(self, target: Target) -> str:
        """The hash of all that makes a target's aggregate: an aggregate with another one is stale."""
        made_of = {
            "version": TARGET_VERSION,
            "target": [target.paper, target.name],
            "spec": target.spec,
            "panels": [_without_recipes(asdict(panel)) for panel in target.panels],
            "seeds": self.seeds,
            "bootstrap": self.config.get("bootstrap"),
            "reduced": self.reduced(),
        }
        return digest(made_of, 16)


def _exchanged(panel: dict, spec: dict) -> dict:
    """A panel of the figure that is repeated, with this figure's data set and models in place of the other's."""
    model = spec.get("model", {}).get(panel.get("model"), panel.get("model"))
    return {key: value for key, value in panel.items() if key != "data" or "data" not in spec} | {
        "model": model
    }


def _judged_on(claim: dict, test: dict) -> list[tuple[str, list[str]]]:
    """The (target, panels) that a test is judged on, first its own and then those that it compares them with."""
    own = test.get("in", claim["in"])
    others = [p["other"].rpartition(".") for p in test.values() if isinstance(p, dict) and "other" in p]
    return [(own, test.get("panels", [])), *((target or own, [panel]) for target, _, panel in others)]


def _without_recipes(panel: dict) -> dict:
    members = [{"strength": member["strength"], "path": member["path"]} for member in panel["members"]]
    return panel | {"members": members}


def load(config: dict, folder: str | Path) -> Catalog:
    """The catalog of a configuration (a mapping as in config.yaml) and a folder of paper specs."""
    return Catalog(config, Path(folder))
