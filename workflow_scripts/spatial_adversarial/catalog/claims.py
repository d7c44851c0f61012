"""The claims of a paper: what their tests name is there."""

from spatial_adversarial.catalog import optional_rows
from spatial_adversarial.catalog.specs import Specs
from spatial_adversarial.catalog.targets import Target
from spatial_adversarial.panels import TARGETS
from spatial_adversarial.records.reading import CatalogError, lookup
from spatial_adversarial.theory.bounds import CLASSIFIERS

# The statistics of claims on tables of results; judging/cells.py has what they compute, and pandas with it.
CELL_TESTS = ("cell", "gain", "best", "gap", "area", "ahead", "adds", "nearer")


def claims_of(paper: str, specs: Specs, targets: dict[tuple[str, str], Target]) -> dict:
    """{key: claim} of a paper's file; raises CatalogError for a target, panel, row, ... that is not there.

    Tests that name an optional row which the config does not ask for are left out.
    """
    left = specs.left_out(paper)
    claims = {
        key: optional_rows.judged(claim, left) for key, claim in specs.paper(paper).get("claims", {}).items()
    }
    claims = {key: claim for key, claim in claims.items() if claim["tests"]}
    for key, claim in claims.items():
        for name, test in claim["tests"].items():
            where = f"{specs.folder / paper}.yaml: claims.{key}.{name}"
            for target, panels in judged_on(claim, test):
                if (paper, target) not in targets:
                    raise CatalogError(f"{where}.in: no figure or table {target!r}")
                _check_panels(targets[paper, target], panels, where)
            target = targets[paper, test.get("in", claim["in"])]
            _check_test(target, test, where)
            if "columns" in test:
                _check_cells(target, test, where)
                claim["tests"][name] = _with_chance(target, test, specs, where)
    return claims


def judged_on(claim: dict, test: dict) -> list[tuple[str, list[str]]]:
    """The (target, panels) that a test is judged on, first its own and then those that it compares them with."""
    named = test.get("in", claim["in"])
    others = [p["other"].rpartition(".") for p in test.values() if isinstance(p, dict) and "other" in p]
    return [
        (named, test.get("panels", [])),
        *((target or named, [panel]) for target, _, panel in others),
    ]


def _check_panels(target: Target, panels: list[str], where: str) -> None:
    theory = target.spec.get("settings", {}).get("panels", {})
    letters = {panel.letter for panel in target.panels} | theory.keys()
    for panel in panels:
        if panel not in letters:
            raise CatalogError(f"{where}.panels: {target.name} has no panel {panel!r}")


def _check_test(target: Target, test: dict, where: str) -> None:
    low, high = test.get("between", (0, 1))
    if low >= high:
        raise CatalogError(f"{where}.between: {low} is not below {high}")
    if "slack" in test:
        theory = target.spec.get("settings", {}).get("panels", {}).values()
        lookup("statement", test["slack"], {panel["statement"]: panel for panel in theory}, f"{where}.slack")
    for kind in ("accuracy", "accuracy_change"):
        if "classifier" in test.get(kind, {}):
            lookup("classifier", test[kind]["classifier"], dict.fromkeys(CLASSIFIERS), f"{where}.{kind}")
    for panel in target.panels if "profile" in test else ():
        profiles = {profile.key: profile for line in panel.lines for profile in line.profiles.values()}
        if panel.letter in test.get("panels", []) and (profiles or not panel.reason):
            lookup("profile", test["profile"], profiles, f"{where}.profile")


def _with_chance(target: Target, test: dict, specs: Specs, where: str) -> dict:
    """A test, its `reference: chance` as the accuracy of a guess on the data set of the rows that it names."""
    name = next(key for key in CELL_TESTS if key in test)
    if test[name].get("reference") != "chance":
        return test
    rows = _rows_of(test[name])
    data = {panel.data for panel in target.panels if panel.letter in rows}
    if len(data) != 1:
        raise CatalogError(f"{where}.{name}.reference: chance on which of {', '.join(sorted(data))}?")
    classes = specs.registry["data"][data.pop()]["classes"]
    return test | {name: test[name] | {"reference": 1 / classes}}


def _rows_of(named: dict) -> list[str]:
    single = [named["row"]] if "row" in named else []
    return [str(row) for row in (*named.get("rows", []), *named.get("over", []), *single)]


def _check_cells(target: Target, test: dict, where: str) -> None:
    """The rows and columns that a test on a table names are in it; raises CatalogError."""
    if TARGETS[target.kind].made_of != "rows":
        raise CatalogError(f"{where}.columns: {target.name} is no table of results")
    name = next((key for key in CELL_TESTS if key in test), None)
    if name is None:
        raise CatalogError(f"{where}: a test on columns needs one of {', '.join(CELL_TESTS)}")
    rows = {key: row for key, row in target.spec["rows"].items() if row["kind"] != "heading"}
    named, needs = test[name], test.get("needs", {})
    for row in (*_rows_of(named), *map(str, needs.values())):
        lookup("row", row, rows, f"{where}.{name}")
    for column in (*test["columns"], *([named["to"]] if "to" in named else []), *needs):
        lookup("column", column, target.spec["columns"], f"{where}.columns")
