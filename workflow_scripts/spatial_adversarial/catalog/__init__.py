"""The catalog: config and paper specs, read, checked and expanded into targets, runs and evaluations (no torch)."""

from spatial_adversarial.catalog.catalog import Catalog, load, of_job
from spatial_adversarial.catalog.targets import Target
from spatial_adversarial.records.reading import CatalogError

__all__ = ["Catalog", "CatalogError", "Target", "load", "of_job"]
