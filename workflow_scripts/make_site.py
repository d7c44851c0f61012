"""Write the results site: static pages that show what is in the folder of results."""

from pathlib import Path

from spatial_adversarial.catalog import of_job
from spatial_adversarial.reporting.site import make_site
from spatial_adversarial.runner.job import job

if "snakemake" in globals():
    with job(snakemake):
        smk = snakemake
        root = Path(smk.scriptdir).parent
        first = make_site(of_job(smk), root / smk.config["figures"], root / "docs")
        print(f"Site: {first}", flush=True)
