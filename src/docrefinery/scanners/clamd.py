"""``clamd``: the ClamAV daemon over its socket, with the INSTREAM command (clamd(8)).

Our own client, because those on PyPI lose the reply "size limit exceeded": clamd sends it and closes the connection
while the file is still being sent, so the reply has to be read although sending failed.
"""

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from docrefinery.plugin import Clean, Infected, ScanEngine, Scanner, ScannerDown, Unscannable, Verdict

_CHUNK = 256 * 1024
_CONNECT_SECONDS = 5
_REPLY_SECONDS = 300
# Under what `/readyz` gives a check, so that its thread is free again before the next probe.
_CHECK_SECONDS = 2
_LONGEST_REPLY = 4096


class Clamd:
    """A client of one daemon; a connection a file."""

    def __init__(self, address: str, reply_seconds: float = _REPLY_SECONDS) -> None:
        """Take the address, ``host:port`` or ``unix:/path``; nothing is connected yet."""
        self._address = address
        self._reply_seconds = reply_seconds

    def scan(self, path: Path) -> Verdict:
        """Send the file and return what the daemon says of it."""
        with path.open("rb") as file:
            try:
                with self._connect(self._reply_seconds) as connection:
                    # Losing the connection while sending is how the daemon refuses a file that is too long for it.
                    with suppress(ConnectionError):
                        connection.sendall(b"zINSTREAM\0")
                        while chunk := file.read(_CHUNK):
                            connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
                        connection.sendall(bytes(4))
                    reply = _reply(connection)
            except OSError as error:
                raise self._down(error) from error
        return self._verdict(reply)

    def check(self) -> None:
        """Ask the daemon whether it is there."""
        try:
            with self._connect(_CHECK_SECONDS) as connection:
                connection.sendall(b"zPING\0")
                reply = _reply(connection)
        except OSError as error:
            raise self._down(error) from error
        if reply != "PONG":
            raise ScannerDown(f"what listens at {self._address} is not clamd: it answered {reply!r}")

    def _connect(self, reply_seconds: float) -> socket.socket:
        connect_seconds = min(_CONNECT_SECONDS, reply_seconds)
        if self._address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(connect_seconds)
            try:
                connection.connect(self._address.removeprefix("unix:"))
            except OSError:
                connection.close()
                raise
        else:
            host, _, port = self._address.rpartition(":")
            connection = socket.create_connection((host.strip("[]"), int(port)), connect_seconds)
        connection.settimeout(reply_seconds)
        return connection

    def _verdict(self, reply: str) -> Verdict:
        match = re.fullmatch(r"stream: (?:(.+) FOUND|OK)", reply)
        if match is None:
            if "size limit exceeded" in reply:
                return Unscannable(reason=f"the file is longer than clamd's StreamMaxLength: {reply}")
            raise ScannerDown(f"clamd at {self._address} answered {reply!r}")
        signature = match[1]
        if signature is None:
            return Clean()
        if signature.startswith("Heuristics.Limits.Exceeded"):
            return Unscannable(reason=f"the file exceeds a limit of clamd: {signature}")
        return Infected(signature=signature)

    def _down(self, error: OSError) -> ScannerDown:
        return ScannerDown(f"clamd at {self._address} cannot be reached: {error}")


def _reply(connection: socket.socket) -> str:
    received = b""
    # A connection that is reset after the reply has still brought the reply.
    with suppress(ConnectionError):
        while not received.endswith(b"\0") and len(received) < _LONGEST_REPLY:
            more = connection.recv(_LONGEST_REPLY)
            if not more:
                break
            received += more
    return received.rstrip(b"\0\n").decode(errors="replace")


def create(environ: Mapping[str, str]) -> ScanEngine:
    """Make a client of the daemon that ``DOCREFINERY_CLAMD_ADDRESS`` names."""
    address = environ.get("DOCREFINERY_CLAMD_ADDRESS", "").strip()
    if not re.fullmatch(r"unix:/.+|.+:\d+", address):
        raise ValueError(f"DOCREFINERY_CLAMD_ADDRESS={address}: use host:port or unix:/path")
    return Clamd(address)


CLAMD = Scanner(
    name="clamd",
    summary="The ClamAV daemon at DOCREFINERY_CLAMD_ADDRESS.",
    create=create,
)
