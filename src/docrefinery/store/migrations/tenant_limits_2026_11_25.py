"""Profiles that a tenant may not use, and its limits."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.sql.tenant_limits import STATEMENTS
from docrefinery.store.tables import Tenant

ID = "2026-11-25T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "profile toggles and limits of tenants"


async def forwards() -> MigrationManager:
    """Create the toggles, the limits, and the count of running jobs."""
    manager = MigrationManager(migration_id=ID, app_name="docrefinery", description=DESCRIPTION)

    async def create() -> None:
        for statement in STATEMENTS:
            await Tenant._meta.db.run_ddl(statement)

    manager.add_raw(create)
    return manager
