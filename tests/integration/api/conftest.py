"""An API for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.api import Api, running
from tests.support.work import HandWorker


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """The API, in this process."""
    async with running(settings) as api:
        yield api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client with every scope, of the tenant ``acme``."""
    async with await api.client() as client:
        yield client


@pytest.fixture
async def stranger(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client with every scope, of another tenant."""
    async with await api.client(tenant="globex") as client:
        yield client


@pytest.fixture
def worker(db: Database, settings: Settings) -> HandWorker:
    """A worker whose steps the test takes."""
    return HandWorker.of(db, settings)
