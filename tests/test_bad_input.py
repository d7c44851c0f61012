"""Malformed configs and paper specs: one clear line that names the file and the key, before any job starts."""

import random
from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import CatalogError, load

ROOT = Path(__file__).parents[1]
PROTOCOLS, INVARIANCE, REGISTRY = "protocols.yaml", "invariance.yaml", "registry.yaml"
PHASES = [{"epochs": 5}, {"steps": 100}]

# (file or config, {key: value; ... deletes it}, what the message must name)
BAD_CONFIG = {
    "misspelt key": ({"seed": [0]}, ["unknown key 'seed'", "'seeds'"]),
    "no seeds": ({"seeds": []}, ["seeds"]),
    "a seed twice": ({"seeds": [0, 0]}, ["seeds"]),
    "a negative seed": ({"seeds": [-1]}, ["seeds.0", "-1"]),
    "a seed that is no number": ({"seeds": ["zero"]}, ["seeds.0", "'zero'"]),
    "no papers": ({"papers": []}, ["papers"]),
    "an unknown paper": ({"papers": ["invarience"]}, ["papers", "'invarience'", "did you mean 'invariance'"]),
    "what is no paper": ({"papers": ["protocols"]}, ["papers", "'protocols'"]),
    "papers as one word": ({"papers": "invariance"}, ["papers", "'invariance'"]),
    "an unknown device": ({"device": "gpu"}, ["device", "'gpu'"]),
    "no threads": ({"threads": 0}, ["threads"]),
    "a share of a job": ({"jobs_per_gpu": 0.5}, ["jobs_per_gpu"]),
    "an unknown bundling": ({"evaluate": "by_runs"}, ["evaluate", "'by_runs'"]),
    "a bootstrap without a level": ({"bootstrap": {"replicates": 100, "seed": 0}}, ["bootstrap", "'level'"]),
    "unknown data to train on": ({"only_data": ["minst"]}, ["only_data", "did you mean 'mnist'"]),
    "an unknown stand-in": ({"stand_ins": {"mnist": "digit"}}, ["stand_ins.mnist", "did you mean 'digits'"]),
    "a stand-in for nothing": ({"stand_ins": {"mnits": "digits"}}, ["stand_ins", "did you mean 'mnist'"]),
    "a stand-in with more classes": (
        {"stand_ins": {"cifar10": "digits_two_hues"}},
        ["stand_ins.cifar10", "'digits_two_hues'", "more classes"],
    ),
    "a stand-in with other channels": (
        {"stand_ins": {"cifar10": "digits"}},
        ["stand_ins.cifar10", "channels"],
    ),
    "a misspelt budget": ({"budget": {"epoch": 0.5}}, ["budget", "'epoch'", "did you mean 'epochs'"]),
    "a budget of no epochs": ({"budget": {"epochs": 0}}, ["budget.epochs"]),
    "a budget of no images": ({"budget": {"test_images": 0}}, ["budget.test_images"]),
    "members of an unknown family": (
        {"budget": {"members": {"rotat": [0]}}},
        ["budget.members", "did you mean 'rotate'"],
    ),
    "members that are none": ({"budget": {"members": {"rotate": [0, 45]}}}, ["budget.members.rotate", "45"]),
    "no members": ({"budget": {"members": {"rotate": []}}}, ["budget.members.rotate"]),
    "points of an unknown profile": (
        {"budget": {"points": {"rotations": 3}}},
        ["budget.points", "did you mean 'rotation'"],
    ),
    "a point off the grid": ({"budget": {"points": {"rotation": [0, 7]}}}, ["budget.points.rotation", "7"]),
    "images of an unknown profile": (
        {"budget": {"test_images": {"pdg": 10}}},
        ["budget.test_images", "did you mean 'pgd'"],
    ),
    "a choice by unknown data": (
        {"budget": {"points": {"pgd": {"by_data": {"mnits": [0]}}}}},
        ["budget.points.pgd.by_data", "did you mean 'mnist'"],
    ),
    "a misspelt choice": (
        {"budget": {"points": {"pgd": {"by_dat": {"mnist": [0]}}}}},
        ["budget.points.pgd: unknown key 'by_dat'", "did you mean 'by_data'"],
    ),
    "a misspelt choice of images": (
        {"budget": {"test_images": {"pgd": {"by_modl": {"stdcnn": 10}}}}},
        ["budget.test_images.pgd", "did you mean 'by_model'"],
    ),
    "a choice beside a name": (
        {"budget": {"points": {"by_data": {"default": 3}, "pgd": 3}}},
        ["budget.points: by_data stands alone", "'pgd'"],
    ),
    "an unknown profile by data": (
        {"budget": {"points": {"by_data": {"mnist": {"pdg": 3}, "default": None}}}},
        ["budget.points", "did you mean 'pgd'"],
    ),
    "nan epochs": ({"budget": {"epochs": float("nan")}}, ["budget.epochs: nan is no finite number"]),
    "infinite epochs": ({"budget": {"epochs": float("inf")}}, ["budget.epochs: inf is no finite number"]),
    "epochs of 1e999": ({"budget": {"epochs": "1e999"}}, ["budget.epochs: 1e999 is no finite number"]),
    "nan epochs of a recipe": (
        {"overrides": {"recipes": {"mnist_sgd": {"epochs": float("nan")}}}},
        ["overrides.recipes.mnist_sgd.epochs: nan is no finite number"],
    ),
    "braces in results": ({"results": "out/{x}"}, ["results: 'out/{x}'", "no { and no }"]),
    "braces in data": ({"data": "{data}"}, ["data: '{data}'", "no { and no }"]),
    "PGD at a step of 8": (
        {"overrides": {"profiles": {"pgd": {"step": 8}}}},
        ["profiles.pgd with config: overrides", "step: 8", "maximum of 1"],
    ),
    "a label of broken mathtext": (
        {"overrides": {"models": {"stdcnn": {"label": r"Std$\frac{CNN$"}}}},
        ["overrides.models.stdcnn.label", "cannot be drawn as mathtext"],
    ),
    "a misspelt kind of override": ({"overrides": {"recipe": {}}}, ["overrides", "did you mean 'recipes'"]),
    "an override of no recipe": (
        {"overrides": {"recipes": {"mnist_sdg": {"epochs": 1}}}},
        ["overrides.recipes", "did you mean 'mnist_sgd'"],
    ),
    "an override of no data set": (
        {"overrides": {"data": {"minst": {"train": 100}}}},
        ["overrides.data", "did you mean 'mnist'"],
    ),
    "an override with a misspelt key": (
        {"overrides": {"families": {"rotate": {"valeus": [0]}}}},
        ["overrides", "families.rotate", "did you mean 'values'"],
    ),
    "an override with a bad value": (
        {"overrides": {"recipes": {"mnist_sgd": {"optimiser": {"momentum": 2}}}}},
        ["mnist_sgd with config: overrides", "optimiser.momentum", "2"],
    ),
    "a theory setting that is none": (
        {"overrides": {"theory": {"sampels": 100}}},
        ["overrides.theory", "did you mean 'samples'"],
    ),
}
BAD_SPECS = {
    "misspelt section": (INVARIANCE, {"figurs": {}}, ["'figurs'", "did you mean 'figures'"]),
    "misspelt figure key": (
        INVARIANCE,
        {"figures.fig1.colums": 2},
        ["figures.fig1", "did you mean 'columns'"],
    ),
    "misspelt panel key": (
        INVARIANCE,
        {"figures.fig1.panels.a b.famly": "rotate"},
        ["figures.fig1.panels.a b", "did you mean 'family'"],
    ),
    "misspelt family key": (PROTOCOLS, {"families.rotate.valus": []}, ["families.rotate", "'values'"]),
    "misspelt profile key": (PROTOCOLS, {"profiles.pgd.gird": []}, ["profiles.pgd", "did you mean 'grid'"]),
    "misspelt recipe key": (
        PROTOCOLS,
        {"recipes.mnist_sgd.bach": 64},
        ["recipes.mnist_sgd", "'bach'", "did you mean 'batch'"],
    ),
    "misspelt optimiser key": (
        PROTOCOLS,
        {"recipes.mnist_sgd.optimiser.momentun": 0.5},
        ["recipes.mnist_sgd", "optimiser", "did you mean 'momentum'"],
    ),
    "misspelt augmentation": (
        PROTOCOLS,
        {"families.rotate.vary": "augment.rotat"},
        ["families.rotate", "'rotat'", "did you mean 'rotate'"],
    ),
    "misspelt attack key": (
        PROTOCOLS,
        {"families.pgd.recipe.method.pgd.by_data.mnist.stepz": 1},
        ["families.pgd", "method.pgd", "'stepz'"],
    ),
    "unknown data set": (
        INVARIANCE,
        {"figures.fig1.data": "mnits"},
        ["fig1", "data", "did you mean 'mnist'"],
    ),
    "unknown model": (
        INVARIANCE,
        {"figures.fig1.panels.a'.model": "stdcn"},
        ["figures.fig1.panels.a'.model", "did you mean 'stdcnn'"],
    ),
    "unknown family": (
        INVARIANCE,
        {"figures.fig1.panels.a'.family": "rotat"},
        ["figures.fig1.panels.a'.family", "did you mean 'rotate'"],
    ),
    "unknown profile": (
        INVARIANCE,
        {"figures.fig1.panels.a'.profile": "rotaton"},
        ["figures.fig1.panels.a'.profile", "did you mean 'rotation'"],
    ),
    "unknown metric": (
        INVARIANCE,
        {"figures.fig1.panels.a'.metric": "accuracy"},
        ["a'.metric", "'accuracy'"],
    ),
    "unknown space": (INVARIANCE, {"figures.fig1.panels.a'.space": "normalised"}, ["space", "'normalised'"]),
    "unknown kind": (INVARIANCE, {"figures.fig1.panels.a'.kind": "curve"}, ["kind", "'curve'"]),
    "a figure without panels": (INVARIANCE, {"figures.fig1.panels": {}}, ["figures.fig1", "panels"]),
    "a panel without a family": (
        INVARIANCE,
        {"figures.fig1.panels.a'.family": ...},
        ["figures.fig1.panels.a'", "'family'"],
    ),
    "a panel that draws nothing": (
        INVARIANCE,
        {"figures.fig1.panels.a'.profile": ...},
        ["figures.fig1.panels.a'", "'profile'"],
    ),
    "a panel that draws two things": (
        INVARIANCE,
        {"figures.fig1.panels.a'.lines": "accuracy"},
        ["figures.fig1.panels.a'.lines", "a panel of kind 'profile' has none"],
    ),
    "unknown lines": (
        "tradeoff.yaml",
        {"figures.fig14.panels.a b.lines": ["acuracy", "distance"]},
        ["figures.fig14.panels.a.lines", "did you mean 'accuracy'"],
    ),
    "too few values for the letters": (
        INVARIANCE,
        {"figures.fig1.panels.a b.profile": ["pgd"]},
        ["figures.fig1.panels.a b.profile", "1 values for 2 letters"],
    ),
    "a letter twice": (
        INVARIANCE,
        {"figures.fig1.panels.b c": {"model": "stdcnn", "family": "rotate", "profile": "pgd"}},
        ["figures.fig1.panels.b c", "'b'"],
    ),
    "a panel left that is none": (
        INVARIANCE,
        {"figures.fig2.only": ["a", "z"]},
        ["figures.fig2.only", "'z'"],
    ),
    "a figure like none": (INVARIANCE, {"figures.fig2.like": "fig11"}, ["figures.fig2.like", "'fig11'"]),
    "a figure like another paper's, unknown": (
        INVARIANCE,
        {"figures.fig2.like": "tradoff/fig6"},
        ["figures.fig2.like", "did you mean 'tradeoff'"],
    ),
    "figures like each other": (INVARIANCE, {"figures.fig1.like": "fig2"}, ["like", "repeats itself"]),
    "a model exchanged that is not there": (
        INVARIANCE,
        {"figures.fig2.model": {"stdcn": "vgg16"}},
        ["figures.fig2.model", "did you mean 'stdcnn'"],
    ),
    "a figure name that is no file name": (INVARIANCE, {"figures.fig 9": {}}, ["figures", "'fig 9'"]),
    "a table without models": (INVARIANCE, {"tables.table1.models": ...}, ["tables.table1", "'models'"]),
    "a table of an unknown model": (
        INVARIANCE,
        {"tables.table1.models": ["stdcn"]},
        ["tables.table1.models", "did you mean 'stdcnn'"],
    ),
    "a table named as a figure": (
        INVARIANCE,
        {"tables.fig1": {"kind": "architectures", "data": "mnist", "models": ["gcnn"]}},
        ["tables.fig1"],
    ),
    "strengths that are not trained": (
        "tradeoff.yaml",
        {"figures.fig13.panels.a.strengths": [0, 45]},
        ["figures.fig13.panels.a.strengths", "45", "'rotate'"],
    ),
    "a boundary between nothing": (
        "tradeoff.yaml",
        {"figures.fig13.panels.a.strengths": ...},
        ["figures.fig13.panels.a", "'strengths'"],
    ),
    "theta 200": (PROTOCOLS, {"families.rotate.values": [0, 200]}, ["families.rotate (200)", "180"]),
    "negative theta": (PROTOCOLS, {"families.rotate.values": [-30, 0]}, ["families.rotate.values.0", "-30"]),
    "a shift beyond the side": (
        PROTOCOLS,
        {"families.translate.values": [0, 1.2]},
        ["families.translate (1.2)", "augment.translate"],
    ),
    "negative eps": (
        PROTOCOLS,
        {"families.pgd.values.by_data.mnist": [0, -0.1]},
        ["families.pgd.values.by_data.mnist.1", "-0.1"],
    ),
    "eps above 1": (
        PROTOCOLS,
        {"families.pgd.values.by_data.mnist": [0, 8]},
        ["families.pgd (8)", "method.pgd.eps", "8"],
    ),
    "a strength twice": (PROTOCOLS, {"families.rotate.values": [0, 60, 60.0]}, ["families.rotate.values"]),
    "strengths of nothing": (
        PROTOCOLS,
        {"families.rotate.vary": ...},
        ["families.rotate.values", "the same run"],
    ),
    "no strengths": (PROTOCOLS, {"families.rotate.values": []}, ["families.rotate.values"]),
    "a family that starts from none": (
        PROTOCOLS,
        {"families.rotate.start": "translat"},
        ["families.rotate.start", "did you mean 'translate'"],
    ),
    "a family that starts from itself": (
        PROTOCOLS,
        {"families.rotate.start": "rotate"},
        ["families.rotate.start", "itself"],
    ),
    "a start without that member": (
        PROTOCOLS,
        {"families.rotate.start": "rotate_translate"},
        ["families.rotate (30)", "start", "'rotate_translate'"],
    ),
    "a test angle beyond 180": (
        PROTOCOLS,
        {"profiles.rotation.grid": [0, 200]},
        ["profiles.rotation", "200"],
    ),
    "a negative test eps": (
        PROTOCOLS,
        {"profiles.pgd.grid.by_data.mnist": [0, -0.1]},
        ["profiles.pgd.grid.by_data.mnist.1", "-0.1"],
    ),
    "a test eps above 1": (PROTOCOLS, {"profiles.pgd.grid.by_data.mnist": [0, 8]}, ["profiles.pgd", "8"]),
    "an unknown attack": (PROTOCOLS, {"profiles.pgd.attack": "pdg"}, ["profiles.pgd", "attack", "'pdg'"]),
    "an attack without steps": (PROTOCOLS, {"profiles.pgd.steps": ...}, ["profiles.pgd", "'steps'"]),
    "an attack and a transform": (
        PROTOCOLS,
        {"profiles.rotation.attack": "deepfool"},
        ["profiles.rotation", "exactly one of transform, attack"],
    ),
    "an input that is none": (
        PROTOCOLS,
        {"profiles.pgd_rotated.input": {"rotate": "strenght"}},
        ["profiles.pgd_rotated", "input.rotate", "'strenght'"],
    ),
    "a line at no point": (
        PROTOCOLS,
        {"lines.accuracy.0.at": "strenght"},
        ["lines.accuracy.0.at", "'strength'"],
    ),
    "a line off the grid": (PROTOCOLS, {"lines.accuracy.0.at": 7}, ["fig14.panels.a", "7", "'rotation'"]),
    "no entry for a data set": (
        PROTOCOLS,
        {"profiles.pgd.steps.by_data.default": ...},
        ["profiles.pgd.steps.by_data", "'cifar10'", "no default"],
    ),
    "an entry for an unknown data set": (
        PROTOCOLS,
        {"profiles.pgd.steps.by_data.mnits": 40},
        ["profiles.pgd.steps.by_data", "did you mean 'mnist'"],
    ),
    "an entry for an unknown model": (
        PROTOCOLS,
        {"profiles.pgd.draws.by_model.gcn": 2},
        ["profiles.pgd.draws.by_model", "did you mean 'gcnn'"],
    ),
    "a choice among nothing": (PROTOCOLS, {"profiles.pgd.steps.by_data": 40}, ["pgd.steps.by_data", "40"]),
    "epochs and steps": (
        PROTOCOLS,
        {"recipes.mnist_sgd.steps": 100},
        ["recipes.mnist_sgd", "exactly one of epochs, steps"],
    ),
    "phases in epochs and in steps": (
        PROTOCOLS,
        {"recipes.mnist_sgd.epochs": ..., "recipes.mnist_sgd.phases": PHASES},
        ["recipes.mnist_sgd", "phases", "all in epochs or all in steps"],
    ),
    "phases that are none": (
        PROTOCOLS,
        {"recipes.mnist_sgd.phases": [5]},
        ["recipes.mnist_sgd", "phases.0", "5"],
    ),
    "a negative learning rate": (
        PROTOCOLS,
        {"recipes.mnist_sgd.optimiser.lr": -0.1},
        ["recipes.mnist_sgd", "optimiser.lr", "-0.1"],
    ),
    "an unknown schedule": (
        PROTOCOLS,
        {"recipes.mnist_sgd.optimiser.lr": {"schedule": "stairs", "from": 0.1}},
        ["recipes.mnist_sgd", "optimiser.lr.schedule", "'stairs'"],
    ),
    "an unknown training method": (
        PROTOCOLS,
        {"recipes.mnist_sgd.method": {"trade": {"eps": 0.1}}},
        ["recipes.mnist_sgd", "method", "unknown training method 'trade' (did you mean 'trades'?)"],
    ),
    "a schedule by its old name": (
        PROTOCOLS,
        {"recipes.mnist_sgd.optimiser.lr": {"ramp": "cosine", "from": 0.1, "to": 0}},
        ["recipes.mnist_sgd", "optimiser.lr", "'ramp' is now called 'schedule'"],
    ),
    "a method by its old name": (
        PROTOCOLS,
        {"families.pgd.vary": "examples.pgd.eps"},
        ["families.pgd", "'examples' is now called 'method'"],
    ),
    "steps with a value too few": (
        PROTOCOLS,
        {"recipes.mnist_sgd.optimiser.lr": {"schedule": "steps", "values": [0.1, 0.01], "at": [5, 8]}},
        ["recipes.mnist_sgd", "optimiser.lr.values", "2 values for 2 steps"],
    ),
    "drops at no time": (
        PROTOCOLS,
        {"recipes.madry_resnet.optimiser.lr.at": ...},
        ["recipes.madry_resnet", "optimiser.lr", "'at'"],
    ),
    "a model with an unknown recipe": (
        REGISTRY,
        {"models.stdcnn.recipe": "mnist_sdg"},
        ["models.stdcnn.recipe", "did you mean 'mnist_sgd'"],
    ),
    "a model of an unknown network": (REGISTRY, {"models.stdcnn.network": "cnn"}, ["models.stdcnn.network"]),
    "an unknown normalisation": (
        REGISTRY,
        {"models.stdcnn.normalise": "per image"},
        ["models.stdcnn.normalise", "'per image'"],
    ),
    "a misspelt registry key": (
        REGISTRY,
        {"data.mnist.clases": 10},
        ["data.mnist", "did you mean 'classes'"],
    ),
    "a checksum of no kind": (
        REGISTRY,
        {"data.cifar10.checksums.cifar-10-python.tar/gz": "c58f30108f718f92721af3b95e74349a"},
        ["data.cifar10.checksums"],
    ),
    "a claim on no figure": (INVARIANCE, {"claims.I1.in": "fig11"}, ["claims.I1.number", "'fig11'"]),
    "a claim between nothing": (
        INVARIANCE,
        {"claims.I1.tests.number.above": ..., "claims.I1.tests.number.between": [1, 0]},
        ["claims.I1.number.between: 1 is not below 0"],
    ),
    "a claim between one number": (
        INVARIANCE,
        {"claims.I1.tests.number.above": ..., "claims.I1.tests.number.between": [0.5, 0.5]},
        ["claims.I1.number.between: 0.5 is not below 0.5"],
    ),
    "a claim above nan": (
        INVARIANCE,
        {"claims.I1.tests.number.above": float("nan")},
        ["claims.I1.tests.number.above: nan is no finite number"],
    ),
    "infinite epochs": (
        PROTOCOLS,
        {"recipes.mnist_sgd.epochs": float("inf")},
        ["recipes.mnist_sgd.epochs: inf is no finite number"],
    ),
    "PGD at a step of 8": (PROTOCOLS, {"profiles.pgd.step": 8}, ["profiles.pgd", "step: 8", "maximum of 1"]),
    "a step of 8 eps": (PROTOCOLS, {"profiles.pgd.step": {"of_eps": 8}}, ["profiles.pgd", "step", "8"]),
    "a label of broken mathtext": (
        INVARIANCE,
        {"figures.fig1.title": r"rate of $\invariance$"},
        ["figures.fig1.title", "cannot be drawn as mathtext", "invariance"],
    ),
    "a claim on no panel": (
        INVARIANCE,
        {"claims.I1.tests.number.panels": ["z"]},
        ["claims.I1.number.panels", "'z'"],
    ),
    "a claim on no profile": (
        "tradeoff.yaml",
        {"claims.T8.tests.accuracy falls.profile": "pdg"},
        ["claims.T8.accuracy falls.profile", "'pdg'"],
    ),
    "a claim on no statement": (
        INVARIANCE,
        {"claims.I7.tests.inequality.slack": "theorem 1"},
        ["claims.I7.inequality.slack", "did you mean 'theorem1'"],
    ),
    "a claim with two lines": (
        INVARIANCE,
        {"claims.I1.tests.number.below": 1},
        ["claims.I1.tests.number", "exactly one of above, below"],
    ),
    "a claim without a statistic": (
        INVARIANCE,
        {"claims.I1.tests.number.drop": ...},
        ["claims.I1.tests.number", "exactly one of value, drop"],
    ),
    "a statistic with a misspelt key": (
        INVARIANCE,
        {"claims.I1.tests.number.drop.strenght": 180},
        ["claims.I1.tests.number.drop", "did you mean 'strength'"],
    ),
    "a theory panel on no statement": (
        INVARIANCE,
        {"figures.theory.settings.panels.c.statement": "theorem2"},
        ["figures.theory.settings.panels.c.statement", "did you mean 'theorem1'"],
    ),
    "a theory panel with no such classifier": (
        INVARIANCE,
        {"figures.theory.settings.panels.a.classifiers": ["x0 alone"]},
        ["figures.theory.settings.panels.a.classifiers", "did you mean 'x0 only'"],
    ),
    "a theory claim on no classifier": (
        INVARIANCE,
        {"claims.I7.tests.f* above 99%.accuracy.classifier": "x0 × 3 + x"},
        ["claims.I7", "did you mean 'x0 × 2 + x'"],
    ),
    "a theory panel over no values": (
        INVARIANCE,
        {"figures.theory.settings.panels.b.values": ...},
        ["figures.theory.settings.panels.b", "'values'"],
    ),
    "a theory figure without settings": (
        INVARIANCE,
        {"figures.theory.settings": ...},
        ["figures.theory", "'settings'"],
    ),
}
BAD_TEXT = {
    "a key twice": (INVARIANCE, "title: again\n", "key 'title' is given twice"),
    "invalid YAML": (INVARIANCE, "figures: [\n", "while parsing"),
    "a tab": (PROTOCOLS, "\tx: 1\n", "found character"),
    "not UTF-8": (REGISTRY, b"\xff\xfe", "is not UTF-8"),
    "an anchor inside itself": (INVARIANCE, "short: &loop [*loop]\n", "short.0: an anchor holds itself"),
}


def message_of(config: dict, specs: Path) -> str:
    """The one line with which the catalog refuses a config."""
    with pytest.raises(CatalogError) as refused:
        load(config, specs)
    message = str(refused.value)
    assert len(message.splitlines()) == 1 and len(message) < 400, message
    return message


@pytest.mark.parametrize(("changes", "named"), BAD_CONFIG.values(), ids=BAD_CONFIG)
def test_a_malformed_config_is_refused(told, edited, changes, named):
    message = message_of(edited(changes), ROOT / "figures")
    told(message)
    assert "config: " in message and all(word in message for word in named), message


@pytest.mark.parametrize(("file", "changes", "named"), BAD_SPECS.values(), ids=BAD_SPECS)
def test_a_malformed_paper_spec_is_refused(told, full_config, specs, edit, file, changes, named):
    edit(file, changes)
    message = message_of(full_config, specs)
    told(message)
    assert all(word in message for word in named), message
    assert Path(message.split(": ")[0]).parent == specs, message


@pytest.mark.parametrize(("file", "text", "named"), BAD_TEXT.values(), ids=BAD_TEXT)
def test_a_file_that_cannot_be_read_is_refused(told, full_config, specs, file, text, named):
    with open(specs / file, "ab") as spec:
        spec.write(text if isinstance(text, bytes) else text.encode())
    message = message_of(full_config, specs)
    told(message)
    assert message.startswith(str(specs / file)) and named in message


PUBLISHED = "published/published.csv"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("features,table1,cifar10", "3 fields, but the heading has 15"),
        ("features,table1,cifar10,ResNet-50,natural,D,std,,clean,,,,,natural_accuracy,94.84,1", "16 fields"),
        (
            "features,table1,cifar10,ResNet-50,natural,D,std,,clean,,,,,natural_accuracy,94;84",
            "'94;84' is no",
        ),
        ("features,table1,cifar10,ResNet-50,natural,D,std,,clean,,,,,natural_accuracy,", "percent: '' is no"),
        (
            "features,table1,cifar10,ResNet-50,natural,D,std,,pgd,,8/255,,,natural_accuracy,9",
            "eps_255: '8/255'",
        ),
        ('features,"table1,cifar10', "unexpected end of data"),
        (b"features,\xff", "is not UTF-8"),
    ],
    ids=["3 fields", "16 fields", "no number", "empty", "a fraction", "a quote", "bytes"],
)
def test_a_malformed_line_of_the_published_numbers_is_refused(told, full_config, specs, line, named):
    lines = (specs / PUBLISHED).read_bytes().splitlines(keepends=True)
    with open(specs / PUBLISHED, "ab") as file:
        file.write(line if isinstance(line, bytes) else line.encode())
    message = message_of(full_config | {"papers": ["features"]}, specs)
    told(message)
    assert message.startswith(f"{specs / PUBLISHED}: line {len(lines) + 1}") and named in message


def test_mathtext_that_can_be_drawn_is_taken(edited, specs):
    label = r"Std$\frac{C}{N}$N, 5 $ each"
    models = load(edited({"overrides": {"models": {"stdcnn": {"label": label[:17]}}}}), specs).registry[
        "models"
    ]
    assert models["stdcnn"]["label"] == label[:17]
    load(edited({"overrides": {"models": {"stdcnn": {"label": "for 5 $"}}}}), specs)


def test_points_by_default_are_for_all_profiles(edited, specs):
    catalog = load(edited({"papers": ["invariance"], "budget": {"points": {"pgd": 3, "default": 2}}}), specs)
    grids = {
        (profile.key, len(profile.settings["grid"]))
        for target in catalog.targets.values()
        for panel in target.panels
        for line in panel.lines
        for profile in line.profiles.values()
    }
    assert {("pgd", 3), ("rotation", 2)} <= grids and {n for key, n in grids if key != "pgd"} <= {1, 2}


def test_a_missing_file_is_refused(full_config, specs):
    (specs / PROTOCOLS).unlink()
    assert message_of(full_config, specs) == f"{specs / PROTOCOLS}: no such file"


def test_a_folder_in_a_files_place_is_refused(full_config, specs):
    (specs / "tradeoff.yaml").unlink()
    (specs / "tradeoff.yaml").mkdir()
    assert str(specs / "tradeoff.yaml") in message_of(full_config, specs)


def places(tree, at: str = ""):
    """The dotted key of every value in a tree that has no dot of its own in a key."""
    items = tree.items() if isinstance(tree, dict) else []
    for key, value in items:
        if "." not in str(key):
            yield f"{at}{key}"
            yield from places(value, f"{at}{key}.")


@pytest.mark.parametrize("junk", ["junk", -7, [], None, {"junk": [1]}], ids=str)
def test_no_junk_anywhere_ends_in_a_traceback(full_config, specs, edit, junk):
    rng = random.Random(str(junk))
    for file in (PROTOCOLS, INVARIANCE):
        original = (specs / file).read_text()
        for key in rng.sample(list(places(yaml.safe_load(original))), 2):
            edit(file, {key: junk})
            try:
                load(full_config | {"papers": ["invariance"]}, specs)
            except CatalogError as refused:
                assert "\n" not in str(refused), (file, key)
            (specs / file).write_text(original)


ALONE = {"papers": ["invariance"]}


@pytest.mark.parametrize(
    ("overrides", "arguments", "named"),
    [
        ({"budget": {"epoch": 0.5}}, ["all"], "config: budget: unknown key 'epoch' (did you mean 'epochs'?)"),
        (
            ALONE,
            ["results/figures/invariance/fig11.pdf"],
            "figures/invariance.yaml: no figure or table 'fig11'",
        ),
        (ALONE, ["results/runs/mnist/stdcnn/rotate45-0/seed0/weights.pt"], "'mnist/stdcnn/rotate45-0'"),
    ],
    ids=["config", "target", "run"],
)
def test_snakemake_says_it_in_one_line_and_starts_nothing(
    dry_run, edited, tmp_path, overrides, arguments, named
):
    status, said = dry_run(edited(overrides), *arguments)
    assert status != 0
    assert len([line for line in said.splitlines() if named in line]) == 1, said
    assert "Traceback (most recent call last)" not in said and "Job stats" not in said
    assert not (tmp_path / "results").exists()


def test_lists_given_on_the_command_line_are_numbers(dry_run, edited):
    given = ["--config", "seeds=[0, 1]", "budget={members: 2}", "--", "results/figures/invariance/fig1.pdf"]
    status, said = dry_run(edited({"papers": ["invariance"]}), *given)
    assert status == 0, said
    assert len([line for line in said.splitlines() if ": Train " in line]) == 4
