"""A proxy in front of a server: it counts requests, and lets the answers through by drops."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class _Connection(socketserver.BaseRequestHandler):
    server: "Proxy"

    def handle(self) -> None:
        """Carry one connection in both directions."""
        with socket.create_connection(self.server.behind) as behind:
            back = threading.Thread(target=self._back, args=(behind,), daemon=True)
            back.start()
            with suppress(OSError):
                while data := self.request.recv(65536):
                    self.server.seen += data
                    behind.sendall(data)
                behind.shutdown(socket.SHUT_WR)
            back.join()

    def _back(self, behind: socket.socket) -> None:
        with suppress(OSError):
            while data := behind.recv(self.server.drop):
                time.sleep(self.server.pause)
                self.request.sendall(data)
            self.request.shutdown(socket.SHUT_WR)


class Proxy(socketserver.ThreadingTCPServer):
    """``seen`` is all that clients sent; answers come in pieces of ``drop`` bytes with a pause before each."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, url: str, drop: int, pause: float) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self.behind = (parts.hostname, parts.port)
        self.drop, self.pause, self.seen = drop, pause, b""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def in_front_of(url: str, *, drop: int = 65536, pause: float = 0.0) -> Iterator[Proxy]:
    """Run a proxy in front of a server."""
    with Proxy(url, drop, pause) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
