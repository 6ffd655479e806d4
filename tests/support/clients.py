"""Either of the two clients behind one face, so that a test says once what both do."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import httpx

from docrefinery.client import AsyncClient, Client, Patience

KINDS = ("sync", "async")
Handler = Callable[[httpx.Request], httpx.Response]
KEY = "dr_secretsecret_secret"


class Shell:
    """A client that is called by the names of its methods."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self.client = client

    @classmethod
    def of(cls, kind: str, url: str, key: str = KEY, handler: Handler | None = None, **options: Any) -> Self:
        """Make one; with a ``handler``, that answers in place of a service."""
        transport = httpx.MockTransport(handler) if handler is not None else None
        options.setdefault("patience", Patience(unreachable=5, busy=5))
        if kind == "sync":
            return cls(Client(url, api_key=key, transport=transport, **options))
        return cls(AsyncClient(url, api_key=key, transport=transport, **options))

    async def do(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a method and return its result."""
        if isinstance(self.client, Client):
            return await asyncio.to_thread(getattr(self.client, name), *args, **kwargs)
        return await getattr(self.client, name)(*args, **kwargs)

    async def all(self, name: str, /, *args: Any, **kwargs: Any) -> list[Any]:
        """Call a method and return all that it goes through."""
        found = getattr(self.client, name)(*args, **kwargs)
        if isinstance(self.client, Client):
            return await asyncio.to_thread(list, found)
        return [each async for each in found]

    async def close(self) -> None:
        """Close it."""
        await self.do("close")
