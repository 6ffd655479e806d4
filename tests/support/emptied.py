"""An empty database for the next test."""

import asyncpg


async def empty(url: str) -> None:
    """Remove every row, as the owner of the schema."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SET docrefinery.prune_audit = 'on'; TRUNCATE tenants CASCADE;"
            "TRUNCATE workers, models_seen, unreferenced_blobs, counters, audit_log"
        )
    finally:
        await connection.close()
