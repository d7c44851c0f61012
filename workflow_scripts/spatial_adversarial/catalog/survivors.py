"""`survivors_of`: that a profile may attack only what withstood the one that it names."""

from spatial_adversarial.records.reading import CatalogError
from spatial_adversarial.records.survivors import smaller
from spatial_adversarial.settings.numbers import number_text

DIFFERING = ("grid", "sample", "survivors_of")  # in which the two may differ


def reference(name: str, settings: dict) -> dict:
    """What the canonical form says of the named profile: its name, and in what it may differ."""
    return {"profile": name} | {key: settings[key] for key in DIFFERING}


def check(settings: dict, where: str, theirs: dict) -> None:
    """The named profile, of settings `theirs`, is the same attack at one smaller eps, on no fewer of the same images.

    Raises CatalogError naming `where`.
    """
    name, _ = smaller(settings)
    for key in sorted(settings.keys() - set(DIFFERING)):
        if settings[key] != theirs.get(key):
            raise CatalogError(f"{where}: {name!r} has {key}: {theirs.get(key)}, not {settings[key]}")
    least = min(settings["grid"])
    if len(theirs["grid"]) > 1 or theirs["grid"][0] >= least:
        points = ", ".join(number_text(x) for x in theirs["grid"])
        raise CatalogError(
            f"{where}: the grid of {name!r}, {points}, is not one eps below {number_text(least)}"
        )
    ours, others = (one["sample"] or float("inf") for one in (settings, theirs))
    if others < ours or (others != ours and any(settings["input"].values())):
        counts = [f"{one['sample']:,}" if one["sample"] else "all" for one in (settings, theirs)]
        raise CatalogError(f"{where}: {name!r} is evaluated on {counts[1]} images, and this on {counts[0]}")
