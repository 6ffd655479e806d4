"""A client that asks for one URL as fast as a few keep-alive connections allow, and little else."""

import asyncio
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

CONNECTIONS = 16


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as an answer is complete."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self.answers = 0
        self.done = asyncio.get_running_loop().create_future()
        self._request = request
        self._deadline = deadline
        self._left = 0
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(head.decode()))
            return
        self.answers += 1
        self._buffer = b""
        if time.perf_counter() < self._deadline:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self.done.set_result(None)


async def _run(url: str, key: str, seconds: float) -> float:
    parts = urlsplit(url)
    assert parts.hostname is not None
    host, port = parts.hostname, parts.port or 80
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Api-Key {key}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    connections = [
        (await loop.create_connection(lambda: _Connection(request, started + seconds), host, port))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    return sum(connection.answers for connection in connections) / (time.perf_counter() - started)


def requests_per_second(url: str, key: str, seconds: float = 5) -> float:
    """Return how many times a second the URL answers with 200."""
    return uvloop.run(_run(url, key, seconds))
