"""Real PostgreSQL and Valkey for every test that asks: one pair a test process, one schema, emptied after each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from docrefinery.embedded import EmbeddedServices
from docrefinery.settings import Settings, load
from docrefinery.store.database import Database
from docrefinery.store.migrate import migrate
from tests.support.emptied import empty
from tests.support.s3 import ObjectStorage


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServices]:
    """PostgreSQL and Valkey of this test process, migrated."""
    with EmbeddedServices(tmp_path_factory.mktemp("services"), durable=False) as services:
        asyncio.run(migrate(services.migration_database_url, services.database_url))
        yield services


@pytest.fixture(scope="session")
def object_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """A server of S3 that the tests of this process share; each has a prefix of its own."""
    server = ObjectStorage(tmp_path_factory.mktemp("s3"))
    try:
        yield server.start()
    finally:
        server.kill()


@pytest.fixture
def settings(embedded: EmbeddedServices, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an installation of this test's own, on a database without rows."""
    base = load({}, data_dir=tmp_path)
    yield msgspec.structs.replace(
        base,
        database_url=embedded.database_url,
        migration_database_url=embedded.migration_database_url,
        redis_url=embedded.redis_url,
    )
    asyncio.run(empty(embedded.migration_database_url))


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """A pool as the application's role."""
    database = Database(settings.database_url, pool_size=8)
    await database.start()
    yield database
    await database.close()
