"""Write the results site: static pages that show what is in the folder of results."""

from pathlib import Path

from spatial_adversarial.catalog import load
from spatial_adversarial.jobs import job
from spatial_adversarial.site import make_site

if "snakemake" in globals():
    with job(snakemake):  # noqa: F821
        smk = snakemake  # noqa: F821
        root = Path(smk.scriptdir).parent
        first = make_site(
            load(smk.config, root / smk.config["figures"]), root / smk.config["figures"], root / "docs"
        )
        print(f"Site: {first}", flush=True)
