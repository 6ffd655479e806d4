"""Where webhooks may lead, asked anew at registration and at each connect."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from docrefinery.daemons import in_daemon_thread
from docrefinery.services.webhooks.addresses import Address, Network, permitted
from docrefinery.services.webhooks.urls import Target, parse, refused

RESOLVE_SECONDS = 5.0
RESOLVERS = 64
SILENT_SECONDS = 60.0

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Returns the addresses of a name, in the order to try them; raises :class:`OSError`."""


class SystemResolver:
    """The system's resolver, in daemon threads of its own: a name that nobody answers for holds up nothing else.

    Whoever asks for a name that is being looked up waits for the same answer, and a name that took too long is not
    asked for again for a while, so that one tenant's dead names do not use up the threads of all.
    """

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}
        self._silent: dict[tuple[str, int], float] = {}

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a name; raises :class:`OSError`."""
        key, now = (host, port), time.monotonic()
        if self._silent.get(key, 0.0) > now:
            raise TimeoutError(f"{host} took too long a moment ago")
        if (asked := self._asked.get(key)) is None:
            if len(self._asked) >= RESOLVERS:
                raise OSError("too many names are being looked up")
            asked = self._asked[key] = in_daemon_thread("resolver", lambda: _addresses(host, port))
            asked.add_done_callback(lambda _: self._asked.pop(key, None))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            self._silent = {known: until for known, until in self._silent.items() if until > now}
            self._silent[key] = now + SILENT_SECONDS
            raise


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))


class Guard:
    """Refuses what is not public.

    :param allowed: networks that the operator allows all the same.
    """

    def __init__(self, allowed: Sequence[Network], resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve

    async def check(self, url: str) -> Target:
        """Return where a URL leads; raises :class:`InvalidWebhookUrl`."""
        target = parse(url)
        await self.addresses(target.host, target.port)
        return target

    async def addresses(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a target's host, all of which are permitted; raises :class:`InvalidWebhookUrl`."""
        found = await self._found(host, port)
        if not all(permitted(address, self._allowed) for address in found):
            # Not which one: what names inside mean is nobody's business outside.
            raise refused("leads to an address that is not public; the operator can allow its network")
        return found

    async def _found(self, host: str, port: int) -> Sequence[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise refused("names a host that cannot be resolved")
        return found
