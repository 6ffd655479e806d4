"""Piccolo's engine without its greeting, and with walls between tenants where they are asked for."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from docrefinery.store import wall


class QuietEngine(PostgresEngine):
    """A PostgreSQL engine that does not connect when it is made: a process starts whether the server is up or not."""

    async def check_version(self) -> None:
        """Do nothing; Piccolo would open a connection to ask for the version."""

    async def run_bare(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement on a connection of the pool, which has to be there."""
        assert self.pool is not None
        async with self.pool.acquire() as connection:
            rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *args)
        return rows

    async def run(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run a statement as it is meant to be run outside of a transaction."""
        return await self.run_bare(sql, *args)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Sequence[asyncpg.Record]:
        return await self.run(query, *(args or ()))


class WalledTransaction(PostgresTransaction):
    """A transaction that is held to the tenant in hand from its first round trip on."""

    async def begin(self) -> None:
        """Begin and put up the wall. A pooler in transaction mode hands the connection on without it."""
        await self.connection.execute(f"BEGIN; SET LOCAL docrefinery.tenant = '{wall.reach()}'")

    async def commit(self) -> None:
        """Commit."""
        await self.connection.execute("COMMIT")
        self._committed = True

    async def rollback(self) -> None:
        """Roll back."""
        await self.connection.execute("ROLLBACK")
        self._rolled_back = True


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
