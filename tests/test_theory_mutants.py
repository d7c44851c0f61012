"""Each constant of each bound, changed: the simulation's verdict or an independent statement notices."""

import ast
import copy
from collections.abc import Iterator
from fractions import Fraction as F
from math import ceil, floor
from pathlib import Path
from types import ModuleType

import pytest
from scipy.stats import norm

from spatial_adversarial.judging import judge_claim
from spatial_adversarial.theory import bounds, statements
from spatial_adversarial.theory.frontier import rules
from spatial_adversarial.theory.simulate import coded_setting, paired_setting

SOURCE = Path(bounds.__file__)
TREE = ast.parse(SOURCE.read_text())
WHERE = {  # the bound of each name: a paper, its statement, and what is judged
    "THEOREM_1": ("invariance", "theorem1", ["stated"]),
    "SHIFTS": ("tradeoff", "theorem2", ["stated", "tight"]),
    "ADVERSARIAL_LIMITS_SPATIAL": ("cusp", "theorem2_spatial", ["stated", "tight"]),
    "SPATIAL_LIMITS_ADVERSARIAL": ("cusp", "theorem2_adversarial", ["stated"]),
    "AT_LEAST, AT_MOST": ("tradeoff", "proposition1", ["stated"]),
}


def mutants() -> Iterator[tuple[str, str, ast.Module]]:
    """(bound, what is changed, the changed source): constants and names of every side by 10%, m/d by 30% too."""
    for place, statement in enumerate(TREE.body):
        target = ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else ""
        if target.strip("()") not in WHERE:
            continue
        for number, node in enumerate(ast.walk(statement)):
            if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                factors = (1.1, 0.9)
            elif isinstance(node, ast.Name) and node.id in ("eta", "p", "share"):
                factors = (1.1, 0.9, *((1.3,) if node.id == "share" else ()))
            else:
                continue
            for factor in factors:
                tree = copy.deepcopy(TREE)
                changed = _scale(tree.body[place], number, factor)
                yield target.strip("()"), changed, tree


def _scale(statement: ast.stmt, number: int, factor: float) -> str:
    """Multiply a statement's node by a factor, in place; return the expression that it makes."""
    marked = list(ast.walk(statement))[number]

    class Scaled(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is marked and isinstance(node, ast.Constant) and node.value == 0:
                return ast.Constant(factor - 1)
            if node is marked:
                return ast.BinOp(ast.Constant(factor), ast.Mult(), node)
            return self.generic_visit(node)

    Scaled().visit(statement)
    ast.fix_missing_locations(statement)
    for part in ast.walk(statement):
        if isinstance(part, ast.keyword) and any(inner is marked for inner in ast.walk(part)):
            return f"{part.arg} = {ast.unparse(part.value.body)}"
    return ast.unparse(statement)


def loaded(tree: ast.Module) -> ModuleType:
    module = ModuleType("changed_bounds")
    module.__dict__["__name__"] = bounds.__name__  # dataclasses look their module up
    exec(compile(tree, str(SOURCE), "exec"), module.__dict__)
    return module


def _is_what_the_papers_say(module: ModuleType, bound: str) -> bool:
    """The statement worked out apart, in fractions, from the steps of its proof."""
    if bound == "AT_LEAST, AT_MOST":  # two and one standard deviations, rounded to the safe side
        numbers = floor(100 * norm.cdf(2)) / 100, ceil(100 * norm.cdf(1)) / 100
        return pytest.approx(numbers) == (module.AT_LEAST, module.AT_MOST)
    found = getattr(module, bound)
    for p, eta, parts in ((F(3, 5), F(1, 2), 2), (F(4, 5), F(1, 4), 4), (F(1, 2), F(3, 4), 5)):
        adversarial = 1 - eta
        natural = (1 - adversarial) / ((1 - p) / p)  # error under A >= (1 - p) / p * accuracy on X
        if bound == "THEOREM_1":  # spatial + (2p - 1) / (2 (1 - p)) * adversarial <= p / (2 (1 - p))
            known = {"upper": p / (2 * (1 - p)) - (2 * p - 1) / (2 * (1 - p)) * adversarial, "needs": 0}
            reached = rules(paired_setting(float(p), 36), "attack")
        elif bound == "SPATIAL_LIMITS_ADVERSARIAL":
            known = {"upper": 1 - (1 - p) / p * (1 - eta), "needs": 0}
            reached = None
        else:
            known = {"upper": natural, "tight_lower": adversarial, "needs": 1 - p}
            reached = rules(coded_setting(float(p), 100, 100 // parts), "worst")
        if (
            bound == "SHIFTS"
        ):  # of the d/m shifts one is the identity; the others are attacks, or at most right
            identity = [natural, 0], [1, adversarial]
            upper, lower = (
                sum([own, *[other] * (parts - 1)]) / parts for own, other in zip(*identity, strict=True)
            )
            known |= {"upper": upper, "lower": lower, "tight_upper": natural}
        for side, value in known.items():
            share = F(1, parts)
            ours = found.needs(p) if side == "needs" else getattr(found, side)(eta, p, share)
            if abs(ours - value) > 1e-9:
                return False
        if reached is not None:
            assert 1 - reached["adversarial_accuracy"].max() == pytest.approx(float(known["needs"]), abs=1e-3)
    return True


@pytest.fixture
def simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample each accuracy once for all mutants."""
    sampled, seen = statements.accuracies, {}

    def accuracies(candidates, setting, condition, samples, rng):
        key = (
            setting.p,
            len(setting.mean),
            setting.permutations.tobytes(),
            condition,
            *(f.name for f in candidates),
        )
        if key not in seen:
            seen[key] = sampled(candidates, setting, condition, samples, rng)
        return seen[key]

    monkeypatch.setattr(statements, "accuracies", accuracies)
    monkeypatch.setattr(statements, "classifiers", cache_by_place(statements.classifiers))


def cache_by_place(classifiers):
    seen = {}

    def cached(setting, rng):
        key = setting.p, len(setting.mean), setting.permutations.tobytes()
        if key not in seen:
            seen[key] = classifiers(setting, rng)
        return seen[key]

    return cached


def _simulated_verdict(module: ModuleType, bound: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """ "fails" where some claim on the statement does, simulated at p = .5, .6 and .8."""
    paper, statement, forms = WHERE[bound]
    for name in ("STATEMENTS", "AT_LEAST", "AT_MOST"):
        monkeypatch.setattr(statements, name, getattr(module, name))
    values = [0.5] if statement == "proposition1" else [0.5, 0.6, 0.8]
    panels = {"a": {"statement": statement, "over": "p", "values": values}}
    settings = {"samples": 40_000, "at": {"p": 0.6, "d": 60, "m": "1/2"}, "panels": panels}
    rows = statements.simulate(paper, settings, seed=0)
    tests = {form: {"slack": statement, "form": form} for form in forms}
    judged = judge_claim("T", {"says": "", "in": "theory", "tests": tests}, {"theory": (rows, None)}, 0.95)
    said = {row["verdict"] for row in judged}
    return "fails" if "fails" in said else "not fails"


def test_each_mutant_of_each_bound_dies(simulated_once, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in WHERE:
        assert _is_what_the_papers_say(bounds, bound)
        assert _simulated_verdict(bounds, bound, monkeypatch) == "not fails"
    table = []
    for bound, changed, tree in mutants():
        module = loaded(tree)
        killers = []
        if _simulated_verdict(module, bound, monkeypatch) == "fails":
            killers.append("simulation")
        if not _is_what_the_papers_say(module, bound):
            killers.append("independent statement")
        table.append((bound, changed, " and ".join(killers) or "SURVIVES"))
    print(*("  ".join(row) for row in table), sep="\n")
    assert not [row for row in table if row[2] == "SURVIVES"]
    simulated = {bound for bound, _, killers in table if killers.startswith("simulation")}
    assert simulated == set(WHERE)  # the verdict is no rubber stamp for any of them
    thirds = [row for row in table if "1.3 * share" in row[1]]
    assert len(thirds) == 2  # both sides of Theorem 2


@pytest.mark.parametrize("m", ["1/2", "1/4", "1/5", "1/50"])
def test_m_over_d_is_one_in_the_number_of_shifts(m: str) -> None:
    panels = {"a": {"statement": "theorem2", "over": "m", "values": [m], "classifiers": ["x0 × 2 + x"]}}
    rows = statements.simulate("tradeoff", {"samples": 200, "at": {"p": 0.6, "d": 100}, "panels": panels}, 0)
    shifts = len(coded_setting(0.6, 100, int(rows["m"].iloc[0])).permutations)
    assert rows["x"].unique() == pytest.approx([1 / shifts]) and shifts == int(m[2:])
    eta = rows["eta"].iloc[-1]
    upper = rows.query("metric == 'upper_bound'")["value"].item()
    lower = rows.query("metric == 'lower_bound'")["value"].item()
    assert upper == pytest.approx((eta * 1.5 + (shifts - 1)) / shifts)
    assert lower == pytest.approx((shifts - 1) * (1 - eta) / shifts)


def test_m_over_d_taken_too_large_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    share = statements._Point.share.fget
    monkeypatch.setattr(statements._Point, "share", property(lambda point: 1.3 * share(point)))
    with pytest.raises(AssertionError):
        test_m_over_d_is_one_in_the_number_of_shifts("1/4")
