"""The catalog, and the few functions by which rules ask it."""

import os
import re

from spatial_adversarial.catalog import CatalogError, load
from spatial_adversarial.records.identity import digest, identity, robust_images, run_and_weights
from spatial_adversarial.records.reading import nearest
from spatial_adversarial.reporting.closing import closing_words
from spatial_adversarial.runner.ancient_inputs import look_behind_ancient_inputs
from spatial_adversarial.runner.command_line import (
    check_config_files,
    check_targets,
    command_line,
)
from spatial_adversarial.reporting.captions import caption
from spatial_adversarial.runner.imports import code_digest

look_behind_ancient_inputs()

RESULTS = config["results"]
DATA = config["data"]
TIDY = config.get("tidy") or f"{RESULTS}/figures"
RUN = r"[\w.-]+/[\w.-]+/[\w.-]+"
ENVIRONMENT = "../envs/environment.yaml"

check_config_files(command_line(workflow), workflow.basedir)
for file in workflow.configfiles:
    sound(file)

try:
    catalog = load(config, Path(workflow.basedir) / config["figures"])
except CatalogError as error:
    raise WorkflowError(str(error)) from None


def recipe_of(wildcards):
    """The canonical recipe of a run; WorkflowError for one that no target asks for."""
    try:
        return catalog.recipe(wildcards.run)
    except CatalogError as error:
        raise WorkflowError(str(error)) from None


def run_identity(wildcards):
    """What of a run's recipe makes it the run that it is, as a parameter of its rule."""
    return identity(recipe_of(wildcards), "recipe")


def data_identity(wildcards):
    """What makes a run's data set the one that it is, as a parameter of its rule."""
    return catalog.data_identity(recipe_of(wildcards)["data"])


def profile_identities(wildcards, output):
    """The same of the profiles of one bundle's files."""
    return [identity(catalog.profiles[wildcards.run][Path(file).stem], "profile") for file in output]


def mix_identity(wildcards):
    """The same of the images that show what a run's network sees."""
    return identity({"mix": catalog.robust_images[wildcards.run, wildcards.images]}, "recipe")


def training_inputs(wildcards):
    """A run's prepared data set, and the weights that it starts from where it does."""
    recipe = recipe_of(wildcards)
    inputs = {"data": data_of(wildcards)}
    if recipe["start"]:
        inputs["start"] = f"{RESULTS}/runs/{recipe['start']}/seed{wildcards.seed}/weights.pt"
    if recipe["mix"]:
        inputs["robust"] = "{}/robust_images/{}/{}.h5".format(RESULTS, *robust_images(recipe["mix"]))
        if recipe["mix"]["of"] == "released":
            inputs["robust"] = ancient(inputs["robust"])
            if not Path(inputs["robust"]).exists():
                released_files()
    return inputs


def released_files():
    """The two files of the released D_R; WorkflowError where one is missing."""
    folder = Path(config["data_mirror"] or "data_mirror") / "robust_CIFAR"
    files = {"images": folder / "CIFAR_ims", "labels": folder / "CIFAR_lab"}
    missing = [str(file) for file in files.values() if not file.is_file()]
    if missing:
        raise WorkflowError(
            f"config: robust_images: {config['robust_images']}: there is no {' and no '.join(missing)} "
            "(released by Ilyas et al.; they belong in robust_CIFAR below data_mirror)"
        )
    return {name: str(file) for name, file in files.items()}


def robust_run(wildcards):
    """The prepared data set, the weights and the recipe of the run whose network's features images are to show."""
    mix = catalog.robust_images[wildcards.run, wildcards.images]
    folder = f"{RESULTS}/runs/{wildcards.run}/seed{mix['seed']}"
    return {"data": data_of(wildcards), "weights": f"{folder}/weights.pt", "run": f"{folder}/run.yaml"}


def trainers():
    """{rule: (which weights a training rule keeps beside the last ones, which runs it trains)}."""
    by_kept = {}
    for run, weights in catalog.kept.items():
        by_kept.setdefault(tuple(weights), []).append(re.escape(run))
    special = "|".join(run for runs in by_kept.values() for run in runs)
    ordinary = (f"(?!(?:{special})/)" if special else "") + RUN
    rules = {f"train_{digest(kept, 6)}": (list(kept), "|".join(runs)) for kept, runs in by_kept.items()}
    return {"train": ([], ordinary)} | rules


def trained(wildcards):
    """The weights that an evaluation loads, a run's own or a read-out of it, and the run's recipe."""
    run, weights = run_and_weights(wildcards.run)
    folder = f"{RESULTS}/runs/{run}/seed{wildcards.seed}"
    return {"weights": f"{folder}/{weights}.pt", "run": f"{folder}/run.yaml"}


def source_weights(files, wildcards):
    """The weights of the runs that the transfer attacks among an evaluation's profiles are made on."""
    found = [catalog.profiles[wildcards.run][file.format(**wildcards)] for file in files]
    runs = dict.fromkeys(profile["source"] for profile in found if profile["source"])
    return [f"{RESULTS}/runs/{run}/seed{wildcards.seed}/weights.pt" for run in runs]


def data_of(wildcards):
    """The prepared data set that a run is trained and tested on.

    ancient(): a file that is newer retrains nothing. Another data set does, by its identity; and the jobs refuse one
    that is not what the run was trained on.
    """
    return ancient(f"{DATA}/{recipe_of(wildcards)['data']}.h5")


def target_of(wildcards):
    """The target of a figure or table; WorkflowError for a name that the paper's file does not have, or a budget that it does not fit."""
    key = wildcards.paper, wildcards.target
    if key not in catalog.targets:
        near = nearest(key[1], [name for paper, name in catalog.targets if paper == key[0]])
        raise WorkflowError(f"{config['figures']}/{key[0]}.yaml: no figure or table {key[1]!r}{near}")
    if refused := catalog.refused(catalog.targets[key]):
        raise WorkflowError(refused)
    return catalog.targets[key]


def aggregate_of(wildcards, table=False):
    """The numbers that a figure is drawn from, or a table printed; WorkflowError where one is asked for as the other."""
    target = target_of(wildcards)
    if target.is_table != table:
        kind, folder, suffix = ("table", "tables", "md") if target.is_table else ("figure", "figures", "pdf")
        file = f"{RESULTS}/{folder}/{target.paper}/{target.name}.{suffix}"
        raise WorkflowError(
            f"{config['figures']}/{target.paper}.yaml: {target.name} is a {kind}: ask for {file}"
        )
    return f"{RESULTS}/aggregates/{target.paper}/{target.name}.h5"


def evaluation_file(path, profile, seed):
    """<results>/evaluations/<run>/seed<k>/<profile>.h5."""
    return f"{RESULTS}/evaluations/{path}/seed{seed}/{profile}.h5"


def slice_file(first, second, seed):
    """<results>/slices/<run>/seed<k>/<other run's name>.h5: a plane through two models' boundaries."""
    return f"{RESULTS}/slices/{first}/seed{seed}/{second.split('/')[-1]}.h5"


def history_file(path, seed):
    """<results>/runs/<run>/seed<k>/history.csv: the accuracies of each epoch of training."""
    return f"{RESULTS}/runs/{path}/seed{seed}/history.csv"


def slice_pair(wildcards):
    """The two runs, without seeds, whose boundaries a slice cuts."""
    pairs = [pair for target in catalog.targets.values() for pair in target.slices()]
    return next(pair for pair in pairs if pair[0] == wildcards.run and Path(pair[1]).name == wildcards.other)


def code_of(script):
    """What a cheap stage's script is made of, as a parameter of its rule: where it changes, the stage runs again."""
    return code_digest(Path(workflow.basedir) / f"workflow_scripts/{script}.py")


def aggregate_inputs(wildcards):
    """The evaluations, slices and training histories of a target's rows: none of a simulation's.

    Of a figure that another paper has too: the numbers of that one, which are computed once.
    """
    target = target_of(wildcards)
    if twin := catalog.twin(target):
        return {"twin": f"{RESULTS}/aggregates/{twin.paper}/{twin.name}.h5"}
    pairs, seeds = target.evaluations(), catalog.seeds
    evaluations = [evaluation_file(*pair, seed) for pair in pairs for seed in seeds(pair[0])]
    slices = [slice_file(*pair, seeds(pair[0])[0]) for pair in target.slices()]
    histories = [history_file(path, seed) for path in target.histories() for seed in seeds(path)]
    return {"evaluations": evaluations, "slices": slices, "histories": histories}


def twin_fingerprint(wildcards):
    """The fingerprint of the figure whose numbers a figure shares; empty for all others."""
    twin = catalog.twin(target_of(wildcards))
    return catalog.fingerprint(twin) if twin else ""


def table_inputs(wildcards):
    """What a table is printed from: the networks' descriptions, or the numbers of its rows."""
    numbers = aggregate_of(wildcards, table=True)
    if target_of(wildcards).kind == "results":
        return {"h5": numbers}
    return {"networks": f"{RESULTS}/networks.json"}


def data_of_networks():
    """The data sets whose shapes the networks are built for."""
    return sorted({network["data"] for network in catalog.networks().values()})


def results_of(paper):
    """All that a paper consists of: figures, tables, and its claims where it has any."""
    files = []
    for target in catalog.targets.values():
        if target.paper == paper and target.is_table:
            files += [f"{RESULTS}/tables/{paper}/{target.name}.{kind}" for kind in ("csv", "md", "tex")]
        elif target.paper == paper:
            files += [f"{RESULTS}/figures/{paper}/{target.name}.{kind}" for kind in ("pdf", "png", "csv")]
    return files + ([f"{RESULTS}/claims/{paper}.csv"] if catalog.claims[paper] else [])


def redrawn():
    """The figures, redrawn, whose tidy numbers are there."""
    there = [target for target in catalog.targets if Path(TIDY, *target).with_suffix(".csv").exists()]
    return [
        f"{RESULTS}/redrawn/{paper}/{name}.pdf"
        for paper, name in there
        if not catalog.targets[paper, name].is_table
    ]


def all_results():
    """All that `all` makes: every paper's results, the claims in one file, report and site where the config wants them."""
    files = [file for paper in config["papers"] for file in results_of(paper)]
    judged = [f"{RESULTS}/claims.csv", f"{RESULTS}/claims_published.csv"]
    files += judged if any(catalog.claims.values()) else []
    return files + ([f"{RESULTS}/report.zip", f"{RESULTS}/site/index.html"] if config["report"] else [])


def known_files():
    """Every figure's, table's and claims file: what a user may ask for by its path."""
    return [file for paper in config["papers"] for file in results_of(paper)]


def check_threads():
    """WorkflowError for more threads a job than this machine, on which the jobs run, has."""
    if config["threads"] > os.cpu_count():
        raise WorkflowError(f"config: threads: {config['threads']}, but this machine has {os.cpu_count()}")


def all_but_the_site():
    """What the site of a finished `all` shows."""
    return [file for file in all_results() if file != f"{RESULTS}/site/index.html"]
