"""Docling's models of workers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.worker_models import STATEMENTS

ID = "2026-11-25T23:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Docling's models of workers"


async def forwards() -> MigrationManager:
    """Add the columns."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
