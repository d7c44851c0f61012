"""Seeds from one place: each random stream has a name, and its seed is a hash of the run's seed and that name."""

import hashlib


def derive(seed: int, *names: str | int) -> int:
    """A seed in [0, 2**63) for the stream so named; streams with different names are independent."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def unit_draw(seed: int, *names: str | int) -> float:
    """A number in [0, 1), uniform over the names: a draw that no stream has to be kept for."""
    return (derive(seed, *names) >> 10) / 2**53
