"""Claims on a figure's curves: values, falls, differences and orders, from the tidy rows of its panels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from spatial_adversarial.judging.target_numbers import Numbers, not_learnt, sources_of
from spatial_adversarial.judging.verdicts import (
    FAMILY,
    NotInformative,
    NotRun,
    judge_apart,
    judge_interval,
    judge_order,
    kendall,
    least_tau,
    noise,
)
from spatial_adversarial.records.climbed_label import of_label
from spatial_adversarial.records.tidy import least_status, with_numbers
from spatial_adversarial.statistics.intervals import (
    Interval,
    Sample,
    contrast,
    difference,
    interval,
    mean,
    of_share,
)

Curve = dict[float, Sample]  # by x


@dataclass(frozen=True)
class Curves:
    """A panel's curves by strength, the strengths of networks not shown to have learnt, and the attack's reach."""

    by_strength: dict[float, Curve]
    unlearnt: frozenset[float] = frozenset()
    reach: float = np.inf

    def at(self, strength: float, x: float) -> Sample:
        """The number of one network at one point; NotRun where it is missing, NotInformative where unlearnt."""
        for point, sample in self.of(strength).items():
            if abs(point - x) < 1e-6:
                return sample
        raise NotRun(f"no point at {x:g}")

    def of(self, strength: float) -> Curve:
        """One network's curve; NotRun where it was not trained, NotInformative where it has not learnt."""
        if strength not in self.by_strength:
            raise NotRun(f"no model of strength {strength:g}")
        if strength in self.unlearnt:
            raise NotInformative(f"the model of strength {strength:g} is not shown to have learnt")
        return self.by_strength[strength]

    def family(self, without: list[float] = ()) -> list[float]:
        """The strengths, rising, of the members that a claim on all of them counts, `without` some.

        NotInformative where fewer than four are left once those have gone that have not learnt.
        """
        asked = [strength for strength in sorted(self.by_strength) if strength not in without]
        learnt = [strength for strength in asked if strength not in self.unlearnt]
        if len(learnt) < min(len(asked), FAMILY):
            lost = ", ".join(f"{strength:g}" for strength in asked if strength in self.unlearnt)
            raise NotInformative(f"{len(learnt)} members left without {lost}, not shown to have learnt")
        if len(learnt) < 2:
            raise NotRun("an order needs two models or more")
        return learnt

    def profiles(self, strengths: list[float], x: float | None = None) -> list[list[Sample]]:
        """Some networks' curves at their common points within the attack's reach, or at one point alone.

        The point 0, where nothing is moved or attacked, says nothing of the profile unless it is all there is. NotRun
        where all others are beyond the reach.
        """
        if x is not None:
            return [[self.at(strength, x)] for strength in strengths]
        chosen = [self.of(strength) for strength in strengths]
        common = [point for point in chosen[0] if all(point in curve for curve in chosen)]
        points = [point for point in common if 0 < point <= self.reach + 1e-9]
        if not points and any(common):
            raise NotRun("no common point within the attack's reach")
        points = points or common
        return [[curve[point] for point in points] for curve in chosen]


def _value(curves: Curves, test: dict, level: float, what: str, strength: float, x: float) -> dict:
    found = curves.at(strength, x)
    return judge_interval(interval(found, level), what, test, [found])


def _drop(curves: Curves, test: dict, level: float, what: str, strength: float, to: float) -> dict:
    first, second = curves.at(strength, 0), curves.at(strength, to)
    return judge_interval(difference(first, second, level), what, test, [first, second])


def _change(
    curves: Curves,
    test: dict,
    level: float,
    what: str,
    strengths: list[float],
    x: float,
    relative: bool = False,
) -> dict:
    first, second = (curves.at(strength, x) for strength in strengths)
    found = difference(second, first, level)
    if relative:
        found, what = _ratio(second, first, level), f"{what}, as a share of the first's"
    return judge_interval(found, what, test, [first, second])


def _ratio(second: Sample, first: Sample, level: float) -> Interval:
    """second / first - 1, its interval by the delta method."""
    value, slope = second.value / first.value - 1, 1 / first.value
    found = contrast([(slope, second), (-slope * (value + 1), first)], level)
    ends = {name: value + getattr(found, name) - found.value for name in ("low", "high")}
    return replace(found, value=value, **ends)


def _apart(curves: Curves, test: dict, level: float, what: str, strengths: list[float]) -> dict:
    return judge_apart(*curves.profiles(strengths), what, test, level)


def _kept(curves: Curves, test: dict, level: float, what: str, strengths: list[float], other: Curves) -> dict:
    """Whether less (or more) than a share of another panel's gain is left, as gain - share * other's gain."""
    share = test["below"] if "below" in test else test["above"]
    after, before = ([mean(one) for one in panel.profiles(strengths)] for panel in (curves, other))
    gain = difference(before[1], before[0], level)
    if not gain.beyond(0):
        raise NotInformative(f"the other panel shows no gain ({gain.low:.3g} to {gain.high:.3g})")
    left = contrast([(1, after[1]), (-1, after[0]), (-share, before[1]), (share, before[0])], level)
    side = "below" if "below" in test else "above"
    cells = judge_interval(left, f"{what}, less {share:g} of it", {side: 0}, after)
    return cells | {"statistic": f"{cells['statistic']}; before {gain.value:.3g}"}


def _trend(
    curves: Curves,
    test: dict,
    level: float,
    what: str,
    x: float | None = None,
    **selected,
) -> dict:
    chosen = _chosen(curves, **selected)
    return judge_order(curves.profiles(chosen, x), what, 1 if "above" in test else -1, level)


def _slope(
    curves: Curves,
    test: dict,
    level: float,
    what: str,
    x: float | None = None,
    **selected,
) -> dict:
    chosen = _chosen(curves, **selected)
    means = [mean(profile) for profile in curves.profiles(chosen, x)]
    centred = np.array(chosen) - np.mean(chosen)
    weights = (chosen[-1] - chosen[0]) * centred / (centred**2).sum()
    return judge_interval(contrast(list(zip(weights, means, strict=True)), level), what, test, means)


def _chosen(
    curves: Curves,
    without: list[float] = (),
    other: Curves | None = None,
    range: list[float] | None = None,
) -> list[float]:
    """The members of a family, those alone whose value in another panel lies in a range where one is given."""
    family = curves.family(without)
    if other is None:
        return family
    natural = {strength: next(iter(curve.values())).value for strength, curve in other.by_strength.items()}
    chosen = [strength for strength in family if range[0] <= natural.get(strength, np.nan) <= range[1]]
    if len(chosen) < 2:
        raise NotInformative(f"fewer than two models in {range[0]:g} to {range[1]:g}")
    return chosen


def _within(curves: Curves, test: dict, level: float, what: str, range: list[float], x: float) -> dict:
    """The share of the members in a range: the interval of so many members, and of the images that place each."""
    members = [curve for (curve,) in curves.profiles(curves.family(), x)]
    share, *drawn = np.mean([_is_within(np.append(one.value, one.drawn), range) for one in members], axis=0)
    found = Interval(share, share, share, published=True)
    if drawn:
        low, high = of_share(share, len(members), level)
        least, greatest = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        found = Interval(share, min(low, least), max(high, greatest))
    cells = judge_interval(found, what, test)
    return cells | {"line": cells["line"] + noise(members)}


def _is_within(values: np.ndarray, range: list[float]) -> np.ndarray:
    return (range[0] <= values) & (values <= range[1])


def _alike(curves: Curves, test: dict, level: float, what: str, other: Curves) -> dict:
    """Kendall's tau between two panels' orders, which must reach least_tau as well."""
    both = [s for s in curves.family() if s in other.by_strength and s not in other.unlearnt]
    if len(both) < 2:
        raise NotRun("an order needs two models or more in both panels")
    means = [[mean(one) for one in panel.profiles(both)] for panel in (curves, other)]
    values, others = (np.stack([np.append(one.value, one.drawn) for one in panel]) for panel in means)
    tau, *drawn = kendall(values, others)
    pair = 2 / (len(both) * (len(both) - 1) / 2)  # that one pair changes tau by: it is known no better
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if drawn else (tau, tau)
    ends = (max(-1.0, min(low, tau - pair)), min(1.0, max(high, tau + pair))) if drawn else (tau, tau)
    cells = judge_interval(Interval(float(tau), *map(float, ends), published=not drawn), what, test)
    least = least_tau(len(both))
    enough = {"holds": tau >= least - 1e-9, "fails": tau <= 1e-9 - least}
    verdict = cells["verdict"] if enough.get(cells["verdict"]) else "undecided"
    return cells | {
        "line": f"{cells['line']}, at least {least:.3g}{noise([one for panel in means for one in panel])}",
        "verdict": verdict,
        "members": len(both),
    }


# name in a paper's file: (what it is, its row's cells from (curves, test, level, what, **parameters))
STATISTICS: dict[str, tuple[str, Callable[..., dict]]] = {
    "value": ("value at a point", _value),
    "drop": ("fall from 0 to a point", _drop),
    "change": ("change at a point between two models", _change),
    "apart": ("difference of the profiles of two models", _apart),
    "kept": ("difference of mean profiles that is left of another panel's", _kept),
    "trend": ("order of the models by training strength", _trend),
    "slope": ("fitted change over the training strengths", _slope),
    "within": ("share of the models in a range", _within),
    "alike": ("Kendall's tau between two panels' orders of the models", _alike),
}


def line_of(numbers: Numbers, panel: str, test: dict, source: str = "ours") -> pd.DataFrame:
    """The rows of one panel (and of one of its lines, where it has several); NotRun where it was not run."""
    rows = of_label(numbers.rows, test.get("attacked_label"))
    chosen = (rows.panel == panel) & (rows.status != "not run") & (sources_of(rows) == source)
    for key in ("profile", "metric"):
        chosen &= (rows[key] == test[key]) if key in test else True
    if not chosen.any():
        raise NotRun(f"panel {panel} was not run")
    return rows[chosen]


def curves_of(target: Numbers, line: pd.DataFrame) -> Curves:
    """The curves of some of a target's rows."""
    found: dict[float, Curve] = {}
    line = with_numbers(line)
    for strength, x, k in zip(line.strength, line.x, line.index, strict=True):
        found.setdefault(strength, {})[x] = target.sample(k)
    unlearnt = set(line.strength[not_learnt(line)])
    return Curves(found, frozenset(unlearnt), min(map(target.reach, line.index)))


def judge_panel(
    test: dict,
    panel: str,
    target: Numbers,
    level: float,
    targets: Mapping[str, Numbers] | None = None,
    source: str = "ours",
) -> dict:
    """One row of the claims table: a test on one panel of a target's rows.

    A statistic's `other` is a panel of the same target, or "<target>.<panel>" of one of `targets`, and its `metric`
    says which of its lines where it has several. Numbers of `source` "published" have no intervals: they are judged
    as they are.
    """
    name = next(key for key in test if key in STATISTICS)
    what, statistic = STATISTICS[name]
    row = {"panel": panel, "source": source, "statistic": what}
    try:
        line = line_of(target, panel, test, source)
        row |= {"status": least_status(line.status), "attack_space": line.attack_space.iloc[0]}
        parameters = dict(test[name] or {})
        if "other" in parameters:
            where, _, letter = parameters["other"].rpartition(".")
            other = targets[where] if where else target
            beside = {key: test[key] for key in ("profile", "attacked_label") if key in test}
            beside |= {"metric": parameters.pop("metric")} if "metric" in parameters else {}
            second = line_of(other, letter, beside, source)
            parameters["other"] = curves_of(other, second)
            row["status"] = least_status([row["status"], *second.status])
        return row | statistic(curves_of(target, line), test, level, what, **parameters)
    except NotRun as missing:
        return row | {"verdict": "not run", "status": "not run", "statistic": f"{what}: {missing}"}
    except NotInformative as reason:
        return row | {"verdict": "not informative", "statistic": f"{what}: {reason}"}
