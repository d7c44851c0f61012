"""Write Snakemake's report of finished results, by a Snakemake of its own with the same configuration."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from spatial_adversarial.runner.job import job


def make_report(config: dict, snakefile: Path, files: list[str], output: str) -> None:
    """Write the report of `files` as a zip. Raises RuntimeError with Snakemake's last line where it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
        json.dump(config, settings)
        settings.flush()
        # --nolock: the outer Snakemake holds the folder's lock while it waits for this job
        command = [sys.executable, "-m", "snakemake", "--nolock", "--snakefile", str(snakefile)]
        command += ["--configfile", settings.name, "--report", output]
        command += ["--report-stylesheet", str(snakefile.parent / "rules/captions/report.css"), "--", *files]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not Path(output).exists():
        raise RuntimeError(
            f"no report: {(done.stderr.strip().splitlines() or ['snakemake said nothing'])[-1]}"
        )


if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        snakefile = Path(smk.scriptdir).parent / "Snakefile"
        make_report(smk.config, snakefile, list(smk.input), smk.output.zip)
