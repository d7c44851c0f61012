"""Write Snakemake's report of finished results, by a Snakemake of its own with the same configuration."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from spatial_adversarial.runner.job import job


def make_report(config: dict, files: list[str], output: str) -> None:
    """Write the report of `files` as a zip. Raises RuntimeError with Snakemake's last line where it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
        json.dump(config, settings)
        settings.flush()
        # --nolock: the outer Snakemake holds the folder's lock while it waits for this job
        command = [sys.executable, "-m", "snakemake", "--nolock", "--configfile", settings.name]
        done = subprocess.run([*command, "--report", output, "--", *files], capture_output=True, text=True)
    if done.returncode or not Path(output).exists():
        raise RuntimeError(
            f"no report: {(done.stderr.strip().splitlines() or ['snakemake said nothing'])[-1]}"
        )


if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        make_report(snakemake.config, list(snakemake.input), snakemake.output.zip)  # noqa: F821
