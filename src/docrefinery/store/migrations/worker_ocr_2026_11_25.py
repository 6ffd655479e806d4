"""OCR engines of workers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.sql.worker_ocr import STATEMENTS
from docrefinery.store.tables import Tenant

ID = "2026-11-25T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "OCR engines of workers"


async def forwards() -> MigrationManager:
    """Add the column."""
    manager = MigrationManager(migration_id=ID, app_name="docrefinery", description=DESCRIPTION)

    async def create() -> None:
        for statement in STATEMENTS:
            await Tenant._meta.db.run_ddl(statement)

    manager.add_raw(create)
    return manager
