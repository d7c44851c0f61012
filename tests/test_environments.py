"""The files in envs/ that follow from the pins agree with them, and conda's stands alone."""

import re
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[1] / "envs"
RENEW = "run bash envs/renew.sh"


def pins(name: str) -> list[str]:
    """The pinned packages of a requirements file and of those that it includes, "name==version"."""
    lines = (ENVS / name).read_text(encoding="utf-8").splitlines()
    included = [match[1] for line in lines if (match := re.match(r"-r (\S+)", line))]
    return [pin for other in included for pin in pins(other)] + [
        match[0] for line in lines if (match := re.match(r"[\w.-]+==[\w.]+", line))
    ]


def locked(name: str) -> dict[str, list[str]]:
    """{pin: its hashes} of a lock."""
    text = (ENVS / name).read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+==[^\s;]+)[^\n]*((?:\n +--hash=sha256:[0-9a-f]{64}(?: \\)?)*)", text, re.M)
    return {pin: re.findall(r"sha256:[0-9a-f]{64}", hashes) for pin, hashes in found}


def test_condas_environment_has_the_pins_and_names_no_other_file():
    environment = yaml.safe_load((ENVS / "environment.yaml").read_text(encoding="utf-8"))
    packages = environment["dependencies"][-1]["pip"]
    assert packages == pins("requirements.txt"), RENEW
    assert not [line for line in packages if line.startswith("-")], "Snakemake copies this file alone"


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("requirements.lock", ["requirements.txt"]),
        ("requirements-dev.lock", ["requirements-dev.txt", "requirements-slurm.txt"]),
    ],
)
def test_a_lock_has_every_pin_and_a_hash_of_every_package(lock, requirements):
    found = locked(lock)
    assert {pin for name in requirements for pin in pins(name)} <= set(found), RENEW
    assert [pin for pin, hashes in found.items() if not hashes] == []
    assert len(found) > 80, "the whole closure"


def test_the_container_is_built_from_the_lock():
    assert "--require-hashes -r /tmp/requirements.lock" in (ENVS / "Dockerfile").read_text(encoding="utf-8")
