"""Profiles that a tenant may not use, and its limits."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.tenant_limits import STATEMENTS

ID = "2026-11-25T02:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "profile toggles and limits of tenants"


async def forwards() -> MigrationManager:
    """Create the toggles, the limits, and the count of running jobs."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
