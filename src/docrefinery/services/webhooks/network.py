"""A network backend for httpcore that connects to exactly the addresses that were checked."""

from collections.abc import Iterable

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from docrefinery.errors import InvalidWebhookUrl
from docrefinery.services.webhooks.guard import Guard


class TargetRefused(httpcore.ConnectError):
    """The host's addresses are not what a webhook may lead to (any more)."""


class PinnedBackend(AsyncNetworkBackend):
    """Resolves and checks at connect time; TLS and ``Host`` still see the name, the socket only the address.

    A name that changes between the check and the connect gains nothing, since nobody resolves it again in between.

    :param limit_seconds: of a whole attempt; the addresses share it.
    """

    def __init__(self, guard: Guard, limit_seconds: float) -> None:
        self._guard = guard
        self._limit = limit_seconds
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first checked address that answers."""
        try:
            addresses = await self._guard.addresses(host, port)
        except InvalidWebhookUrl as error:
            raise TargetRefused(error.errors[0].detail) from error
        failure: Exception | None = None
        # An address that does not answer must leave time for the next: a receiver's IPv6 may be a black hole.
        each = self._limit / (len(addresses) + 1)
        for address in addresses:
            try:
                return await self._inner.connect_tcp(str(address), port, each, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)
