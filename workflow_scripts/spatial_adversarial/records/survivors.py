"""A profile that attacks only what withstood the same attack at a smaller eps, and the profile of that eps.

An image that is fooled in the smaller ball is fooled in the larger one, which holds it.
"""

from spatial_adversarial.records.identity import digest, identity


def file_name(key: str, settings: dict) -> str:
    """<key>[-normalized]-<hash> of a profile's evaluations: settings that differ never share a file."""
    space = "" if settings["space"] == "pixel" else "-normalized"
    return f"{key}{space}-{digest(identity(settings, 'profile'), 6)}"


def smaller(settings: dict) -> tuple[str, dict] | None:
    """(key, canonical settings) of the profile whose survivors a canonical profile attacks; None if it attacks all."""
    if not settings.get("survivors_of"):
        return None
    differing = dict(settings["survivors_of"])
    return differing.pop("profile"), settings | differing


def smaller_file(settings: dict) -> str | None:
    """The name of the evaluations of that profile."""
    found = smaller(settings)
    return found and file_name(*found)


def with_smaller(key: str, settings: dict) -> dict[str, dict]:
    """{name of its evaluations: settings} of a profile, of the one whose survivors it attacks, and so on."""
    found = smaller(settings)
    return {file_name(key, settings): settings} | (with_smaller(*found) if found else {})


def in_order(files: dict[str, dict]) -> dict[str, dict]:
    """{file: settings} of profiles, each after the one whose survivors it attacks."""

    def depth(settings: dict) -> int:
        found = smaller(settings)
        return 1 + depth(found[1]) if found else 0

    return dict(sorted(files.items(), key=lambda pair: depth(pair[1])))
