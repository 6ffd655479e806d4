"""Webhooks to names that rebind, in a network of its own: ``unshare --mount --net python -m tests.support.rebinding``.

The loopback device is all of that network; it also has a public address. The system's resolver asks our name server.
"""

import asyncio
import fcntl
import json
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from uuid import uuid4

from docrefinery.errors import InvalidWebhookUrl
from docrefinery.services.webhooks.guard import Guard, SystemResolver
from docrefinery.services.webhooks.sending import Letter, Sender
from tests.support.dns import A, answering

PUBLIC, PORT = "93.184.216.34", 8099
SCRIPT = {
    "public.test": [[PUBLIC]],
    "rebinds.test": [[PUBLIC], ["127.0.0.1"]],
    "back.test": [[PUBLIC], [PUBLIC], ["127.0.0.1"]],
    "families.test": [[PUBLIC, "::1"]],
    "both.test": [[PUBLIC, "127.0.0.1"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "nat64.test": [["64:ff9b::7f00:1"]],
    "metadata.test": [["169.254.169.254"]],
}
_SIOCSIFFLAGS, _SIOCSIFADDR, _UP = 0x8914, 0x8916, 0x41


class Private(BaseHTTPRequestHandler):
    """Answers, and notes who was asked."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Take a request."""
        self.asked.append(self.connection.getsockname()[0])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""


def furnish() -> None:
    """Bring loopback up with a public address besides its own, and have the resolver ask there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _UP))
        address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(PUBLIC))
        fcntl.ioctl(control, _SIOCSIFADDR, address)
    for file, text in (
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        own = Path(tempfile.mkdtemp()) / file
        own.write_text(text)
        subprocess.run(["mount", "--bind", own, f"/etc/{file}"], check=True)


async def attempt(name: str) -> dict[str, Any]:
    """Register a webhook at a name, and send to it."""
    guard = Guard((), SystemResolver())
    url = f"http://{name}:{PORT}/hook"
    try:
        await guard.check(url)
        registered = True
    except InvalidWebhookUrl:
        registered = False
    sender = Sender(guard, connections=1, trusted=ssl.create_default_context(), limit_seconds=5)
    result = await sender.send(Letter(url=url, body=b"{}", event="ping", delivery=uuid4(), secret=None))
    await sender.close()
    return {
        "registered": registered,
        "status": getattr(result, "status", None),
        "reason": getattr(result, "reason", ""),
    }


def main() -> None:
    """Try each name, and print what came of it."""
    furnish()
    receiver = HTTPServer(("0.0.0.0", PORT), Private)
    Thread(target=receiver.serve_forever, daemon=True).start()
    told: dict[str, Any] = {}
    with answering(("127.0.0.1", 53), SCRIPT) as names:
        for name in SCRIPT:
            Private.asked.clear()
            told[name] = asyncio.run(attempt(name))
            told[name] |= {"reached": list(Private.asked), "questions": names.asked[name, A]}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
