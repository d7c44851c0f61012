"""The catalog: config and paper specs, read, checked and expanded into targets, runs and evaluations (no torch)."""

from .catalog import Catalog, load
from .reading import CatalogError
from .targets import Target

__all__ = ["Catalog", "CatalogError", "Target", "load"]
