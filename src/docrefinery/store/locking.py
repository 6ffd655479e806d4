"""Take every table of the schema for a migration, while the version before is at work."""

import asyncpg
import structlog

log = structlog.get_logger(__name__)

# As claims and sweeps read them, and as uploads and publications write them.
ORDER = ("tenants", "tenant_clocks", "documents", "leases", "jobs", "artifacts", "job_events", "webhook_endpoints")
# Less than PostgreSQL's `deadlock_timeout` (1 s): not everybody locks in one order (a claim reads the tenants first, a
# change of a job ends with its tenant's clock), and who is in a circle with a migration is let go on before the server
# ends one of them.
AT_MOST_MS = 700

_TABLES = """
SELECT quote_ident(tablename) AS name FROM pg_tables
WHERE schemaname = current_schema() AND tableowner = current_user AND tablename <> 'migration'
ORDER BY array_position($1::text[], tablename::text), tablename
"""


class Busy(Exception):
    """Others hold tables that a migration needs."""


async def lock_all(connection: asyncpg.Connection) -> None:
    """Lock all tables for the transaction that is open, or none.

    :raises Busy: if that takes longer than :data:`AT_MOST_MS`; the transaction has failed then.
    """
    names = [row["name"] for row in await connection.fetch(_TABLES, list(ORDER))]
    await connection.execute(f"SET LOCAL statement_timeout = {AT_MOST_MS}")
    try:
        await connection.execute(f"LOCK TABLE {', '.join(names)}")
    except (asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
        log.info("migration_waits", reason=str(error))
        raise Busy(str(error)) from error
    await connection.execute("SET LOCAL statement_timeout TO DEFAULT")
