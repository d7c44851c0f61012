"""What was really done to the images of a table's cell, in words."""

from itertools import chain

from spatial_adversarial.metrics import METRICS
from spatial_adversarial.records.climbed_label import PREDICTED, TRUE, climbed
from spatial_adversarial.records.panel import Line, Panel


def attack_words(line: Line, test_images: int | None = None) -> str:
    """Of a cell's resolved profile: "eps 8/255, 10 steps of 2/255", "±180°"; empty for all the clean images.

    test_images: how many the data set has; a sample of as many is none.
    """
    (profile,), (x,) = line.profiles.values(), line.at.values()
    sample = profile.settings["sample"]
    drawn = sample and (test_images is None or sample < test_images)
    parts = [f"{sample:,} images drawn at random"] if drawn else []
    if not METRICS[line.metric].climbs:
        return ", ".join(parts)
    return ", ".join([*profile.perturbation.words(x), *parts])


def budgets_sentence(panels: list[Panel], labels: dict[str, str]) -> str:
    """How far the attacks of panels against the training strength go, by data set: "Attacked at eps 0.3 (MNIST)."

    labels: {data set: its name}. Empty where none attacks at one point, or one at several, which its lines then name.
    """
    found: dict[str, dict[str, None]] = {}
    for panel in panels:
        for line in panel.lines:
            points = set((line.at or {}).values())
            if panel.strength and len(points) == 1 and METRICS[line.metric].climbs:
                words = next(iter(line.profiles.values())).perturbation.words(*points)
                for budget in [word for word in words if "eps" in word][:1]:
                    found.setdefault(budget, {})[labels[panel.data]] = None
    told = [f"{budget} ({', '.join(sets)})" for budget, sets in found.items()]
    several = len([name for sets in found.values() for name in sets]) > len({*chain(*found.values())})
    return f"Attacked at {', '.join(told)}." if told and not several else ""


def labels_sentence(lines: list[Line]) -> str:
    """The sentence that names the label which the attacks of some lines climb; empty where none climbs one."""
    used = [(METRICS[line.metric].climbs, profile) for line in lines for profile in line.profiles.values()]
    climbing = {(climbed(profile.settings, label)[0], profile.perturbation.label) for label, profile in used}
    found = {label for label, _ in climbing} - {""}
    if found == {PREDICTED}:
        names = " and ".join(sorted(name for label, name in climbing if label))
        return f"1 − fooling rate: {names} climbs the predicted label; the CSV has the true label's as well."
    if found == {TRUE}:
        divergence = any(profile.settings.get("loss") == "kl" for label, profile in used if label)
        return f"Attacks climb the true label{', those on KL none' if divergence else ''}."
    return (
        "Attacks climb the predicted label for 1 − fooling rate, the true one for accuracy." if found else ""
    )
