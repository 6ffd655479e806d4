"""Walls between tenants."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.walls import STATEMENTS

ID = "2026-11-26T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "walls between tenants"


async def forwards() -> MigrationManager:
    """Put up row-level security, and keys that keep rows from pointing at another tenant's."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
