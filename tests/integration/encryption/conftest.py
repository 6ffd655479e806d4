"""An installation with a key, and one tenant of two whose blobs are encrypted."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support import hooks
from tests.support.api import Api, running
from tests.support.work import HandWorker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a key."""
    return msgspec.structs.replace(settings, secret_keys=hooks.KEYS[:1])


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """The API, in this process."""
    async with running(settings) as api:
        yield api


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Operator]:
    """The operator's services."""
    async with operator(settings) as services:
        yield services


@pytest.fixture
async def encrypted(api: Api, services: Operator) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the tenant ``acme``, which is encrypted."""
    await services.tenants.create("acme", encrypt=True)
    async with await api.client() as client:
        yield client


@pytest.fixture
async def plain(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the tenant ``globex``, which is not."""
    async with await api.client("globex") as client:
        yield client


@pytest.fixture
def worker(db: Database, settings: Settings) -> HandWorker:
    """A worker whose steps the test takes; its artifacts are plain."""
    return HandWorker.of(db, settings)
