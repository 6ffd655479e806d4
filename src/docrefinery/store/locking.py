"""Take every table of the schema for a migration, while the version before is at work."""

import asyncpg
import structlog

log = structlog.get_logger(__name__)

# As claims and sweeps read them, and as uploads and publications write them.
ORDER = ("tenants", "tenant_clocks", "documents", "leases", "jobs", "artifacts", "job_events", "webhook_endpoints")
# Less than PostgreSQL's `deadlock_timeout` (1 s): not everybody locks in one order (a claim reads the tenants first, a
# change of a job ends with its tenant's clock), and who is in a circle with a migration is let go on before the server
# ends one of them.
SHORT_MS = 700
# An autovacuum makes way for who has waited for `deadlock_timeout`, so now and then one does.
LONG_MS = 2000
LONG_EACH = 5

_TABLES = """
SELECT quote_ident(tablename) AS name FROM pg_tables
WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'USAGE') AND tablename <> 'migration'
ORDER BY array_position($1::text[], tablename::text), tablename
"""


class Busy(Exception):
    """Others hold tables that a migration needs."""


def patience_ms(attempt: int) -> int:
    """Return for how many milliseconds an attempt waits, of those that are counted from 1 on."""
    return SHORT_MS if attempt % LONG_EACH else LONG_MS


async def lock_all(connection: asyncpg.Connection, attempt: int) -> None:
    """Lock all tables for the transaction that is open, or none.

    :param attempt: which one it is, from 1 on.
    :raises Busy: if that takes too long; the transaction has failed then.
    """
    names = [row["name"] for row in await connection.fetch(_TABLES, list(ORDER))]
    await connection.execute(f"SET LOCAL statement_timeout = {patience_ms(attempt)}")
    try:
        await connection.execute(f"LOCK TABLE {', '.join(names)}")
    except (asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
        log.info("migration_waits", reason=str(error))
        raise Busy(str(error)) from error
    await connection.execute("SET LOCAL statement_timeout TO DEFAULT")
