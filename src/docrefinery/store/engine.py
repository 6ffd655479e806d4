"""Piccolo's engine without its greeting, and with walls between tenants where they are asked for."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from docrefinery.store import wall


class PooledTransaction(PostgresTransaction):
    """A transaction that is over when it is over, also where its connection is lost before the end.

    Piccolo's own would stay in effect then, and every later query of the task would fail.
    """

    engine: "QuietEngine"

    async def __aenter__(self) -> PostgresTransaction:
        """Begin, or join the one that is open."""
        if self._parent is not None:
            return self._parent
        self._pool = self.engine.pool
        self.connection = await self.get_connection()
        try:
            await self.begin()
        except BaseException:
            await self._release()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Commit, or roll back after an exception; who joined leaves that to the outer one."""
        if self._parent is not None:
            return False
        try:
            if error is not None:
                await self.rollback()
            else:
                await self.commit()
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._release()
        return False

    async def begin(self) -> None:
        """Begin."""
        self.transaction = self.connection.transaction()
        await self.transaction.start()

    async def commit(self) -> None:
        """Commit."""
        await self.transaction.commit()

    async def rollback(self) -> None:
        """Roll back."""
        await self.transaction.rollback()

    async def get_connection(self) -> Any:
        """Take a connection of the pool, or open one where there is no pool, as in migrations."""
        if self._pool is None:
            return await self.engine.get_new_connection()
        return await self._pool.acquire(timeout=self.engine.patience_seconds)

    async def _release(self) -> None:
        await (self.connection.close() if self._pool is None else self._pool.release(self.connection))


class QuietEngine(PostgresEngine):
    """A PostgreSQL engine that does not connect when it is made: a process starts whether the server is up or not.

    ``patience_seconds`` is how long one waits for a free connection; ``None`` is without end.
    """

    patience_seconds: float | None = None

    def transaction(self, allow_nested: bool = True) -> PooledTransaction:  # noqa: FBT001, FBT002 - as Piccolo has it
        """Open a transaction, or join the one that is open."""
        return PooledTransaction(engine=self, allow_nested=allow_nested)

    async def check_version(self) -> None:
        """Do nothing; Piccolo would open a connection to ask for the version."""

    async def run_bare(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement on a connection of the pool, which has to be there."""
        assert self.pool is not None
        async with self.pool.acquire(timeout=self.patience_seconds) as connection:
            rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *args)
        return rows

    async def run(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement as it is meant to be run outside of a transaction."""
        return await self.run_bare(sql, *args)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Sequence[asyncpg.Record]:
        return await self.run(query, *(args or ()))


class WalledTransaction(PooledTransaction):
    """A transaction that is held to the tenant in hand from its first round trip on."""

    async def begin(self) -> None:
        """Begin and put up the wall. A pooler in transaction mode hands the connection on without it."""
        await self.connection.execute(f"BEGIN; SET LOCAL docrefinery.tenant = '{wall.reach()}'")
        self._wall = wall.put_up()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """End, and take the wall down."""
        try:
            return await super().__aexit__(kind, error, traceback)
        finally:
            if self._parent is None:
                wall.taken_down(self._wall)

    async def commit(self) -> None:
        """Commit."""
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        """Roll back."""
        await self.connection.execute("ROLLBACK")


class WalledEngine(QuietEngine):
    """An engine whose every statement runs in a transaction with walls."""

    def transaction(self, allow_nested: bool = True) -> WalledTransaction:  # noqa: FBT001, FBT002 - as Piccolo has it
        """Open a transaction, or join the one that is open."""
        return WalledTransaction(engine=self, allow_nested=allow_nested)

    async def run(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement in a transaction of its own: two round trips more."""
        async with self.transaction() as transaction:
            rows: Sequence[asyncpg.Record] = await transaction.connection.fetch(sql, *args)
        return rows
