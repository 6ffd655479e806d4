"""A receiver of webhooks that behaves as badly as a test wants."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct


class Received(Struct, frozen=True):
    """A request as it came; the names of its headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, decoded."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


class Handler(BaseHTTPRequestHandler):
    """Records a request and behaves as the next line of the script says."""

    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a request."""
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        behave = self.server.take(Received(self.path, headers, body))
        with suppress(ConnectionError):
            behave(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""


Behaviour = Callable[[Handler], None]


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer in order."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hangs(handler: Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.over.wait()
    handler.close_connection = True


def drips(text: bytes) -> Behaviour:
    """Answer a byte at a time, for as long as the test lasts."""

    def behave(handler: Handler) -> None:
        for number in range(len(text)):
            handler.wfile.write(text[number : number + 1])
            if handler.server.over.wait(0.05):
                break
        handler.close_connection = True

    return behave


def resets(handler: Handler) -> None:
    """Break the connection off."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.rfile.close()
    handler.wfile.close()
    handler.connection.close()


OK = answers(200)


class Server(ThreadingHTTPServer):
    """A receiver on a free port: ``script`` for the next requests, ``otherwise`` for those after it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.received: list[Received] = []
        self.script: list[Behaviour] = []
        self.otherwise: Behaviour = OK
        self.over = threading.Event()
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that came, in order."""
        return [received.event for received in self.received]

    def take(self, received: Received) -> Behaviour:
        """Record a request and return how to behave."""
        with self._lock:
            self.received.append(received)
            return self.script.pop(0) if self.script else self.otherwise

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Mind nothing: senders break off, and so does this."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Server]:
    """Run a receiver."""
    server = Server(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
