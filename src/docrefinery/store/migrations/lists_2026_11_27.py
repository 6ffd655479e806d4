"""Indexes of lists."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.lists import STATEMENTS

ID = "2026-11-27T10:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes of lists"


async def forwards() -> MigrationManager:
    """Replace an index for each filter by one that serves them all."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
