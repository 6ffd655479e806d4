"""The API behind a real server, a client of either kind, and a worker whose steps the test takes."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from docrefinery.bootstrap.operator import operator
from docrefinery.model import Scope
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support import hooks
from tests.support.clients import KINDS, Shell
from tests.support.server import Serving, serving_beside
from tests.support.work import HandWorker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that can keep secrets."""
    return msgspec.structs.replace(settings, secret_keys=hooks.KEYS[:1])


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Serving]:
    """The API."""
    async with serving_beside(settings) as served:
        yield served


@pytest.fixture
async def key(settings: Settings) -> str:
    """A key with every scope, of the tenant ``acme``."""
    async with operator(settings) as services:
        await services.tenants.create("acme")
        issued = await services.tenants.issue_key("acme", tuple(Scope))
    return issued.key


@pytest.fixture(params=KINDS)
async def shell(request: pytest.FixtureRequest, served: Serving, key: str) -> AsyncIterator[Shell]:
    """A client of each kind."""
    shell = Shell.of(request.param, served.url, key)
    yield shell
    await shell.close()


@pytest.fixture
def worker(db: Database, settings: Settings) -> HandWorker:
    """A worker whose steps the test takes."""
    return HandWorker.of(db, settings)
