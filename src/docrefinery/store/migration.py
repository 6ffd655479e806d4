"""What every migration here is: statements that run in order."""

from collections.abc import Sequence

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.schema import APP
from docrefinery.store.tables import Tenant


def of_statements(migration_id: str, description: str, statements: Sequence[str]) -> MigrationManager:
    """Return the migration that runs the statements, in the transaction that the migrator has open."""
    manager = MigrationManager(migration_id=migration_id, app_name=APP, description=description)

    async def run() -> None:
        for statement in statements:
            await Tenant._meta.db.run_ddl(statement)

    manager.add_raw(run)
    return manager
