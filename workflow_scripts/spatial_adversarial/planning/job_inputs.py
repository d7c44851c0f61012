"""What the jobs of each rule take, by their wildcards: input files, and parameters that make a result what it is."""

import re
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import ancient
from snakemake.iocontainers import Wildcards

from spatial_adversarial.catalog import Catalog, CatalogError, Target
from spatial_adversarial.records.identity import digest, identity, robust_images, run_and_weights
from spatial_adversarial.records.reading import nearest
from spatial_adversarial.records.survivors import smaller_file
from spatial_adversarial.runner.paths import Paths


class JobInputs:
    """The input functions of the rules. WorkflowError, one line, for wildcards that no target of the catalog has."""

    def __init__(self, catalog: Catalog, paths: Paths):
        self.catalog, self.paths = catalog, paths

    # Runs: training, evaluation and what is made from weights.

    def recipe(self, wildcards: Wildcards) -> dict:
        """The canonical recipe of a run."""
        try:
            return self.catalog.recipe(wildcards.run)
        except CatalogError as error:
            raise WorkflowError(str(error)) from None

    def run_identity(self, wildcards: Wildcards) -> dict:
        """What of a run's recipe makes it the run that it is."""
        return identity(self.recipe(wildcards), "recipe")

    def data_identity(self, wildcards: Wildcards) -> dict:
        """What makes a run's data set the one that it is."""
        return self.catalog.data_identity(self.recipe(wildcards)["data"])

    def data(self, wildcards: Wildcards) -> str:
        """The prepared data set that a run is trained and tested on.

        ancient(): a file that is newer retrains nothing. Another data set does, by its identity; and the jobs refuse
        one that is not what the run was trained on.
        """
        return ancient(self.paths.prepared(self.recipe(wildcards)["data"]))

    def trainers(self) -> dict[str, tuple[list[str], str]]:
        """{rule: (which weights a training rule keeps beside the last ones, a pattern of the runs that it trains)}."""
        by_kept: dict[tuple[str, ...], list[str]] = {}
        for run, weights in self.catalog.kept.items():
            by_kept.setdefault(tuple(weights), []).append(re.escape(run))
        special = "|".join(run for runs in by_kept.values() for run in runs)
        ordinary = (f"(?!(?:{special})/)" if special else "") + self.paths.RUN
        rules = {f"train_{digest(kept, 6)}": (list(kept), "|".join(runs)) for kept, runs in by_kept.items()}
        return {"train": ([], ordinary)} | rules

    def training(self, wildcards: Wildcards) -> dict[str, str]:
        """A run's prepared data set, the weights that it starts from and the images that it mixes in, if it does."""
        recipe = self.recipe(wildcards)
        inputs = {"data": self.data(wildcards)}
        if recipe["start"]:
            inputs["start"] = self.paths.weights(recipe["start"], wildcards.seed)
        if recipe["mix"]:
            inputs["robust"] = self.paths.robust_images(*robust_images(recipe["mix"]))
            if recipe["mix"]["of"] == "released":
                inputs["robust"] = ancient(inputs["robust"])
                if not Path(inputs["robust"]).exists():
                    self.released_files()
        return inputs

    def released_files(self) -> dict[str, str]:
        """The two files of the released D_R; WorkflowError where one is missing."""
        config = self.catalog.config
        folder = Path(config["data_mirror"] or "data_mirror").expanduser() / "robust_CIFAR"
        files = {"images": folder / "CIFAR_ims", "labels": folder / "CIFAR_lab"}
        missing = [str(file) for file in files.values() if not file.is_file()]
        if missing:
            raise WorkflowError(
                f"config: robust_images: {config['robust_images']}: there is no {' and no '.join(missing)} "
                "(released by Ilyas et al.; they belong in robust_CIFAR below data_mirror)"
            )
        return {name: str(file) for name, file in files.items()}

    def robust_run(self, wildcards: Wildcards) -> dict[str, str]:
        """The data set, the weights and the record of the run whose network's features images are to show."""
        seed = self.catalog.robust_images[wildcards.run, wildcards.images]["seed"]
        weights, run = self.paths.weights(wildcards.run, seed), self.paths.run_record(wildcards.run, seed)
        return {"data": self.data(wildcards), "weights": weights, "run": run}

    def mix_identity(self, wildcards: Wildcards) -> dict:
        """What makes the images that show what a run's network sees the ones that they are."""
        mix = self.catalog.robust_images[wildcards.run, wildcards.images]
        return identity({"mix": mix}, "recipe")

    def trained(self, wildcards: Wildcards) -> dict[str, str]:
        """The weights that an evaluation loads, a run's last or others that it keeps, and the run's record."""
        run, weights = run_and_weights(wildcards.run)
        return {
            "weights": self.paths.weights(run, wildcards.seed, weights),
            "run": self.paths.run_record(run, wildcards.seed),
        }

    def source_weights(self, files: list[str], wildcards: Wildcards) -> list[str]:
        """The weights of the runs that the transfer attacks among an evaluation's profiles are made on, in order."""
        found = [self.catalog.profiles[wildcards.run][file.format(**wildcards)] for file in files]
        runs = dict.fromkeys(profile["source"] for profile in found if profile["source"])
        return [self.paths.weights(run, wildcards.seed) for run in runs]

    def smaller_eps(self, files: list[str], wildcards: Wildcards) -> list[str]:
        """The evaluations of the profiles that `survivors_of` names, but for those that the job itself makes."""
        profiles = self.catalog.profiles[wildcards.run]
        made = [file.format(**wildcards) for file in files]
        named = dict.fromkeys(smaller_file(profiles[file]) for file in made)
        return [
            self.paths.evaluation(wildcards.run, file, wildcards.seed)
            for file in named
            if file and file not in made
        ]

    def profile_identities(self, wildcards: Wildcards, output: list[str]) -> list[dict]:
        """What makes the profiles of an evaluation's files the ones that they are."""
        profiles = self.catalog.profiles[wildcards.run]
        return [identity(profiles[Path(file).stem], "profile") for file in output]

    def sliced(self, wildcards: Wildcards) -> list[str]:
        """The weights of the two runs whose boundaries a slice cuts."""
        pairs = [pair for target in self.catalog.targets.values() for pair in target.slices()]
        pair = next(p for p in pairs if p[0] == wildcards.run and Path(p[1]).name == wildcards.other)
        return [self.paths.weights(run, wildcards.seed) for run in pair]

    # Figures and tables.

    def target(self, wildcards: Wildcards) -> Target:
        """A figure or table; WorkflowError for a name that is none of the paper's, or a budget that it does not fit."""
        key = wildcards.paper, wildcards.target
        if key not in self.catalog.targets:
            near = nearest(key[1], [name for paper, name in self.catalog.targets if paper == key[0]])
            raise WorkflowError(f"{self._file(key[0])}: no figure or table {key[1]!r}{near}")
        if refused := self.catalog.refused(self.catalog.targets[key]):
            raise WorkflowError(refused)
        return self.catalog.targets[key]

    def fingerprint(self, wildcards: Wildcards) -> str:
        return self.catalog.fingerprint(self.target(wildcards))

    def aggregate(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """The evaluations, slices and training histories of a target's rows: none of a simulation's.

        Of a figure that another paper has too: the numbers of that one, which are computed once.
        """
        target = self.target(wildcards)
        if twin := self.catalog.twin(target):
            return {"twin": self.paths.aggregate(twin.paper, twin.name)}
        return {
            "evaluations": [self.paths.evaluation(*key) for key in self.catalog.evaluation_keys(target)],
            "slices": [self.paths.slice(*key) for key in self.catalog.slice_keys(target)],
            "histories": [self.paths.history(*key) for key in self.catalog.history_keys(target)],
        }

    def twin_fingerprint(self, wildcards: Wildcards) -> str:
        """The fingerprint of the figure whose numbers a figure shares; empty for all others."""
        twin = self.catalog.twin(self.target(wildcards))
        return self.catalog.fingerprint(twin) if twin else ""

    def drawn(self, wildcards: Wildcards) -> str:
        """The numbers that a figure is drawn from; WorkflowError for a table."""
        target = self.target(wildcards)
        if target.is_table:
            self._refuse(target, "table", self.paths.table(target.paper, target.name))
        return self.paths.aggregate(target.paper, target.name)

    def tabulated(self, wildcards: Wildcards) -> dict[str, str]:
        """The networks' descriptions, or the numbers of rows, that a table is made of; WorkflowError for a figure."""
        target = self.target(wildcards)
        if not target.is_table:
            self._refuse(target, "figure", self.paths.figure(target.paper, target.name))
        if target.has_aggregate:
            return {"h5": self.paths.aggregate(target.paper, target.name)}
        return {"networks": self.paths.networks}

    def _refuse(self, target: Target, kind: str, file: str) -> None:
        raise WorkflowError(f"{self._file(target.paper)}: {target.name} is a {kind}: ask for {file}")

    def _file(self, paper: str) -> str:
        return f"{self.catalog.config['figures']}/{paper}.yaml"

    # Claims, and the networks' description.

    def judged(self, wildcards: Wildcards) -> list[str]:
        """The numbers that a paper's claims are judged on."""
        names = self.catalog.claimed_targets(wildcards.paper)
        return [self.paths.aggregate(wildcards.paper, name) for name in names]

    def judged_fingerprints(self, wildcards: Wildcards) -> dict[str, str]:
        names, targets = self.catalog.claimed_targets(wildcards.paper), self.catalog.targets
        return {name: self.catalog.fingerprint(targets[wildcards.paper, name]) for name in names}

    def network_data(self) -> dict[str, dict]:
        """{data set: what makes it the one that it is} of those whose shapes the networks are built for."""
        used = {network["data"] for network in self.catalog.networks().values()}
        return {name: self.catalog.data_identity(name) for name in sorted(used)}
