"""The catalog: config and paper specs, read, checked and expanded into targets, runs and evaluations (no torch)."""

from .catalog import Catalog, Target, load
from .reading import CatalogError

__all__ = ["Catalog", "CatalogError", "Target", "load"]
