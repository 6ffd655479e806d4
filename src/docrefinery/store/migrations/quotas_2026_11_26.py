"""What tenants may ask for, have queued and have stored."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.quotas import STATEMENTS

ID = "2026-11-26T02:16:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "rates and quotas of tenants"


async def forwards() -> MigrationManager:
    """Add the columns, and the count of queued pages."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
