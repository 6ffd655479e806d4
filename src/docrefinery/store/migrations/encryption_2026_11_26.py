"""Encryption at rest."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.encryption import STATEMENTS

ID = "2026-11-26T02:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "encryption at rest"


async def forwards() -> MigrationManager:
    """Create tenants' keys, and room for those of blobs."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
