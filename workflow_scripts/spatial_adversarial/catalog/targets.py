"""The targets of a paper: its figures and tables, each with the panels that it is computed from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from spatial_adversarial.catalog import (
    attack_check,
    external_models,
    optional_rows,
    pareto_figures,
    table_rows,
)
from spatial_adversarial.catalog.budget import by_name
from spatial_adversarial.catalog.panel_specs import expand_panels, resolve_panel
from spatial_adversarial.catalog.specs import Scope, Specs
from spatial_adversarial.panels import PANELS, TARGETS
from spatial_adversarial.records.identity import run_and_weights
from spatial_adversarial.records.panel import Panel, base_letter
from spatial_adversarial.records.reading import CatalogError, lookup, merge, validate
from spatial_adversarial.theory.bounds import CLASSIFIERS, STATEMENTS

LEFT_OUT = "left out by budget.panels"


@dataclass(frozen=True)
class Target:
    """A figure or table of a paper: `spec` is its resolved YAML, `panels` what its rows are computed from."""

    paper: str
    name: str
    kind: str  # panels, theory, pareto, architectures, results
    title: str
    columns: int
    spec: dict
    panels: tuple[Panel, ...] = ()

    @property
    def is_table(self) -> bool:
        return TARGETS[self.kind].is_table

    @property
    def has_aggregate(self) -> bool:
        """Whether its rows are computed in a job of their own."""
        return TARGETS[self.kind].has_aggregate

    def paths(self) -> list[str]:
        """The runs, without seeds, that the target needs, those with them that transfer attacks are made on."""
        run = [panel for panel in self.panels if not panel.reason]
        external = [m.path for panel in run for m in panel.members]
        profiles = [one for panel in run for line in panel.lines for one in line.profiles.values()]
        sources = [profile.settings["source"] for profile in profiles if profile.settings.get("source")]
        return list(dict.fromkeys(run_and_weights(path)[0] for path in (*external, *sources)))

    def evaluations(self) -> list[tuple[str, str]]:
        """The (run without seed, profile file) pairs that the target needs."""
        pairs = [
            (path, file)
            for panel in self.panels
            if not panel.reason
            for line in panel.lines
            for path, profile in line.profiles.items()
            for file in profile.evaluations()
        ]
        return list(dict.fromkeys(pairs))

    def chosen_by_validation(self) -> set[str]:
        """The rows among which a row is chosen by its accuracy on validation images."""
        return TARGETS[self.kind].chosen_by_validation(self.spec)

    def histories(self) -> list[str]:
        """The runs, without seeds, whose training history the target draws or chooses by."""
        chosen, found = self.chosen_by_validation(), []
        for panel in self.panels:
            if not panel.reason:
                found += PANELS[panel.kind].histories(panel)
                found += [member.path for member in panel.members] if panel.letter in chosen else []
        return list(dict.fromkeys(run_and_weights(path)[0] for path in found))

    def slices(self) -> list[tuple[str, str]]:
        """The pairs of runs between whose boundaries the target draws a slice."""
        run = [panel for panel in self.panels if not panel.reason]
        return [pair for panel in run for pair in PANELS[panel.kind].slices(panel)]


def targets_of(paper: str, specs: Specs, scope: Scope) -> Iterator[Target]:
    """The resolved figures and tables of a paper; raises CatalogError."""
    figures = specs.paper(paper).get("figures", {})
    tables = specs.paper(paper).get("tables", {})
    both = scope.config["robust_images"] == "both"
    for name, spec in (*figures.items(), *tables.items()):
        if name in figures and name in tables:
            raise CatalogError(f"{scope.file}: tables.{name}: a figure has this name")
        if "robust_images" not in spec or both:
            images = spec.get("robust_images", scope.robust_images)
            make = _figure if name in figures else _table
            target = make(paper, name, specs, replace(scope, robust_images=images))
            yield _with_title_of_stand_ins(target, specs)
    for name in attack_check.asked_for(paper, specs):
        yield _with_title_of_stand_ins(_attack_check(paper, name, specs, scope), specs)


def _with_title_of_stand_ins(target: Target, specs: Specs) -> Target:
    """The target, its title telling what was run: "digits in place of MNIST" where the paper's has "MNIST".

    What the title does not name stands in brackets after it.
    """
    used = {panel.data for panel in target.panels} | {target.spec.get("data")}
    title, unnamed = target.title, []
    for full, small in specs.config["stand_ins"].items():
        name, stand_in = (specs.registry["data"][key]["label"] for key in (full, small))
        words = f"{stand_in} in place of {name}"
        found = re.search(rf"\b{re.escape(name)}\b", title)
        if found and small in used:
            title = title[: found.start()] + words + title[found.end() :]
        elif small in used:
            unnamed.append(words)
    return replace(target, title=title + (f" ({', '.join(unnamed)})" if title and unnamed else ""))


def _figure(paper: str, name: str, specs: Specs, scope: Scope) -> Target:
    where = f"{scope.file}: figures.{name}"
    spec = specs.written_out(paper, "figures", name)
    kind = spec.get("kind", "panels")
    title, columns = spec.get("title", ""), spec.get("columns", 2)
    if kind == "theory":
        return Target(paper, name, kind, title, columns, _theory(paper, name, spec, specs, where))
    if kind == "pareto":
        if "methods" in spec:
            spec = optional_rows.figure(spec, specs.left_out(paper))
        drawn, rows = pareto_figures.resolve(paper, spec, specs.tables(paper), scope, where)
        return Target(paper, name, kind, title, 2, drawn, rows)
    dealt = _dealt(paper, name, spec, specs, where)
    panels = tuple(resolve_panel(k, panel, scope, f"{where}.panels.{k}") for k, panel in dealt.items())
    kept = by_name(f"{paper}/{name}", specs.config["budget"].get("panels", {}))
    kept = list(dealt) if kept is None else kept
    for k in kept:
        lookup("panel", k, dealt, f"config: budget.panels.{paper}/{name}")
    kept = {*kept, *(k for k in dealt if base_letter(k) in kept)}
    panels = tuple(p if p.reason or p.letter in kept else replace(p, reason=LEFT_OUT) for p in panels)
    return Target(paper, name, kind, title, columns, {"note": spec.get("note", "")}, panels)


def _dealt(paper: str, name: str, spec: dict, specs: Specs, where: str) -> dict[str, dict]:
    """A figure's panels in the YAML by letter, those of the user's own models among them."""
    dealt = expand_panels(spec, where)
    dealt = {k: lookup("panel", k, dealt, f"{where}.only") for k in spec.get("only", dealt)}
    dealt |= external_models.panels(dealt, specs.config["own"], f"{paper}/{name}")
    if not dealt:
        raise CatalogError(f"{where}: a figure needs panels")
    return dealt


def _attack_check(paper: str, name: str, specs: Specs, scope: Scope) -> Target:
    """The attack check of a figure: a figure more, <name>_attack_check."""
    where = f"{scope.file}: figures.{name}"
    spec = specs.written_out(paper, "figures", name)
    if TARGETS[spec.get("kind", "panels")].made_of != "panels":
        raise CatalogError(f"config: attack_check: {paper}/{name} has no panels")
    dealt = attack_check.panels(_dealt(paper, name, spec, specs, where), scope, f"{paper}/{name}")
    panels = tuple(resolve_panel(k, panel, scope, f"{where}.panels.{k}") for k, panel in dealt.items())
    title, columns = f"{spec.get('title', '')}: attack check", min(2, len(panels))
    shown = {"note": attack_check.note(panels)}
    return Target(paper, f"{name}_attack_check", "panels", title, columns, shown, panels)


def _theory(paper: str, name: str, spec: dict, specs: Specs, where: str) -> dict:
    if "settings" not in spec:
        raise CatalogError(f"{where}: a theory figure needs 'settings'")
    for k, panel in spec["settings"]["panels"].items():
        place = f"{where}.settings.panels.{k}.statement"
        lookup("statement", panel["statement"], STATEMENTS.get(paper, {}), place)
        for classifier in panel.get("classifiers", []):
            place = f"{where}.settings.panels.{k}.classifiers"
            lookup("classifier", classifier, dict.fromkeys(CLASSIFIERS), place)
    settings = merge(spec["settings"], specs.config["overrides"].get("theory", {}))
    validate("paper", {"figures": {name: {"settings": settings}}}, "config: overrides.theory")
    return {"settings": settings}


def _table(paper: str, name: str, specs: Specs, scope: Scope) -> Target:
    where = f"{scope.file}: tables.{name}"
    spec = specs.tables(paper)[name]
    if TARGETS[spec["kind"]].made_of == "rows":
        tables, profiles = specs.tables(paper), scope.shared["profiles"] | scope.paper.get("profiles", {})
        spec = external_models.with_rows(spec, specs.config["own"], f"{paper}/{name}", profiles)
        described, rows = table_rows.resolve(paper, name, tables | {name: spec}, scope)
        return Target(paper, name, spec["kind"], spec.get("title", ""), 1, described, rows)
    for key in ("models", "data"):
        if key not in spec:
            raise CatalogError(f"{where}: a table needs {key!r}")
    for model in spec["models"]:
        lookup("model", model, specs.registry["models"], f"{where}.models")
    lookup("data set", spec["data"], specs.registry["data"], f"{where}.data")
    # nothing is trained for it, so it is of the full-size networks, whatever stands in for them elsewhere
    networks = {m: external_models.network_spec(specs.full_width(m), f"models.{m}") for m in spec["models"]}
    spec = spec | {"networks": networks}
    return Target(paper, name, spec["kind"], spec.get("title", ""), 1, spec)
