"""The audit log's rows say when they came, and go by age alone."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.audit_rows import STATEMENTS

ID = "2026-11-27T09:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "rows of the audit log"


async def forwards() -> MigrationManager:
    """Replace the trigger that held the owner by ones that nothing switches off."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
