"""Everything that the papers ask for, as the DAG, the targets and the plan need it."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from spatial_adversarial.catalog import budget, checks, external_models
from spatial_adversarial.catalog.claims import claims_of, judged_on
from spatial_adversarial.catalog.clean_accuracy import with_clean
from spatial_adversarial.catalog.specs import Specs
from spatial_adversarial.catalog.targets import Target, targets_of
from spatial_adversarial.data import identity
from spatial_adversarial.panels import TARGETS
from spatial_adversarial.records.identity import digest, robust_images, run_and_weights
from spatial_adversarial.records.panel import Panel
from spatial_adversarial.records.reading import CatalogError, choose, known_to_be_valid
from spatial_adversarial.records.tidy import least_status
from spatial_adversarial.runner.paths import LISTED

ENOUGH = 500  # test images that a number of the paper's own scale is of, at least
TARGET_VERSION = 2  # raise it when aggregates made by older code are no longer right


class Catalog:
    """The resolved papers of one configuration.

    Raises CatalogError, one line that names file and key, for anything wrong in the config or a paper's file.
    """

    def __init__(self, config: dict, folder: Path, paper: str | None = None):
        self._folder = folder
        self._at_full_size: dict[str, Catalog] = {}
        specs = Specs(external_models.of_files(config), folder)
        self.config, self.registry = specs.config, specs.registry
        self.recipes: dict[str, dict] = {}
        self.registry["models"] |= external_models.models(specs)
        external_models.add_paper(specs)
        self.papers = papers = self.config["papers"] if paper is None else [paper]
        scopes = {paper: specs.scope(paper, self.recipes) for paper in papers}
        found = [t for paper in papers for t in with_clean(list(targets_of(paper, specs, scopes[paper])))]
        self.targets = {(target.paper, target.name): target for target in found}
        checks.check_chosen(self.config["budget"], self.targets)
        for paper in papers:
            specs.check_optional_rows(paper)
        for path in self.recipes:
            self.seeds(path)
        self.claims = {paper: claims_of(paper, specs, self.targets) for paper in papers}

    def claimed_targets(self, paper: str) -> list[str]:
        """The targets whose aggregates a paper's claims are judged on."""
        claims = self.claims[paper].values()
        tests = [(claim, test) for claim in claims for test in claim["tests"].values()]
        return sorted({target for pair in tests for target, _ in judged_on(*pair)})

    def seeds(self, path: str) -> list[int]:
        """The seeds that a run, or a snapshot of it, is trained with; CatalogError where the config gives none."""
        return choose(self.config["seeds"], {"by_model": path.split("/")[1]}, "config: seeds")

    def runs(self, target: Target) -> list[str]:
        """<run>/seed<k> of every run of a target."""
        return [f"{path}/seed{seed}" for path in target.paths() for seed in self.seeds(path)]

    def evaluation_keys(self, target: Target) -> list[tuple[str, str, int]]:
        """(run without seed, profile file, seed) of every evaluation of a target, in the order of its job's inputs."""
        return [(*pair, seed) for pair in target.evaluations() for seed in self.seeds(pair[0])]

    def slice_keys(self, target: Target) -> list[tuple[str, str, int]]:
        """(run, other run, seed) of every boundary slice of a target; slices are cut through first seeds."""
        return [(*pair, self.seeds(pair[0])[0]) for pair in target.slices()]

    def history_keys(self, target: Target) -> list[tuple[str, int]]:
        """(run without seed, seed) of every training history that a target uses."""
        return [(path, seed) for path in target.histories() for seed in self.seeds(path)]

    def recipe(self, path: str) -> dict:
        """The canonical recipe of a run without its seed, or of the run of a read-out.

        Raises CatalogError for a run that no target asks for.
        """
        path, _ = run_and_weights(path)
        if path not in self.recipes:
            raise CatalogError(f"no figure or table asks for the run {path!r}: see figures/*.yaml")
        return self.recipes[path]

    def data_identity(self, name: str) -> dict:
        """What makes a data set of the registry the one that it is."""
        return identity(self.registry["data"][name])

    @cached_property
    def profiles(self) -> dict[str, dict[str, dict]]:
        """{run without seed: {profile file: settings}} over all targets."""
        found: dict[str, dict[str, dict]] = {}
        for target in self.targets.values():
            for panel in target.panels:
                for line in panel.lines if not panel.reason else ():
                    for path, profile in line.profiles.items():
                        found.setdefault(path, {}).update(profile.evaluations())
        return found

    @property
    def robust_images(self) -> dict[tuple[str, str], dict]:
        """{(run, name of the set): settings} of all images made from what a run's network sees."""
        mixes = [recipe["mix"] for recipe in self.recipes.values() if recipe["mix"]]
        made = [mix for mix in mixes if mix["of"] != "released"]
        return {robust_images(m): {k: v for k, v in m.items() if k != "share"} for m in made}

    def origin(self, path: str) -> str:
        """The run without seed that the training of a run, or of a read-out, goes back to."""
        run, _ = run_and_weights(path)
        start = self.recipe(run)["start"]
        return self.origin(start) if start else run

    def needed(self, path: str) -> list[str]:
        """A run, and all those that it takes first: the one that it starts from, the one whose images it mixes in."""
        return list(dict.fromkeys(run for run, _ in self.trainings(path)))

    def trainings(self, path: str) -> list[tuple[str, int]]:
        """(run without seed, seed) of a run's seeds, and of all those that they take first."""
        pairs = (pair for seed in self.seeds(path) for pair in self._with_earlier(path, seed))
        return list(dict.fromkeys(pairs))

    def _with_earlier(self, path: str, seed: int) -> list[tuple[str, int]]:
        """A training and all that it takes first; whose images it mixes in was trained with one seed for all."""
        recipe = self.recipe(path)
        found, mix = [(path, seed)], recipe["mix"]
        if recipe["start"]:
            found += self._with_earlier(recipe["start"], seed)
        if mix and mix["of"] != "released":
            found += self._with_earlier(mix["of"], mix["seed"])
        return found

    @cached_property
    def kept(self) -> dict[str, list[str]]:
        """{run without seed: the weights that it keeps beside its last ones, as `read_out_path` has them}."""
        found: dict[str, set[str]] = {}
        for run, weights in map(run_and_weights, self.profiles):
            if weights != "weights":
                found.setdefault(run, set()).add(weights)
        return {run: sorted(weights) for run, weights in found.items()}

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
        """{name: {data, model}} of every network that a target trains, "<data>/<model key>", or a table lists.

        Those of a table, which has them at full size, are named "listed/<data>/<model key>".
        """
        found = {}
        for target in self.targets.values():
            for model, spec in target.spec.get("networks", {}).items():
                found[listed(target, model)] = {"data": target.spec["data"], "model": spec}
            for path in (run for asked in target.paths() for run in self.needed(asked)):
                recipe = self.recipes[path]
                found["/".join(path.split("/")[:2])] = {"data": recipe["data"], "model": recipe["model"]}
        return found

    def reduced(self) -> str:
        """What of this configuration makes some results less than the paper's full size; empty when nothing does."""
        return budget.words(self.config)

    def status(self, paper: str, path: str, profile: dict | None = None) -> str:
        """Whether a run or read-out, evaluated on a profile's settings if given, is the paper's: "run" or "reduced".

        It is the paper's where recipe and data are, the profile too but for its grid, and the test images as many as
        the paper's or at least 500. What another paper has counts for none: a job knows its own alone.
        """
        full = self._full_size(paper)
        if run_and_weights(path)[0] not in full.recipes:
            return "reduced"
        theirs = full.profiles.get(path, {}).values()
        same = profile is None or any(_measures_alike(profile, other) for other in theirs)
        return "run" if same else "reduced"

    def is_unchanged(self, model: str) -> bool:
        """Whether a network is as the registry has it: neither width nor anything else of it is overridden."""
        catalogs = self, self._full_size(self.papers[0])
        ours, full = (one.registry["models"].get(model, {}) for one in catalogs)
        return all(ours.get(key) == full.get(key) for key in (ours.keys() | full.keys()) - {"recipe"})

    def refused(self, target: Target) -> str:
        """Why a target cannot be made, where the budget does not fit one of its panels or rows; else empty."""
        reasons = (panel.reason for panel in target.panels)
        return next((reason for reason in reasons if reason.startswith("config: ")), "")

    def panel_statuses(self, target: Target) -> list[str]:
        """For each panel or row: "not run", "run", or "reduced" where one of its numbers is."""
        return [least_status(self._panel_status(target.paper, panel)) for panel in target.panels]

    def _panel_status(self, paper: str, panel: Panel) -> list[str]:
        if panel.reason:
            return ["not run"]
        pairs = [pair for line in panel.lines for pair in line.profiles.items()]
        found = [self.status(paper, path, profile.settings) for path, profile in pairs]
        return found or [self.status(paper, member.path) for member in panel.members]

    def _full_size(self, paper: str) -> "Catalog":
        """A paper at full size."""
        if not self.reduced():
            return self
        if paper not in self._at_full_size:
            full = {"budget": {}, "stand_ins": {}, "overrides": {}, "precision": None}
            with known_to_be_valid():
                self._at_full_size[paper] = Catalog(self.config | full, self._folder, paper)
        return self._at_full_size[paper]

    def twin(self, target: Target) -> Target | None:
        """The first target, before this one, of the same panels: the one's numbers are the other's."""
        for other in self.targets.values():
            if other is target or not TARGETS[target.kind].shares_numbers:
                return None
            if other.kind == target.kind and other.panels == target.panels:
                return other
        return None

    def fingerprint(self, target: Target) -> str:
        """The hash of all that makes a target's aggregate: an aggregate with another one is stale."""
        made_of = {
            "version": TARGET_VERSION,
            "target": [target.paper, target.name],
            "spec": target.spec,
            "panels": [_without_recipes(asdict(panel)) for panel in target.panels],
            "seeds": [self.seeds(path) for path in target.paths()],
            "bootstrap": self.config.get("bootstrap"),
            "reduced": [self.reduced(), self.panel_statuses(target)],
        }
        return digest(made_of, 16)


def listed(target: Target, model: str) -> str:
    """The name of a network that a table of architectures lists."""
    return f"{LISTED}{target.spec['data']}/{model}"


def _measures_alike(ours: dict, theirs: dict) -> bool:
    """Whether two profiles measure the same at the points that both have, on enough of the test images.

    An attack on survivors alone is as strong or stronger.
    """
    sample = ours["sample"]
    enough = sample == theirs["sample"] or sample is None or sample >= ENOUGH
    return enough and all(
        ours[key] == theirs.get(key) for key in ours.keys() - {"grid", "sample", "survivors_of"}
    )


def _without_recipes(panel: dict) -> dict:
    members = [{"strength": member["strength"], "path": member["path"]} for member in panel["members"]]
    return panel | {"members": members}


def of_job(snakemake, paper: str | None = None) -> Catalog:
    """The catalog that a job was planned with; `snakemake` is what the `script:` directive provides."""
    folder = Path(snakemake.scriptdir).parent / snakemake.config["figures"]
    with known_to_be_valid():  # by the plan
        return load(snakemake.config, folder, paper)


def load(config: dict, folder: str | Path, paper: str | None = None) -> Catalog:
    """The catalog of a configuration (a mapping as in config.yaml) and a folder of paper specs.

    `paper` leaves the others' targets out, for a job that is about one of its targets: most of the time is theirs.
    """
    return Catalog(config, Path(folder), paper)
