"""A ClamAV daemon that says what a test wants, when it wants."""

import socketserver
import threading
from contextlib import suppress
from typing import Self


class _Connection(socketserver.StreamRequestHandler):
    server: "Daemon"

    def handle(self) -> None:
        """Answer one command."""
        with suppress(ConnectionError):
            self._answer()

    def _answer(self) -> None:
        command = self.rfile.read(6)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        if command + self.rfile.read(4) != b"zINSTREAM\0":
            return
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
        if b"% HOLD" in content:
            self.server.lets_go.wait()
        self.wfile.write(b"stream: Test.Signature FOUND\0" if b"INFECTED" in content else b"stream: OK\0")


class Daemon(socketserver.ThreadingTCPServer):
    """Says of everything that it is clean, but of what has the word INFECTED in it.

    What has ``% HOLD`` in it is judged as soon as ``lets_go`` is set.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, _Connection)
        self.lets_go = threading.Event()
        self.lets_go.set()

    @property
    def address(self) -> str:
        """Where it listens, as the setting wants it."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        """Answer from now on."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        """Listen no more."""
        self.lets_go.set()
        self.shutdown()
        self.server_close()
