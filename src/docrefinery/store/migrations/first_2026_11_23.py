"""The first schema."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.first_schema import STATEMENTS

ID = "2026-11-23T16:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first schema"


async def forwards() -> MigrationManager:
    """Create tables, indexes, triggers and views."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
