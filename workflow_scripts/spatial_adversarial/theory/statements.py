"""Each theorem's two sides beside the simulation, as tidy rows.

Adversarial accuracy is that under A in invariance's Theorem 1, which gives its A, and elsewhere that under
the strongest of all attacks within the budget: with A alone, cusp's Theorem 2 would be false (see the tests).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import nan

import numpy as np
import pandas as pd

from spatial_adversarial.theory.bounds import AT_LEAST, AT_MOST, STATEMENTS, Bound, is_upper
from spatial_adversarial.theory.codes import (
    RELATIVE_DISTANCE,
    autocorrelation,
    code_family,
    cyclic_code,
    relative_distance,
)
from spatial_adversarial.theory.estimates import Estimate, combine, exactly
from spatial_adversarial.theory.frontier import frontier, rules
from spatial_adversarial.theory.simulate import (
    Classifier,
    Setting,
    accuracies,
    classifiers,
    coded_setting,
    paired_setting,
)

ETAS = np.linspace(0, 1, 101)
OVER = {"p": "probability", "d": "coordinates", "m": "m/d", "eta": "eta"}  # what x may be, and its unit
TIDY = ["paper", "target", "panel", "data", "model", "group", "family", "strength", "attack_space", "profile"]
TIDY += ["x", "x_unit", "metric", "value", "low", "high", "interval", "n", "seed", "status"]
COLUMNS = [*TIDY, "statement", "classifier", "code", "d", "p", "m", "eta", "side", "hypothesis"]


def simulate(paper: str, settings: Mapping, seed: int) -> pd.DataFrame:
    """Tidy rows of a paper's `theory` target: bounds, simulated accuracies and slack, panel by panel.

    settings: samples; at: {p, d, m}, the point that the panels cut through, m a fraction of d such as "1/2";
    panels: {letter: {statement, over: p | d | m | eta, values (but for eta), at (optional, over the common
    one), classifiers (optional, a list of names)}}. Rows with metric "slack" say how far inside the bound of
    `side` the simulation lies: high < 0 is a violation. Theorem 1's sides over p and d are multiplied by
    2 (1 - p), which keeps them in [0, 1]; accuracy bounds beyond [0, 1] say nothing more and are clipped.
    Slack counts as evidence where `hypothesis` is "holds". It is "empty" where no classifier meets the premise,
    "vacuous" where the side excludes no accuracy in [0, 1], "by construction" where x_0 alone decides, "fails"
    where a code misses Proposition 1's distance. Along eta, metrics frontier_upper and frontier_lower are the
    best and worst of frontier.rules. Raises ValueError naming the setting that is wrong.
    """
    if paper not in STATEMENTS:
        raise ValueError(f"paper {paper!r} has no theorems: {', '.join(STATEMENTS)} have")
    rows = []
    for number, (letter, panel) in enumerate(settings["panels"].items()):
        statement, over = panel["statement"], panel["over"]
        known = statement in STATEMENTS[paper] and over in OVER
        if not known or (statement, over) == ("proposition1", "eta"):
            raise ValueError(f"theory panel {letter}: no statement {statement!r} of {paper} over {over!r}")
        bound, common = STATEMENTS[paper][statement], {**settings["at"], **panel.get("at", {})}
        for place, value in enumerate([None] if over == "eta" else panel["values"]):
            point = _Point(**(common if over == "eta" else {**common, over: value}), over=over)
            rng = np.random.default_rng([seed, number, place])  # a later point leaves this one as it was
            if bound is None:
                found = _proposition_1(point, settings["samples"], rng)
            else:
                found = _theorem(bound, point, panel.get("classifiers"), settings["samples"], rng)
            rows += [{"panel": letter, "statement": statement, **row} for row in found]
    constant = {"paper": paper, "target": "theory", "data": "simulated", "interval": "samples"}
    constant |= {"n": settings["samples"], "seed": seed, "status": "run"}
    return pd.DataFrame(rows).assign(**constant).reindex(columns=COLUMNS)


@dataclass(frozen=True)
class _Point:
    """Where a panel is simulated, and which of these numbers (or eta) is its x."""

    p: float
    d: int
    over: str
    m: str | float = 1

    @property
    def share(self) -> float:
        """m / d."""
        return float(Fraction(str(self.m)))

    @property
    def shift(self) -> int:
        """m in coordinates; ValueError where it is not one of d's divisors."""
        m = Fraction(str(self.m)) * self.d
        if m < 1 or m.denominator != 1 or self.d % int(m):
            raise ValueError(f"m = {self.m} of d = {self.d} is not a divisor of d")
        return int(m)

    def row(self, metric: str, side: str, found: Estimate, *, eta: float = nan, **others: object) -> dict:
        """A tidy row at this point."""
        x = {"p": self.p, "d": self.d, "m": self.share, "eta": eta}[self.over]
        numbers = {"x": x, "value": found.value, "low": found.low, "high": found.high}
        place = {"x_unit": OVER[self.over], "p": self.p, "d": self.d, "eta": eta, "hypothesis": "holds"}
        return {"metric": metric, "side": side, **numbers, **place, **others}


def _proposition_1(point: _Point, samples: int, rng: np.random.Generator) -> list[dict]:
    """The best classifier on x and the best on a shifted x, each on its own, and the former on the shifted x.

    "For any j" is judged at its worst: the shift at which the code is most like itself, but for the identity.
    """
    code = cyclic_code(point.d)
    setting = coded_setting(point.p, point.d, 1)
    nearest = int(np.argmax(autocorrelation(code)[1:]))  # permutations begin at a shift of one
    setting = replace(setting, permutations=setting.permutations[[nearest]])
    prior = np.log(point.p / (1 - point.p)) / 2
    best = Classifier("best on x", setting.mean, prior)
    best_shifted = Classifier("best on shifted x", setting.mean[setting.permutations[0]], prior)
    met = "holds" if relative_distance(code) >= RELATIVE_DISTANCE else "fails"
    place = {"code": code_family(point.d), "hypothesis": met}
    rows = [
        point.row("lower_bound", "bound", exactly(AT_LEAST), **place),
        point.row("upper_bound", "bound", exactly(AT_MOST), **place),
    ]
    for f, condition, sign, limit in (
        (best, "natural", 1, AT_LEAST),
        (best_shifted, "spatial", 1, AT_LEAST),
        (best, "spatial", -1, AT_MOST),
    ):
        found = accuracies([f], setting, condition, samples, rng)[f.name]
        label = {"classifier": f.name, **place}
        side = "lower_bound" if sign == 1 else "upper_bound"
        rows.append(point.row(f"{condition}_accuracy", "simulated", found, **label))
        rows.append(point.row("slack", side, combine([sign], [found], -sign * limit), **label))
    return rows


def _theorem(
    bound: Bound, point: _Point, names: list[str] | None, samples: int, rng: np.random.Generator
) -> list[dict]:
    """Each classifier's accuracies, the sides at its own eta (or along the panel's) and the slack."""
    if bound.paired:
        setting, place = paired_setting(point.p, point.d), {}
    else:
        setting = coded_setting(point.p, point.d, point.shift)
        place = {"code": code_family(point.d), "m": point.shift}
    attack = "attack" if bound.paired else "worst"
    candidates = _chosen(classifiers(setting, rng), names)
    found = {
        "natural_accuracy": accuracies(candidates, setting, "natural", samples, rng) if bound.paired else {},
        "spatial_accuracy": accuracies(candidates, setting, "spatial", samples, rng),
        "adversarial_accuracy": accuracies(candidates, setting, attack, samples, rng),
    }
    rows = _curves(bound, point, setting, attack, place)
    for f in candidates:
        own = {metric: values[f.name] for metric, values in found.items() if values}
        eta = combine([-1], [own[bound.premise]], constant=1)
        label = {"classifier": f.name, "eta": eta.value, **place}
        known = {"hypothesis": "by construction"} if f.decided_by_x0 else {}
        rows += [point.row(metric, "simulated", value, **label, **known) for metric, value in own.items()]
        sides = _inequality if bound.paired and point.over != "eta" else _sides
        rows += [point.row(*row, **label | told | known) for *row, told in sides(bound, point, own, eta)]
    return rows


def _curves(bound: Bound, point: _Point, setting: Setting, attack: str, place: dict) -> list[dict]:
    """Lines without a classifier: the sides and the frontier along eta, or the right side of Theorem 1."""
    if point.over != "eta":
        right = exactly(2 * (1 - point.p) * bound.upper(1, point.p, point.share))
        return [point.row("inequality_right", "right", right, **place)] if bound.paired else []
    rows = []
    for metric, side in bound.sides().items():
        for eta in ETAS:
            says = "vacuous" if bound.vacuous(metric, eta, point.p, point.share) else "holds"
            says = "empty" if bound.empty(eta, point.p) else says
            drawn = exactly(np.clip(side(eta, point.p, point.share), 0, 1))
            rows.append(point.row(metric, "bound", drawn, eta=eta, hypothesis=says, **place))
    found = rules(setting, attack)
    reached = frontier(found[bound.premise], found[bound.conclusion], ETAS)
    for metric, line in zip(("frontier_lower", "frontier_upper"), reached, strict=True):
        known = [(eta, value) for eta, value in zip(ETAS, line, strict=True) if not np.isnan(value)]
        rows += [point.row(metric, "frontier", exactly(value), eta=eta, **place) for eta, value in known]
    return rows


Row = tuple[str, str, Estimate, dict]


def _inequality(bound: Bound, point: _Point, found: dict, eta: Estimate) -> list[Row]:
    """Theorem 1 times 2 (1 - p), from its upper side at eta = 1, and that at 0: weights of the two accuracies."""
    scale = 2 * (1 - point.p)
    right, fallen = (scale * bound.upper(end, point.p, point.share) for end in (1, 0))
    left = combine([scale, right - fallen], [found[bound.conclusion], found[bound.premise]])
    says = _says(bound, "upper_bound", point, eta)
    return [
        ("inequality_left", "left", left, says),
        ("slack", "upper_bound", combine([-1], [left], constant=right), says),
    ]


def _sides(bound: Bound, point: _Point, found: dict, eta: Estimate) -> list[Row]:
    """The sides at the classifier's eta, and how far its accuracy is inside them (before they are clipped)."""
    rows = []
    for metric, side in bound.sides().items():
        value, *ends = (side(end, point.p, point.share) for end in (eta.value, eta.low, eta.high))
        limit = Estimate(value, min(ends), max(ends))
        sign = 1 if is_upper(metric) else -1
        says = _says(bound, metric, point, eta)
        rows.append(("slack", metric, combine([sign, -sign], [limit, found[bound.conclusion]]), says))
        if point.over != "eta":
            drawn = Estimate(*(float(np.clip(end, 0, 1)) for end in (limit.value, limit.low, limit.high)))
            rows.append((metric, "bound", drawn, says))
    return rows


def _says(bound: Bound, metric: str, point: _Point, eta: Estimate) -> dict:
    """A classifier with eta < 1 - p would be evidence against its theorem: never "empty"."""
    return {"hypothesis": "vacuous" if bound.vacuous(metric, eta.value, point.p, point.share) else "holds"}


def _chosen(candidates: list[Classifier], names: list[str] | None) -> list[Classifier]:
    known = {f.name: f for f in candidates}
    if unknown := set(names or []) - set(known):
        raise ValueError(f"no classifier {', '.join(map(repr, sorted(unknown)))}: {', '.join(known)}")
    return [known[name] for name in names] if names else candidates
