"""Finding tables on a page by its rules and by how its words stand."""

from docrefinery.engine.geometric.tables.find import find_tables

__all__ = ["find_tables"]
