"""How often the judge's verdicts are right: families whose truth is known, judged as the workflow judges them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from spatial_adversarial.judging import Numbers, judge_claim
from spatial_adversarial.settings.numbers import number_text
from spatial_adversarial.statistics.bootstrap import resampling

XS = [0.0, 0.1, 0.2, 0.3]
IMAGES, REPLICATES = 1000, 200
ALIKE = 0.9
SLOPES = np.array([0, 0, -0.05, -0.1])  # of every curve, from its height
RISES = {"says": "", "in": "fig", "tests": {"rises": {"trend": None, "above": 0}}}


def family(
    curves: np.ndarray, noise: float, seeds: int, rng: np.random.Generator, constant=(), alike=ALIKE
) -> Numbers:
    """Tidy rows of networks with true curves [members, points]: training moves each curve by normal `noise`.

    The networks of all members and seeds see the same images; `constant` members are not shown to have learnt.
    alike: correlation of how hard two networks find an image; at 1 equal curves are equal predictions.
    """
    members = len(curves)
    common = rng.normal(size=IMAGES)
    own = rng.normal(size=(members, seeds, 1, IMAGES))
    ease = np.sqrt(alike) * common + np.sqrt(1 - alike) * own
    heights = curves[:, None] + rng.normal(0, noise, (members, seeds, 1)) * (np.array(XS) > 0)
    right = (ease < norm.ppf(heights.clip(0, 1))[..., None]).astype(np.float32)
    right = right.transpose(0, 2, 1, 3).reshape(members * len(XS), seeds, IMAGES)
    drawn = right.mean(axis=1) @ resampling(IMAGES, REPLICATES, 0) / IMAGES
    strengths, xs = np.repeat(range(members), len(XS)), XS * members
    rows = pd.DataFrame({"panel": "a", "strength": [number_text(s) for s in strengths]})
    rows = rows.assign(
        x=[number_text(x) for x in xs], value=right.mean(axis=(1, 2)), metric="robust_accuracy"
    )
    rows = rows.assign(profile="pgd", status="run", attack_space="pixel")
    rows = rows.assign(learnt=np.where(np.isin(strengths, constant), "no", "yes"))
    side = pd.DataFrame({"origin": rows.strength, "images": IMAGES, "reach": 0.4})
    return Numbers(rows, drawn, right.mean(axis=2), side)


def flat(*heights: float) -> np.ndarray:
    """Curves in a row, one for each height, below a clean point that all share."""
    curves = np.array(heights)[:, None] + SLOPES
    curves[:, 0] = 0.95
    return curves


def rates(
    curves: np.ndarray, noise: float, trials: int, seeds: int = 1, constant=(), alike=ALIKE, claim=RISES
) -> dict[str, float]:
    """The shares of trials in which a claim, "rises" if it is not given, has each verdict."""
    rng = np.random.default_rng([len(curves), int(1000 * noise), seeds])
    found = [
        judge_claim("T", claim, {"fig": family(curves, noise, seeds, rng, constant, alike)}, 0.95)[0][
            "verdict"
        ]
        for _ in range(trials)
    ]
    return {verdict: found.count(verdict) / trials for verdict in set(found)}


def equal(members: int) -> np.ndarray:
    return flat(*[0.5] * members)


def steps(members: int) -> np.ndarray:
    """Neighbours five points apart."""
    return flat(*(0.35 + 0.05 * np.arange(members)))


def zigzag(members: int) -> np.ndarray:
    """Up by 15, down by 8."""
    up = np.arange(1, members) % 2 == 1
    return flat(*(0.3 + np.cumsum([0, *np.where(up, 0.15, -0.08)])))


def crossing(members: int) -> np.ndarray:
    """Means that rise by five points a member, but fall by five at the last point."""
    curves = steps(members)
    curves[:, -1] = curves[::-1, -1]
    return curves


def floor(members: int) -> np.ndarray:
    """Next to nothing is left under attack; clean accuracy rises."""
    curves = np.full((members, len(XS)), 0.0005)
    curves[:, 0] = 0.5 + 0.06 * np.arange(members)
    return curves


def constant(members: int) -> np.ndarray:
    """Equal networks, and at the end one that predicts one class whatever is done to the image."""
    curves = equal(members)
    curves[-1] = 0.9999
    return curves


MEMBERS = (3, 4, 5, 7)
# name: (true curves, training noise, members that are constant, how alike the networks are)
NEVER = {
    "zigzag": (zigzag, 0.01, 0, ALIKE),
    "crossing curves": (crossing, 0.01, 0, ALIKE),
    "floor below a clean trend": (floor, 0.0, 0, ALIKE),
    "flat but one constant": (constant, 0.0, 1, 1.0),
}


def seeds_of(members: int) -> int:
    return 3 if members < 4 else 1  # the least with which so small a family is judged


def table(trials: int, members=MEMBERS) -> pd.DataFrame:
    """A row for each family, noise of training in points and number of members; its columns are shares of trials."""
    cases = [("equal", equal, noise, m, (), ALIKE) for noise in (0.01, 0.05) for m in members]
    cases += [("steps of 5 points", steps, noise, m, (), ALIKE) for noise in (0.01, 0.05) for m in members]
    cases += [
        (name, made, noise, m, range(m - lost, m), alike)
        for name, (made, noise, lost, alike) in NEVER.items()
        for m in members
    ]
    lines = []
    for name, made, noise, m, lost, alike in cases:
        counted = trials if name == "equal" else max(trials // 5, 10)
        found = rates(made(m), noise, counted, seeds_of(m), lost, alike)
        line = {"family": name, "noise": 100 * noise, "members": m, "seeds": seeds_of(m), "trials": counted}
        shares = ("holds", "fails", "undecided", "not informative")
        lines.append(line | {verdict: found.get(verdict, 0.0) for verdict in shares})
    return pd.DataFrame(lines)


def at_most_5_percent(share: float, trials: int) -> bool:
    """A rate that is not above 5% for certain."""
    return binomtest(round(share * trials), trials, 0.05, alternative="greater").pvalue > 0.01


@pytest.mark.slow
def test_the_table_of_power(capsys):
    """Steps as large as the noise of training (5 points) are shown, and not asked for: one seed cannot tell them."""
    found = table(1000)
    with capsys.disabled():
        print("\n" + found.to_string(index=False, float_format="{:.3g}".format))
    for line in found[found.family == "equal"].itertuples():
        assert at_most_5_percent(line.holds, line.trials) and at_most_5_percent(line.fails, line.trials)
    true = found[(found.family == "steps of 5 points") & (found.noise == 1)]
    assert (true.holds >= 0.9).all() and (true.fails == 0).all()
    assert (found.holds[found.family.isin(NEVER)] == 0).all()


@pytest.mark.parametrize("members", [3, 5])
def test_random_orders_seldom_hold_and_steps_do(members):
    trials, seeds = 60, seeds_of(members)
    chance = rates(equal(members), 0.05, trials, seeds)
    assert all(at_most_5_percent(chance.get(verdict, 0), trials) for verdict in ("holds", "fails"))
    assert rates(steps(members), 0.01, 20, seeds).get("holds", 0) >= 0.85


@pytest.mark.parametrize(
    ("height", "often", "never"), [(0.72, "", "fails"), (0.7, "", "holds"), (0.755, "holds", "fails")]
)
def test_a_share_of_snapshots_near_the_end_of_a_range_is_not_decided_by_chance(height, often, never):
    """29 snapshots of one training, attacked on the same images: an error of these moves all of them (F1)."""
    within = {
        "says": "",
        "in": "fig",
        "tests": {"t": {"within": {"range": [0.71, 0.8], "x": 0.2}, "above": 0.7}},
    }
    trials = 40
    found = rates(flat(*[height - SLOPES[2]] * 29), 0.0, trials, claim=within)
    assert at_most_5_percent(found.get(never, 0), trials)
    assert not often or found.get(often, 0) > 0.7


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("members", [4, 7])
def test_what_is_no_order_never_holds(name, members):
    made, noise, lost, alike = NEVER[name]
    constants = range(members - lost, members)
    assert rates(made(members), noise, 15, constant=constants, alike=alike).get("holds", 0) == 0
