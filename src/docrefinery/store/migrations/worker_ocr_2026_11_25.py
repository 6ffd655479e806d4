"""OCR engines of workers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.worker_ocr import STATEMENTS

ID = "2026-11-25T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "OCR engines of workers"


async def forwards() -> MigrationManager:
    """Add the column."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
