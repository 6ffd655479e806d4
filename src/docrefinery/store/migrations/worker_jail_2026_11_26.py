"""Jails of workers' converters."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.worker_jail import STATEMENTS

ID = "2026-11-26T02:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Jails of workers' converters"


async def forwards() -> MigrationManager:
    """Add the column."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
