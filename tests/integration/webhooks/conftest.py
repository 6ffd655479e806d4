"""A tenant with jobs, a courier, and a receiver on this machine, which the operator allows."""

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from docrefinery.services.webhooks.courier import Courier
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support import hooks
from tests.support.receivers import Server, receiving
from tests.support.tenants import make_tenant
from tests.support.work import HandWorker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that may send to this machine."""
    return msgspec.structs.replace(settings, webhook_allow_nets=hooks.LOOPBACK, secret_keys=hooks.KEYS[:1])


@pytest.fixture
async def tenant(db: Database) -> int:
    """A tenant."""
    return await make_tenant(db, "acme")


@pytest.fixture
def worker(db: Database, settings: Settings) -> HandWorker:
    """A worker whose steps the test takes."""
    return HandWorker.of(db, settings)


@pytest.fixture
def receiver() -> Iterator[Server]:
    """A receiver that answers 200 unless told otherwise."""
    with receiving() as server:
        yield server


@pytest.fixture
async def courier(db: Database, settings: Settings) -> AsyncIterator[Courier]:
    """What delivers."""
    async with hooks.delivering(db, settings) as courier:
        yield courier
