"""What was really done to the images of a table's cell, in words."""

from spatial_adversarial.metrics import METRICS
from spatial_adversarial.records.climbed_label import PREDICTED, TRUE, climbed
from spatial_adversarial.records.panel import Line


def attack_words(line: Line) -> str:
    """Of a cell's resolved profile: "eps 8/255, 10 steps of 2/255", "±180°"; empty for all the clean images."""
    (profile,), (x,) = line.profiles.values(), line.at.values()
    sample = profile.settings["sample"]
    parts = [f"{sample:,} images drawn at random"] if sample else []
    if not METRICS[line.metric].climbs:
        return ", ".join(parts)
    return ", ".join([*profile.perturbation.words(x), *parts])


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
