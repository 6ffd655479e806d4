"""What is left of documents and jobs that have expired."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.tombstones import STATEMENTS

ID = "2026-11-27T05:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "tombstones of documents and jobs"


async def forwards() -> MigrationManager:
    """Add the tables, and let an artifact's row outlive its job."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
