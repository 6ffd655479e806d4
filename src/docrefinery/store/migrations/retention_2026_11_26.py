"""How long a tenant's files, artifacts and jobs are kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.retention import STATEMENTS

ID = "2026-11-26T02:16:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "retention of files, artifacts and jobs"


async def forwards() -> MigrationManager:
    """Add the columns, the table of expired artifacts, and the indexes that the sweep seeks in."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
