"""From a panel of the YAML to what it draws: its members, and the profile and metric of each of its lines."""

from dataclasses import replace

from spatial_adversarial.catalog import budget, published, survivors
from spatial_adversarial.catalog.families import resolve_members
from spatial_adversarial.catalog.profiles import complete, fitted
from spatial_adversarial.catalog.specs import Scope
from spatial_adversarial.panels import PANELS, kind_of
from spatial_adversarial.records.panel import Line, Member, Panel, Profile
from spatial_adversarial.records.reading import CatalogError, choose, lookup
from spatial_adversarial.settings.numbers import number_text

NOT_SETTINGS = ("label", "metric", "unit")


def expand_panels(figure: dict, where: str) -> dict[str, dict]:
    """{letter: panel}, groups such as "a b: {profile: [rotation, pgd]}" dealt out letter by letter."""
    dealt = {}
    for letters, panel in figure.get("panels", {}).items():
        names = str(letters).split()
        for key, value in panel.items():
            if isinstance(value, list) and key in ("profile", "metric", "lines") and len(value) != len(names):
                raise CatalogError(
                    f"{where}.panels.{letters}.{key}: {len(value)} values for {len(names)} letters"
                )
        for k, name in enumerate(names):
            if name in dealt:
                raise CatalogError(f"{where}.panels.{letters}: panel {name!r} is there twice")
            part = {
                key: value[k] if isinstance(value, list) and key in ("profile", "metric", "lines") else value
                for key, value in panel.items()
            }
            dealt[name] = ({"data": figure["data"]} if "data" in figure else {}) | part
    return dealt


def resolve_panel(letter: str, panel: dict, scope: Scope, where: str) -> Panel:
    """A panel of the YAML as runs and evaluations; raises CatalogError for anything unknown or missing."""
    kind = panel.get("kind") or kind_of(panel)
    _check_keys(panel, kind, where)
    data = lookup("data set", panel["data"], scope.registry["data"], f"{where}.data")
    model = lookup("model", panel["model"], scope.registry["models"], f"{where}.model")
    family = scope.find("families", panel["family"], f"{where}.family")
    only = scope.config.get("only_data")
    refused = ""
    try:
        members = resolve_members(panel["data"], panel["model"], panel["family"], scope)
    except budget.BudgetError as error:
        members, refused = [], str(error)
    used = scope.config["stand_ins"].get(panel["data"], panel["data"])
    label = lookup("data set", used, scope.registry["data"], "config: stand_ins")["label"]
    frame = Panel(
        letter=letter,
        kind=kind,
        data=used,
        model=panel["model"],
        group=model.get("group", "z2"),
        family=panel["family"],
        title=", ".join(filter(None, (label, model["label"], family["label"], robust_images_words(members)))),
        strength=family.get("strength", ""),
        space=panel.get("space", "pixel"),
        members=tuple(members),
        curve=panel.get("curve", ""),
        reason=refused if only is None or panel["data"] in only else f"{data['label']} is not in only_data",
    )
    if refused:
        return frame
    try:
        frame = replace(frame, members=_of_strengths(frame.members, panel, scope, where))
        return replace(frame, lines=tuple(_lines(frame, panel, scope, where)))
    except budget.BudgetError as refused:
        return replace(frame, reason=frame.reason or str(refused))


def _of_strengths(members: tuple[Member, ...], panel: dict, scope: Scope, where: str) -> tuple[Member, ...]:
    """Those of a panel's members that it names by its `strengths`, if it does; BudgetError where some were left out."""
    if "strengths" not in panel:
        return members
    chosen = tuple(member for member in members if member.strength in panel["strengths"])
    if len(chosen) != len(panel["strengths"]):
        missing = f"{where}.strengths: not all of {panel['strengths']} are trained in {panel['family']!r}"
        raise budget.mistake(scope.config["budget"], "members", missing)
    return chosen


def robust_images_words(members: tuple[Member, ...]) -> str:
    """Whose robust images D_R is that these runs mix in; empty where they mix in none."""
    mixed = {member.recipe["mix"]["of"] == "released" for member in members if member.recipe["mix"]}
    return {(): "", (False,): "our D_R", (True,): "D_R as released"}[tuple(mixed)]


def _check_keys(panel: dict, kind: str, where: str) -> None:
    """A panel has the one key that says what its kind draws, and none of another kind's; raises CatalogError."""
    needs = PANELS[kind].needs
    for key in ("data", "model", "family", needs):
        if key not in panel:
            raise CatalogError(f"{where}: a panel needs {key!r}")
    for key in ("profile", "lines"):
        if key in panel and key != needs:
            raise CatalogError(f"{where}.{key}: a panel of kind {kind!r} has none")


def _lines(panel: Panel, spec: dict, scope: Scope, where: str):
    drawn = PANELS[panel.kind].lines(spec, lambda name: scope.find("lines", name, f"{where}.lines"))
    lines = [resolve_line(panel, line, spec["data"], scope, where) for line in drawn]
    if not lines or "published" not in spec:
        return lines
    named = published.named(scope.registry, scope.file, data=spec["data"], model=spec["model"])
    return [
        replace(
            line, points=published.curve(scope.file, named, line.metric, spec, wanted, f"{where}.published")
        )
        for line, wanted in zip(lines, drawn, strict=True)
    ]


def resolve_line(panel: Panel, line: dict, data: str, scope: Scope, where: str) -> Line:
    """A line of a panel, or a cell of a table's row: a profile of each member, at all points or at one."""
    found = scope.find("profiles", line["profile"], f"{where}.profile")
    at = None
    if "at" in line:
        point = choose(line["at"], {"by_data": data, "by_model": panel.model}, where)
        at = {m.path: m.strength if point == "strength" else point for m in panel.members}
    profiles = {
        m.path: resolve_profile(line["profile"], found, data, panel, m, scope, at and at[m.path])
        for m in panel.members
    }
    for path, x in (at or {}).items():
        if x not in profiles[path].settings["grid"]:
            missing = f"{where}: {line['label']}: {number_text(x)} is not on the grid of {line['profile']!r}"
            raise budget.mistake(scope.config["budget"], "points", missing)
    return Line(line.get("label", found["label"]), line.get("metric") or found["metric"], profiles, at)


def _source(data: str, source: dict, scope: Scope, where: str) -> str:
    """The one run whose network a transfer attack is made on; raises CatalogError."""
    lookup("model", source["model"], scope.registry["models"], f"{where}.source.model")
    scope.find("families", source["family"], f"{where}.source.family")
    made = resolve_members(data, source["model"], source["family"], scope)
    if len(made) != 1:
        raise CatalogError(f"{where}.source.family: {source['family']!r} has {len(made)} members, not one")
    return made[0].path


def resolve_profile(
    key: str,
    found: dict,
    data: str,
    panel: Panel,
    member: Member,
    scope: Scope,
    shown: float | None = None,
    after: tuple[str, ...] = (),
) -> Profile:
    """A profile's settings for one member: its grid thinned but for the point `shown`, its images limited.

    after: the profiles that attack its survivors.
    """
    where = scope.place("profiles", key)
    settings = {name: value for name, value in found.items() if name not in NOT_SETTINGS}
    if panel.space == "normalized" and "attack" in found:  # the space of an attack; a turned image knows none
        settings = settings | {"space": "normalized"}
    by = {"by_data": data, "by_model": panel.model}
    settings = choose(settings, by, where)
    settings["input"] = {
        k: member.strength if v == "strength" else v for k, v in settings.get("input", {}).items()
    }
    wanted = choose(scope.config["budget"].get("points"), by, "config: budget.points")
    settings["grid"] = budget.thin(settings["grid"], wanted, key, "config: budget.points", shown)
    wanted = choose(scope.config["budget"].get("test_images"), by, "config: budget.test_images")
    sample = budget.by_name(key, wanted)
    settings |= {"sample": sample} if sample else {}
    settings |= {"source": _source(data, settings["source"], scope, where)} if "source" in settings else {}
    smaller, named = None, settings.get("survivors_of")
    if named:
        at = f"{where}: survivors_of"
        if named in (*after, key):
            raise CatalogError(f"{at}: {named!r} comes back to itself")
        theirs = scope.find("profiles", named, at)
        smaller = resolve_profile(named, theirs, data, panel, member, scope, after=(*after, key)).settings
        settings |= {"survivors_of": survivors.reference(named, smaller)}
    settings = fitted(complete(settings, where), scope.registry["data"][panel.data], where)
    if smaller:
        survivors.check(settings, at, smaller)
    return Profile(key, found["label"], found["metric"], found["unit"], settings)
