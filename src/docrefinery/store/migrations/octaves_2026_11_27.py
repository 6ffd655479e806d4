"""Octaves of changes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.octaves import STATEMENTS

ID = "2026-11-27T12:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "octaves of changes"


async def forwards() -> MigrationManager:
    """Note how long after its creation each job changed."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
