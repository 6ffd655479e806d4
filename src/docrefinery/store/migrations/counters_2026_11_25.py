"""Counters of jobs, stages and volumes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.sql.counters import STATEMENTS
from docrefinery.store.tables import Tenant

ID = "2026-11-25T02:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "counters for the dashboard and the metrics"


async def forwards() -> MigrationManager:
    """Create the counters and the triggers that keep them, and count what is there."""
    manager = MigrationManager(migration_id=ID, app_name="docrefinery", description=DESCRIPTION)

    async def create() -> None:
        for statement in STATEMENTS:
            await Tenant._meta.db.run_ddl(statement)

    manager.add_raw(create)
    return manager
