"""The list of targets: a line for each figure and table, with what it shows, what it costs and whether it is done."""

from pandas import DataFrame

from spatial_adversarial.catalog import Target
from spatial_adversarial.panels import TARGETS
from spatial_adversarial.planning.plan import Plan
from spatial_adversarial.planning.reach import amount, beyond_reach
from spatial_adversarial.results.finished import is_done


def target_list(plan: Plan) -> str:
    """A heading, a line for each target, and how to ask for one.

    Columns: paper, target, kind (figure, table or theory), data, networks (keys of the registry), runs (done/all),
    the hours of all its training and evaluation, and whether its files are there. Runs that targets share count, with
    their hours, for each of them.
    """
    table, targets = plan.table(), plan.catalog.targets.values()
    rows = [
        _row(plan, target, row) for target, row in zip(targets, table.iloc[:-1].itertuples(), strict=True)
    ]
    columns = ["paper", "target", "kind", "data", "networks", "runs", plan.rates.unit, "done"]
    lines = _aligned([columns, *rows])
    return "\n".join([*lines, "", *_notes(plan, table)])


def _row(plan: Plan, target: Target, row) -> list[str]:
    panels = [panel for panel in target.panels if not panel.reason]
    data = dict.fromkeys([panel.data for panel in panels] or filter(None, [target.spec.get("data")]))
    networks = dict.fromkeys([panel.model for panel in panels] or target.spec.get("networks", {}))
    return [
        target.paper,
        target.name,
        TARGETS[target.kind].label,
        ",".join(data) or "-",
        ",".join(networks) or "-",
        f"{row.runs_done}/{row.runs}",
        amount(row.train_hours + row.evaluate_hours),
        "yes" if is_done(plan.paths, target) else "no",
    ]


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows of cells as lines in columns, the last one unpadded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _notes(plan: Plan, table: DataFrame) -> list[str]:
    total = table.iloc[-1]
    hours = total["train_hours"] + total["evaluate_hours"]
    return [
        f"{plan.rates.unit}: {plan.rates.source}; all targets together {amount(hours)}, shared runs counted once.",
        f"Make one: snakemake --cores 2 {plan.paths.figure('<paper>', '<target>')}, or a table: "
        f"{plan.paths.table('<paper>', '<target>', 'csv')}; a whole paper by its name.",
        *beyond_reach(total["hours_left"], plan.rates, plan.catalog.config),
    ]
