"""Counters of jobs, stages and volumes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from docrefinery.store.migration import of_statements
from docrefinery.store.sql.counters import STATEMENTS

ID = "2026-11-25T02:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "counters for the dashboard and the metrics"


async def forwards() -> MigrationManager:
    """Create the counters and the triggers that keep them, and count what is there."""
    return of_statements(ID, DESCRIPTION, STATEMENTS)
