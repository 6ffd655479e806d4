"""Where webhooks may lead, asked anew at registration and at each connect."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from docrefinery.services.webhooks.addresses import Address, Network, permitted
from docrefinery.services.webhooks.urls import Target, parse, refused

RESOLVE_SECONDS = 5.0
RESOLVERS = 16

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Returns the addresses of a name, in the order to try them; raises :class:`OSError`."""


class SystemResolver:
    """The system's resolver, in threads of its own: names that nobody answers for must not hold up anything else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a name."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
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
