"""The connection pool, transactions, and named SQL over it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from docrefinery.errors import Unavailable
from docrefinery.store import wall
from docrefinery.store.engine import QuietEngine, WalledEngine
from docrefinery.store.tables import TABLES

log = structlog.get_logger(__name__)

UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    # Its disk or memory is full, or it has no connection left.
    asyncpg.InsufficientResourcesError,
    # It ended a transaction whose process was frozen.
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # A connection that the server left in the middle of an answer, before the driver has noticed that it is closed.
    asyncpg.InternalClientError,
)
"""What the driver raises when PostgreSQL is away; everything else is a defect."""
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeError)
"""What is raised for values that cannot be stored, however often one tries."""
CONNECT_SECONDS = 5
QUERY_SECONDS = 30
"""No query here takes a second; one that takes so long waits for a server that is gone."""
IDLE_SECONDS = 15
"""How long a transaction may stand still: its process is frozen or gone, and what it holds is held for everybody."""
SCHEMA_MISSING = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""What the driver raises before a migration that the query needs."""


async def _as_it_is(_: object) -> None:
    """Leave a connection as it is when it goes back to the pool.

    The driver has rolled back what was open. Nothing here outlives its transaction (no session locks, cursors or
    settings), and the driver's own reset would be a second round trip for each query.
    """


async def _bounded(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    # Not as a parameter of the connection, which PgBouncer refuses.
    await connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS * 1000:.0f}ms'")


class Database:
    """One process's access to PostgreSQL.

    :param url: of the application role.
    :param pool_size: most connections that the process keeps.
    :param statement_cache: prepared statements are reused; off behind PgBouncer in transaction mode.
    :param walled: every statement is held to the tenant that the request or task is for (:mod:`.wall`); without walls
        they reach every tenant.
    :param patience_seconds: how long a query, and the wait for a free connection, may take.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        statement_cache: bool = True,
        walled: bool = False,
        patience_seconds: float = QUERY_SECONDS,
    ) -> None:
        config: dict[str, Any] = {
            "dsn": url,
            "timeout": CONNECT_SECONDS,
            "command_timeout": patience_seconds,
            "server_settings": {"application_name": "docrefinery"},
        }
        if not statement_cache:
            config["statement_cache_size"] = 0
        self._pool_size = pool_size
        self._config = config
        self._walled = walled
        self._engine = (WalledEngine if walled else QuietEngine)(config=config, extensions=())
        self._engine.patience_seconds = patience_seconds

    async def start(self) -> None:
        """Open the pool on the running loop; it connects as it is used, so that a start does not need the server."""
        for table in TABLES:
            table._meta.db = self._engine
        await self._engine.start_connection_pool(min_size=0, max_size=self._pool_size, init=_bounded, reset=_as_it_is)

    async def close(self) -> None:
        """Close the pool; connections still in use are cut."""
        if (pool := self._engine.pool) is not None:
            self._engine.pool = None
            pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Open a transaction; queries inside the block join it, and an exception rolls it back."""
        async with self._engine.transaction():
            yield

    async def fetch(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement with ``$n`` parameters and return its rows."""
        return await self._fetch(self._engine.run, sql, *args)

    async def fetch_in_reach(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement that puts up the wall itself, in one round trip: its ``$1`` is what it may reach."""
        reach = wall.reach() if self._walled else wall.EVERYBODY
        return await self._fetch(self._engine.run_bare, sql, reach, *args)

    async def _fetch(
        self, alone: Callable[..., Awaitable[Sequence[asyncpg.Record]]], sql: str, *args: object
    ) -> Sequence[asyncpg.Record]:
        transaction = self._engine.current_transaction.get()
        if transaction is not None:
            connection: asyncpg.Connection[asyncpg.Record] = transaction.connection
            return await connection.fetch(sql, *args)
        if self._engine.pool is None:
            raise Unavailable("The database connection is closed.")
        return await alone(sql, *args)

    async def fetch_one(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Run a statement and return its first row, or ``None``."""
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def notify(self, channel: str) -> None:
        """Tell everybody who listens to a channel, through the pool."""
        await self.fetch("SELECT pg_notify($1, '')", channel)

    @asynccontextmanager
    async def listening(self, *channels: str, heard: Callable[[str, str], None]) -> AsyncIterator[asyncpg.Connection]:
        """Hold a connection of its own that calls ``heard(channel, payload)`` for each NOTIFY."""
        connection = await asyncpg.connect(**self._config)
        try:
            for channel in channels:
                await connection.add_listener(channel, lambda _c, _pid, name, payload: heard(name, payload))
            yield connection
        finally:
            connection.terminate()
