"""One attempt: a POST, and what became of it."""

import asyncio
import ssl
import time
from uuid import UUID

import certifi
import httpcore
from msgspec import Struct

import docrefinery
from docrefinery import tracing
from docrefinery.errors import InvalidWebhookUrl
from docrefinery.services.webhooks import signing
from docrefinery.services.webhooks.guard import Guard
from docrefinery.services.webhooks.network import PinnedBackend, TargetRefused
from docrefinery.services.webhooks.urls import parse

ATTEMPT_SECONDS = 15.0
READ_BYTES = 16 * 1024
"""How much of an answer's body is read: a short one to its end, which tells whether it is whole."""


class Answered(Struct, frozen=True):
    """The receiver answered; ``flaw`` says why a 2xx does not count all the same."""

    status: int
    flaw: str | None = None


class Unanswered(Struct, frozen=True):
    """There was no answer."""

    reason: str


Result = Answered | Unanswered


class Letter(Struct, frozen=True, kw_only=True):
    """What is sent."""

    url: str
    body: bytes
    event: str
    delivery: UUID
    secret: str | None


def trust() -> ssl.SSLContext:
    """Return a TLS context that trusts what the system trusts (``SSL_CERT_FILE`` adds to it), and Mozilla's list."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Sender:
    """Sends to checked addresses only: no proxies, no redirects, a time limit on everything together.

    :param connections: most connections at a time; the limit on attempts, so that none waits for a connection.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        connections: int,
        trusted: ssl.SSLContext,
        limit_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self._limit = limit_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            max_connections=connections,
            # Bytes that a receiver leaves behind on a connection would pass for its answer to the next delivery, which
            # may be another tenant's.
            max_keepalive_connections=0,
            network_backend=PinnedBackend(guard, limit_seconds),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def send(self, letter: Letter) -> Result:
        """Make an attempt; whatever the receiver does, this ends within the time limit."""
        status: list[int] = []
        try:
            async with asyncio.timeout(self._limit):
                return await self._exchange(letter, status)
        except TimeoutError:
            return self._broken_off(f"it did not end within {self._limit:g} s", status)
        except InvalidWebhookUrl as error:
            return Unanswered(f"The URL {error.errors[0].detail}.")
        except TargetRefused as error:
            return Unanswered(f"The URL {error}.")
        except httpcore.ConnectError as error:
            return Unanswered(f"The receiver cannot be connected to: {_reason(error)}.")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return self._broken_off(_reason(error), status)

    async def _exchange(self, letter: Letter, status: list[int]) -> Result:
        target = parse(letter.url)
        signed = signing.headers(
            letter.body,
            event=letter.event,
            delivery=letter.delivery,
            timestamp=int(time.time()),
            secret=letter.secret,
        )
        headers = {
            "Host": target.authority,
            "Content-Type": "application/json",
            "Content-Length": str(len(letter.body)),
            "User-Agent": f"DocumentRefinery/{docrefinery.__version__}",
            "Accept": "*/*",
            "Connection": "close",
            **signed,
        }
        if traceparent := tracing.traceparent():
            headers["traceparent"] = traceparent
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        async with self._pool.stream("POST", url, headers=list(headers.items()), content=letter.body) as response:
            status.append(response.status)
            read = 0
            async for part in response.aiter_stream():
                read += len(part)
                if read > READ_BYTES:
                    break
        return Answered(response.status)

    @staticmethod
    def _broken_off(reason: str, status: list[int]) -> Result:
        if status:
            return Answered(status[0], f"The receiver's answer broke off: {reason}.")
        return Unanswered(f"There was no answer: {reason}.")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
