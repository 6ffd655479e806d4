"""Bring the schema up to date, one migrator at a time."""

import contextlib
import io
import os
from urllib.parse import unquote, urlsplit

import asyncpg
import structlog
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.table import Table
from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_random

from docrefinery.store import piccolo_conf
from docrefinery.store.locking import Busy, lock_all
from docrefinery.store.restored import settle
from docrefinery.store.schema import APP, LATEST
from docrefinery.store.tables import TABLES

log = structlog.get_logger(__name__)

LOCK = 0x646F_6372_6566  # "docref"
PATIENCE_SECONDS = 120.0
"""How long one tries to get the tables of an installation that is at work."""


async def migrate(url: str, app_url: str) -> int:
    """Run the migrations that are missing and give the application's role its rights.

    :param url: PostgreSQL as the role that owns the schema.
    :param app_url: PostgreSQL as the application's role, which may be the same.
    :returns: how many migrations ran.
    :raises Busy: if others held on to the tables for :data:`PATIENCE_SECONDS`; nothing has changed then.
    """
    connection = await asyncpg.connect(url)
    try:
        # Two migrators at once collide in Piccolo's own bookkeeping, so the second waits here.
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        ran = await _patiently(url)
        await _grant(connection, app_url)
        await settle(connection)
    finally:
        await connection.close()
    if ran:
        await _end_idle(app_url)
    return ran


async def _patiently(url: str) -> int:
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(Busy), wait=wait_random(0.2, 1), stop=stop_after_delay(PATIENCE_SECONDS)
    )
    try:
        async for attempt in attempts:
            with attempt:
                return await _forwards(url, attempt.retry_state.attempt_number)
    except RetryError as error:
        raise Busy(
            f"The tables were in use for {PATIENCE_SECONDS:g} seconds; the schema is as it was. See in "
            "pg_stat_activity which queries or transactions run for long, end them, and migrate again."
        ) from error
    raise AssertionError("tenacity returns or raises")


async def _forwards(url: str, attempt: int) -> int:
    os.environ.setdefault("PICCOLO_CONF", piccolo_conf.__name__)
    engine = piccolo_conf.DB
    engine.config = {"dsn": url}
    tables: tuple[type[Table], ...] = (*TABLES, Migration)
    bound = [(table, table._meta._db) for table in tables]  # noqa: SLF001
    try:
        for table, _ in bound:
            table._meta.db = engine
        # One transaction around everything: a migration and the note that it ran stand or fall together.
        async with engine.transaction() as transaction:
            before = await _known()
            if before and LATEST not in await Migration.get_migrations_which_ran(APP):
                await lock_all(transaction.connection, attempt)
            with contextlib.redirect_stdout(io.StringIO()) as said:
                result = await ForwardsMigrationManager(app_name=APP).run()
            if not result.success:
                raise RuntimeError(f"The migrations failed: {result.message}\n{said.getvalue()}")
            after = await _known()
    finally:
        for table, db in bound:
            table._meta._db = db  # noqa: SLF001
    return after - before


async def _known() -> int:
    if not await Migration.table_exists():
        return 0
    return len(await Migration.get_migrations_which_ran(APP))


async def _grant(connection: asyncpg.Connection, app_url: str) -> None:
    owner = await connection.fetchval("SELECT current_user")
    role = unquote(urlsplit(app_url).username or owner)
    if role == owner:
        return
    name = '"' + role.replace('"', '""') + '"'
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
    await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
    await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
    await connection.execute(f"REVOKE INSERT, UPDATE, DELETE ON migration FROM {name}")
    await connection.execute(f"REVOKE UPDATE, DELETE ON audit_log FROM {name}")


async def _end_idle(app_url: str) -> None:
    """End the application's connections that wait for work.

    Statements that were prepared before a column was added fail once, also those of the release that still runs. On new
    connections they are prepared anew; a process notices at once that the old one is closed. Who listens goes on.
    """
    try:
        connection = await asyncpg.connect(app_url, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError) as error:
        log.warning("connections_not_ended", error=str(error))
        return
    try:
        # As the application itself, since the schema's owner may not end another role's connections.
        await connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND usename = current_user AND application_name = 'docrefinery'
                     AND pid <> pg_backend_pid() AND state = 'idle' AND query NOT ILIKE 'LISTEN%'"""
        )
    finally:
        await connection.close()
