"""Write docs/reference.md: `python workflow_scripts/make_reference.py`, after an edit of a schema or of figures/."""

from pathlib import Path

import yaml

from spatial_adversarial.catalog import load
from spatial_adversarial.reporting.reference import page

ROOT = Path(__file__).parents[1]


def reference() -> str:
    """The page as this repository's config, schemas and paper files have it."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return page(config, load(config, ROOT / "figures"), ROOT / "figures")


if __name__ == "__main__":
    (ROOT / "docs/reference.md").write_text(reference(), encoding="utf-8")
