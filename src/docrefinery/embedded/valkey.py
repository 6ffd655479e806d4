"""Valkey as a service."""

import socket
from pathlib import Path
from signal import Signals
from urllib.parse import quote

from docrefinery.embedded.account import Account
from docrefinery.embedded.sockets import VALKEY_SOCKET
from docrefinery.embedded.supervised import Service

_START_LIMIT_S = 60.0
_PROBE_LIMIT_S = 1.0


def valkey_service(
    program: Path, folder: Path, sockets: Path, log: Path, *, account: Account | None, durable: bool
) -> Service:
    """Describe the server.

    :param program: the Valkey or Redis server.
    :param folder: its data.
    :param sockets: folder for its socket.
    :param log: file for what it writes.
    :param account: whom it runs as; None is the caller.
    :param durable: whether a message must survive a crash of the machine (all but the last second's).
    """
    path = sockets / VALKEY_SOCKET
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "appendonly": "yes",
        "appendfsync": "everysec" if durable else "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        # The folder it is started in: its own user may not be able to come back to it by name.
        "dir": "./",
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return Service(
        name="Valkey",
        argv=(str(program), *words),
        folder=folder,
        log=log,
        account=account,
        stop_signal=Signals.SIGTERM,
        death_signal=Signals.SIGTERM,
        clear=lambda: path.unlink(missing_ok=True),
        ready=lambda _: _answers(path),
        limit_s=_START_LIMIT_S,
        advice=f"If its data is damaged, delete {folder}: it holds notifications only, no job gets lost with them.",
    )


def valkey_url(sockets: Path) -> str:
    """The URL that redis-py and Dramatiq read."""
    return f"unix://{quote(str(sockets / VALKEY_SOCKET))}?db=0"


def _answers(path: Path) -> bool:
    """Whether the server has loaded its data: before that it answers with an error."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PROBE_LIMIT_S)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
