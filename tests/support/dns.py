"""A name server that answers as a script says: now this, then that (RFC 1035)."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

A, AAAA = 1, 28
Script = Mapping[str, Sequence[Sequence[str]]]
"""For each name the addresses of its first answer, its second, and so on; the last one is given for ever."""


class _Question(socketserver.BaseRequestHandler):
    server: "NameServer"

    def handle(self) -> None:
        """Answer one question."""
        packet, socket = self.request
        name, end = _name(packet, 12)
        kind = int.from_bytes(packet[end : end + 2], "big")
        found = [
            address
            for address in map(ip_address, self.server.answer(name, kind))
            if address.version == _VERSION.get(kind)
        ]
        header = packet[:2] + b"\x81\x80" + b"\0\1" + len(found).to_bytes(2, "big") + bytes(4)
        records = b"".join(
            b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1" + bytes(4) + len(one.packed).to_bytes(2, "big") + one.packed
            for one in found
        )
        socket.sendto(header + packet[12 : end + 4] + records, self.client_address)


_VERSION = {A: 4, AAAA: 6}


def _name(packet: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := packet[at]:
        labels.append(packet[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), at + 1


class NameServer(socketserver.ThreadingUDPServer):
    """Answers with no time to live; what it does not know has no address."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], script: Script) -> None:
        super().__init__(address, _Question)
        self.asked: Counter[tuple[str, int]] = Counter()
        self._script = script
        self._lock = threading.Lock()

    def answer(self, name: str, kind: int) -> Sequence[str]:
        """Return the addresses for the next question of this kind about a name."""
        with self._lock:
            turns = self._script.get(name, [[]])
            turn = min(self.asked[name, kind], len(turns) - 1)
            self.asked[name, kind] += 1
        return turns[turn]


@contextmanager
def answering(address: tuple[str, int], script: Script) -> Iterator[NameServer]:
    """Run one."""
    with NameServer(address, script) as server:
        thread: Any = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
