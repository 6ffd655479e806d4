"""An empty database for the next test."""

import asyncpg


async def empty(url: str) -> None:
    """Remove every row, as the owner of the schema."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "TRUNCATE tenants CASCADE; ALTER TABLE audit_log DISABLE TRIGGER USER;"
            "TRUNCATE workers, models_seen, unreferenced_blobs, counters, audit_log;"
            "ALTER TABLE audit_log ENABLE TRIGGER USER"
        )
    finally:
        await connection.close()
