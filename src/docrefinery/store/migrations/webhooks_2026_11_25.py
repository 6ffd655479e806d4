"""Webhooks: endpoints and deliveries."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.webhooks import STATEMENTS

ID = "2026-11-25T02:41:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "webhooks"


async def forwards() -> MigrationManager:
    """Create the tables, and let every change of a job write its deliveries."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
