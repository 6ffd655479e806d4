"""What is asked of the database while a test looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from docrefinery.store.database import Database


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield a list that every statement of this process goes into, apart from the look at the key."""
    asked: list[str] = []
    fetch = Database.fetch

    async def noted(self: Database, sql: str, *args: object) -> object:
        if "FROM api_keys" not in sql:
            asked.append(sql)
        return await fetch(self, sql, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "fetch", noted)
        yield asked


@contextmanager
def sent() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Yield a list that everything goes into which this process sends to PostgreSQL, with its parameters."""
    everything: list[tuple[str, tuple[Any, ...]]] = []
    fetch = asyncpg.Connection.fetch

    async def noted(self: Any, query: str, *args: Any, **options: Any) -> Any:
        everything.append((query, args))
        return await fetch(self, query, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "fetch", noted)
        yield everything
