"""What a database needs after it was restored into another cluster."""

import asyncpg

_THERE = "SELECT to_regclass('audit_log') IS NOT NULL"
_AHEAD = "SELECT EXISTS (SELECT FROM audit_log WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))"
_SETTLE = """
ALTER TABLE audit_log DISABLE TRIGGER audit_stays;
UPDATE audit_log SET xid = '0' WHERE xid >= pg_snapshot_xmax(pg_current_snapshot());
ALTER TABLE audit_log ENABLE TRIGGER audit_stays
"""


async def settle(connection: asyncpg.Connection) -> None:
    """Have followers shown the audit log of another cluster, whose transactions' numbers are yet to come here.

    :param connection: PostgreSQL as the role that owns the schema.
    """
    # A schema that is brought up step by step has no such log at first.
    if await connection.fetchval(_THERE) and await connection.fetchval(_AHEAD):
        async with connection.transaction():
            await connection.execute(_SETTLE)
