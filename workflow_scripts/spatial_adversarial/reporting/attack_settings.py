"""What was really done to the images of a table's cell, in words."""

from spatial_adversarial.catalog.panels import Line
from spatial_adversarial.metrics import METRICS
from spatial_adversarial.records.climbed_label import PREDICTED, TRUE, climbed
from spatial_adversarial.records.identity import number_text

COUNTS = ("steps", "restarts", "targets", "queries")
STANDARD = {"steps": 100, "targets": 9, "queries": 5000}  # AutoAttack's standard version


def attack_told(line: Line) -> str:
    """Of a cell's resolved profile: "eps 8/255, 10 steps of 2/255", "±180°"; empty for all the clean images."""
    (profile,), (x,) = line.profiles.values(), line.at.values()
    settings, images = profile.settings, profile.settings["images"]
    parts = [f"first {images:,} images"] if images else []
    if not METRICS[line.metric].climbs:
        return ", ".join(parts)
    return ", ".join([*_told(settings, x), *parts])


def labels_told(lines: list[Line]) -> str:
    """The sentence that names the label which the attacks of some lines climb; empty where none climbs one."""
    found = {
        climbed(profile.settings, METRICS[line.metric].climbs)[0]
        for line in lines
        for profile in line.profiles.values()
    } - {""}
    if found == {PREDICTED}:
        return "1 − fooling rate: PGD climbs the predicted label; the CSV has the true label's as well."
    if found == {TRUE}:
        return "Attacks climb the true label."
    return (
        "Attacks climb the predicted label for 1 − fooling rate, the true one for accuracy." if found else ""
    )


def _told(settings: dict, x: float) -> list[str]:
    moves = {
        "rotate": f"±{x:g}°",
        "translate": f"±{x:g} of the side",
        "rotate_translate": f"±{x:g}, ±{180 * x:g}°",
    }
    if "transform" in settings:
        return [moves[settings["transform"]]] if x else []
    if settings["attack"] == "spatial":
        shifts = f"{settings['shifts']} × {settings['shifts']} shifts of up to {settings['pixels']:g} px"
        return [
            f"worst of {settings['turns']} rotations in ±{x:g}°"
            + (f" and {shifts}" if settings["shifts"] > 1 else "")
        ]
    counts = {key: f"{settings[key]:,} {key}" for key in COUNTS if settings.get(key)}
    if settings.get("restarts") == 1:
        del counts["restarts"]
    if settings["attack"] == "autoattack":
        standard = all(settings[key] == full for key, full in STANDARD.items())
        counts = {"": "standard version"} if standard else {"": "not the standard version"} | counts
        counts |= {} if settings["targeted_apgd"] else {"attacks": "of APGD-CE, targeted FAB and Square"}
    if "steps" in counts and "step" in settings:
        counts["steps"] += f" of {step_told(settings['step'])}"
    return [f"{'L2 ' if settings['norm'] == 'l2' else ''}eps {number_text(x)}", *counts.values()] if x else []


def step_told(step: float | str | dict) -> str:
    """A profile's step: "2/255", "0.25 eps", "2.5 eps / steps"."""
    if isinstance(step, dict):
        return f"{step['of_eps']:g} eps"
    return "2.5 eps / steps" if step == "relative" else number_text(step)
