"""Claims on a table of results: cells, differences of rows, the best of a column, fronts; on ours and as published."""

from collections.abc import Callable, Iterator

from spatial_adversarial.judging import fronts
from spatial_adversarial.judging.columns import Column, column_of
from spatial_adversarial.judging.extremes import greatest, least, part
from spatial_adversarial.judging.target_numbers import Numbers
from spatial_adversarial.judging.verdicts import NotInformative, NotRun, judge, judge_interval
from spatial_adversarial.records.tidy import least_status
from spatial_adversarial.statistics.intervals import at_end, difference, interval


def _cell(column: Column, level: float, row: str | int) -> tuple:
    found = column.of(row)
    return interval(found, level), [found]


def _gain(column: Column, level: float, rows: list) -> tuple:
    first, second = map(column.of, rows)
    return difference(first, second, level), [first, second]


def _best(column: Column, level: float, row: str | int, rows: list | None = None) -> tuple:
    row_sample = column.of(row)
    others = [column.of(name) for name in column.among(rows or column.samples) if name != str(row)]
    if not others:
        raise NotRun("no other row has a number")
    return least([part(difference(row_sample, one, level), level) for one in others], level), [
        row_sample,
        *others,
    ]


def _gap(column: Column, to: Column, level: float, below: bool, rows: list | None = None) -> tuple:
    asked = rows or _all_rows([column, to])
    pairs = [(column.of(row), to.of(row)) for row in to.among(column.among(asked))]
    apart = [pair for pair in pairs if not at_end(pair)]
    if not apart:
        raise NotInformative("both columns are at one floor or ceiling")
    parts = [part(difference(*pair, level), level) for pair in apart]
    return (greatest if below else least)(parts, level), []  # within networks: no training is compared


# name in a paper's file: (what it is, (its interval, the samples compared) of a column)
OF_ONE: dict[str, tuple[str, Callable[..., tuple]]] = {
    "cell": ("value of a cell", _cell),
    "gain": ("first row less second", _gain),
    "best": ("row less the best of the other rows", _best),
}
# the same of two columns; what `adds` is judged by stands third
OF_TWO: dict[str, tuple[str, Callable[..., tuple]]] = {
    "gap": ("of the rows' differences of this column and another, the one nearest to the line", _gap),
    "area": ("area dominated with another column, less that of each other row: the least", fronts.area),
    "ahead": ("lead over another row in the better of two columns: the least", fronts.ahead),
    "adds": ("area that the row adds to what the others dominate", fronts.adds),
    "nearer": ("distance to the front of all rows, less that of each other row: the greatest", fronts.nearer),
}
CELL_STATISTICS = OF_ONE | OF_TWO
LIST_BY_LIST = ("adds", "nearer")  # each of their `rows` is judged in a row of its own
OF_EVERY_ROW = ("best", *OF_TWO)  # a row that was not run could refute what holds of the others
OF_THE_TABLE = ("best", "gap")  # these name no rows where they mean all


def judge_cells(test: dict, numbers: Numbers, level: float) -> Iterator[dict]:
    """The rows of the claims table for a test on a table of results: each column on ours, then as published.

    Published numbers have no interval: they are judged as they are, where all that the test needs is published.
    """
    key = next(key for key in test if key in CELL_STATISTICS)
    for name in test["columns"]:
        for source, column in (("ours", "value"), ("published", "published")):
            for parameters in _one_by_one(key, test[key]):
                row = _judge(key, parameters, test, name, numbers, column, level)
                if source == "ours" or row["verdict"] != "not run":
                    yield {"panel": name, "source": source} | row


def _one_by_one(key: str, parameters: dict) -> list[dict]:
    if key not in LIST_BY_LIST:
        return [parameters]
    shared = {name: value for name, value in parameters.items() if name != "rows"}
    return [shared | {"row": row} for row in parameters["rows"]]


def _judge(
    key: str, parameters: dict, test: dict, name: str, numbers: Numbers, source: str, level: float
) -> dict:
    what, statistic = CELL_STATISTICS[key]
    parameters = dict(parameters)
    if key in LIST_BY_LIST:
        what = f"row {parameters['row']}: {what}"
    if parameters.get("reference"):
        what += f", from {parameters['reference']:g} in both"
    try:
        columns = [column_of(numbers, name, source)]
        for other, row in test.get("needs", {}).items():
            column_of(numbers, other, source).of(row)
        if "to" in parameters:
            columns.append(column_of(numbers, parameters.pop("to"), source))
        asked = _all_rows(columns) if _means_all(key, parameters) else _asked(parameters)
        what += _share(asked, columns)
        parameters |= {"below": "below" in test} if key == "gap" else {}
        found, compared, *decides = statistic(*columns, level=level, **parameters)
        for column in columns if key in OF_TWO and key != "gap" else ():
            _check_apart(column, parameters)
        cells = judge_interval(found, what, test, compared)
        if decides:
            cells |= {"verdict": judge(decides[0], test)[1]}
        if cells["verdict"] == "holds" and key in OF_EVERY_ROW and _some_not_run(asked, columns):
            cells |= {"verdict": "undecided"}
    except NotRun as missing:
        return {"verdict": "not run", "status": "not run", "statistic": f"{what}: {missing}"}
    except NotInformative as reason:
        cells = {"verdict": "not informative", "statistic": f"{what}: {reason}"}
    return {"status": "run" if source == "published" else _status(numbers, name, test[key])} | cells


def _status(numbers: Numbers, name: str, parameters: dict) -> str:
    """That of the least of the rows that a test names, of all where it names none, in the columns that it is on."""
    rows, asked = numbers.rows, _asked(parameters)
    rows = rows[rows.column.isin([name, parameters.get("to", name)])]
    return least_status(rows.status[rows.panel.isin(asked)] if asked else rows.status)


def _asked(parameters: dict) -> list[str]:
    """The rows that a test names."""
    named = [*(parameters.get("rows") or []), *parameters.get("over", [])]
    named += [parameters["row"]] if "row" in parameters else []
    return list(dict.fromkeys(map(str, named)))


def _means_all(key: str, parameters: dict) -> bool:
    return key in OF_THE_TABLE and not parameters.get("rows")


def _all_rows(columns: list[Column]) -> list[str]:
    """The rows of the table that have all columns: a method is best of those that ran, not of all."""
    return [row for row in columns[0].rows if all(row in column.rows for column in columns)]


def _share(asked: list[str], columns: list[Column]) -> str:
    """Of how many of the rows that a test is about the statistic is, where it is not of all."""
    found = [row for row in asked if all(row in column.samples for column in columns)]
    return f" ({len(found)} of {len(asked)} rows)" if len(found) < len(asked) else ""


def _some_not_run(asked: list[str], columns: list[Column]) -> bool:
    """Whether a row has no number, rather than that of a network not shown to have learnt."""
    left = [row for row in asked if not any(row in column.lost for column in columns)]
    return any(row not in column.samples for row in left for column in columns)


def _check_apart(column: Column, parameters: dict) -> None:
    """NotInformative where all rows of one of two columns are at one floor or ceiling: they make no front."""
    samples = [column.samples[row] for row in _asked(parameters) if row in column.samples]
    if len(samples) > 1 and at_end(samples):
        raise NotInformative(f"in one column all rows are at {100 * samples[0].value:g}%")
