"""When a worker with Docling's models was last heard of."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.models_seen import STATEMENTS

ID = "2026-11-26T01:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "When a worker with Docling's models was last heard of"


async def forwards() -> MigrationManager:
    """Add the table."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
