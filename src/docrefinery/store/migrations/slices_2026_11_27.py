"""Page ranges of long documents."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.slices import STATEMENTS

ID = "2026-11-27T05:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Page ranges of long documents"


async def forwards() -> MigrationManager:
    """Create the table and what keeps it clean."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
