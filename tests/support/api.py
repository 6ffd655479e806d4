"""The API in this process, with keys of tenants made for the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from litestar.types import ASGIApp
from msgspec import Struct

from docrefinery.api.deps import Services
from docrefinery.api.middleware import observed
from docrefinery.bootstrap.api import build_api
from docrefinery.bootstrap.operator import operator
from docrefinery.model import Scope
from docrefinery.settings import Settings


class Api(Struct):
    """A client for each tenant that a test needs."""

    app: ASGIApp
    settings: Settings
    services: Services

    async def client(self, tenant: str = "acme", scopes: tuple[str, ...] = tuple(Scope)) -> httpx.AsyncClient:
        """Return a client with a new key of a tenant, which is made if it is not there."""
        async with operator(self.settings) as services:
            if tenant not in [known.name for known in await services.tenants.list()]:
                await services.tenants.create(tenant)
            issued = await services.tenants.issue_key(tenant, scopes)
        return self.anonymous(headers={"Authorization": f"Api-Key {issued.key}"})

    def anonymous(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """Return a client without a key."""
        # Litestar's types of the ASGI messages are narrower than httpx'.
        transport = httpx.ASGITransport(app=cast(Any, self.app), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://refinery.test", headers=headers)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Api]:
    """Run the API of these settings."""
    app = build_api(settings)
    async with app.lifespan():
        yield Api(observed(app), settings, app.state.services)
