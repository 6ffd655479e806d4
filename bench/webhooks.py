"""How many webhook deliveries a second arrive at a receiver on this machine."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

PINGS = 1000
ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


class Receiver:
    """Counts requests, on a thread of its own; answers wait until the gate is open."""

    def __init__(self) -> None:
        self.url = ""
        self.count = 0
        self._gate, self._stop = asyncio.Event(), asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._ready.wait()

    def open(self) -> None:
        """Answer from now on."""
        self._loop.call_soon_threadsafe(self._gate.set)

    def stop(self) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]))
                await self._gate.wait()
                self.count += 1
                writer.write(ANSWER)
        writer.close()


@contextmanager
def _receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def deliveries_per_second(client: httpx.Client) -> float:
    """Let signed pings pile up before a receiver that does not answer, then measure how fast they arrive."""
    with _receiving() as receiver:
        asked = {"name": "bench", "url": receiver.url, "secret": "supersecret"}
        path = f"/v1/webhooks/{client.post('/v1/webhooks/', json=asked).raise_for_status().json()['id']}/"
        for _ in range(PINGS):
            client.post(f"{path}ping/").raise_for_status()
        started = time.perf_counter()
        receiver.open()
        while receiver.count < PINGS:
            time.sleep(0.002)
        seconds = time.perf_counter() - started
        client.delete(path).raise_for_status()
    return PINGS / seconds
