"""The audit log."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.audit import STATEMENTS

ID = "2026-11-26T02:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "audit log"


async def forwards() -> MigrationManager:
    """Create the table, which rows are added to and pruned from, and never changed in."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
