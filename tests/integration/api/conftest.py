"""An API for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from docrefinery.settings import Settings
from tests.support.api import Api, running


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
