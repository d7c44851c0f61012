"""A figure's tidy CSV, which is given away: its checksum lies beside it, and both are asked before it is drawn."""

from pathlib import Path

import pandas as pd

from spatial_adversarial.metrics import METRICS
from spatial_adversarial.results.store import read_rows
from spatial_adversarial.runner.files import digest, write_atomic

SHARES = {name for name, metric in METRICS.items() if metric.is_share}
NUMBERS = ("value", "low", "high")
ROUNDING = 1e-9  # by which the end of an interval may miss 0 or 1
UNCHECKED = "set redraw: {unchecked: true} in the config for a CSV made or changed by hand"


def beside(csv: str | Path) -> Path:
    """<csv>.sha256, which `sha256sum --check` reads too."""
    return Path(f"{csv}.sha256")


def write_tidy(csv: str | Path, rows: pd.DataFrame) -> None:
    """Write tidy rows, and then their checksum beside them."""
    with write_atomic(csv) as temporary:
        rows.to_csv(temporary, index=False)
    with write_atomic(beside(csv)) as temporary:
        temporary.write_text(_line(csv), encoding="utf-8")


def read_tidy(csv: str | Path, paper: str, target: str, *, unchecked: bool = False) -> pd.DataFrame:
    """Tidy rows of a figure.

    ValueError, one line, where they are another figure's or hold a share that is none, and, but for `unchecked`, where
    they are not what the workflow wrote, by the checksum beside them.
    """
    if not unchecked:
        if not beside(csv).exists():
            raise ValueError(f"{csv}: {beside(csv).name} is not beside it: {UNCHECKED}")
        if beside(csv).read_bytes() != _line(csv).encode():
            raise ValueError(f"{csv}: damaged, or changed by hand (see {beside(csv).name}): {UNCHECKED}")
    try:
        rows = read_rows(csv)
        others = rows[(rows.paper != paper) | (rows.target != target)]
        shares = rows[rows.metric.isin(SHARES)][list(NUMBERS)].astype(float)
    except (ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{csv}: no tidy rows ({' '.join(str(error).split())[:120]})") from None
    if len(others) or not len(rows):
        found = f"{others.paper.iloc[0]} {others.target.iloc[0]}" if len(rows) else "nothing"
        raise ValueError(f"{csv}: rows of {found}, not of {paper} {target}")
    for name in NUMBERS:
        for k, value in shares[name].dropna().items():
            if not -ROUNDING <= value <= 1 + ROUNDING:
                raise ValueError(
                    f"{csv}: line {k + 2}: {name} {value:g} of {rows.metric[k]}, expected 0 to 1"
                )
    for k in shares.index[shares.low > shares.high]:
        raise ValueError(f"{csv}: line {k + 2}: low {shares.low[k]:g} is above high {shares.high[k]:g}")
    return rows


def _line(csv: str | Path) -> str:
    return f"{digest(csv)}  {Path(csv).name}\n"
