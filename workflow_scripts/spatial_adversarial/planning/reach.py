"""Whether a machine can do what is planned: its days, and the smaller sizes of the same workflow where it cannot."""

import os

from spatial_adversarial.planning.costs import Rates

DAYS = 7  # beyond these a user does not wait
SMALLER = (
    "Smaller: two nights on two cores with real data (bash profiles/overnight/nights.sh), or half an hour on "
    "handwritten digits (snakemake --profile profiles/demo)."
)


def beyond_reach(hours: float, rates: Rates, config: dict) -> list[str]:
    """Lines on how long `hours` of work take on this machine's cores, or on one GPU; none within DAYS days."""
    jobs = max(1, os.cpu_count() // config["threads"]) if rates.device == "cpu" else 1
    days = hours / jobs / 24
    if days <= DAYS:
        return []
    device = f"the {os.cpu_count()} cores of this machine" if rates.device == "cpu" else "one GPU"
    return [f"On {device} that is some {amount(days)} days. {SMALLER}"]


def amount(value: float) -> str:
    """Hours, days or gigabytes to two digits, and at least in whole ones."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
