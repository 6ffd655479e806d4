"""The first schema."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.sql.first_schema import STATEMENTS
from docrefinery.store.tables import Tenant

ID = "2026-11-23T16:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first schema"


async def forwards() -> MigrationManager:
    """Create tables, indexes, triggers and views."""
    manager = MigrationManager(migration_id=ID, app_name="docrefinery", description=DESCRIPTION)

    async def create() -> None:
        for statement in STATEMENTS:
            await Tenant._meta.db.run_ddl(statement)

    manager.add_raw(create)
    return manager
