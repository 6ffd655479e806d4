"""Sizes of documents."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.sizes import STATEMENTS

ID = "2026-11-27T05:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "sizes of documents"


async def forwards() -> MigrationManager:
    """Add the index."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
