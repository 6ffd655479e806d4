"""Hosts of a small network on this machine: network namespaces on one bridge, and what they reach of the outside."""

import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from tests.support.packages import require_package
from tests.support.processes import DOCREFINERY

_NAME = "dr"
"""What networks are called, before the number of the process that made them."""
Behind = str | tuple[str, int]
"""A Unix socket's path, or an address."""


class _Connection(socketserver.BaseRequestHandler):
    server: "Relay"

    def handle(self) -> None:
        """Carry one connection in both directions; a server that is gone is a connection that ends."""
        with suppress(OSError), self.server.connected() as behind:
            back = threading.Thread(target=_carry, args=(behind, self.request), daemon=True)
            back.start()
            _carry(self.request, behind)
            back.join()


class Relay(socketserver.ThreadingTCPServer):
    """A port of the network that leads to a server which listens elsewhere."""

    daemon_threads = True

    def __init__(self, address: str, behind: Behind) -> None:
        super().__init__((address, 0), _Connection)
        self.behind = behind

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def connected(self) -> socket.socket:
        """Return a connection to the server."""
        if isinstance(self.behind, tuple):
            return socket.create_connection(self.behind)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.behind)
        except OSError:
            # The server may end before those who come back to it again and again.
            connection.close()
            raise
        return connection


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Host:
    """A host with an address of its own and a cable that can be pulled."""

    def __init__(self, name: str, network: str) -> None:
        self.name = name
        self._space = f"{network}-{name}"
        self._cable = f"{network}{name}"[:15]

    def run(self, *arguments: str, environ: dict[str, str], home: Path) -> "subprocess.Popen[bytes]":
        """Run a command of ours there, as the host of that name; what it says goes to ``log.txt`` of its folder."""
        home.mkdir(exist_ok=True)
        named = 'hostname "$1"; shift; exec "$@"'
        command = ["ip", "netns", "exec", self._space, "unshare", "--uts", "sh", "-c", named, "sh", self.name]
        with home.joinpath("log.txt").open("ab") as log:
            return subprocess.Popen(
                [*command, *DOCREFINERY, *arguments],
                env=environ,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def cut_off(self) -> None:
        """Pull the cable: nothing arrives, and nobody is told."""
        _ip("link", "set", self._cable, "down")

    def join(self) -> None:
        """Plug it in again."""
        _ip("link", "set", self._cable, "up")


class Network:
    """Some hosts, and this machine at ``address``."""

    def __init__(self, name: str, third_byte: int) -> None:
        self._name = name
        self._prefix = f"10.231.{third_byte}"
        self.address = f"{self._prefix}.1"
        self._stack = ExitStack()

    def open(self) -> None:
        """Make the bridge."""
        _ip("link", "add", self._name, "type", "bridge")
        self._stack.callback(_ip, "link", "del", self._name)
        _ip("addr", "add", f"{self.address}/24", "dev", self._name)
        _ip("link", "set", self._name, "up")

    def close(self) -> None:
        """End its hosts and take it away."""
        self._stack.close()

    def host(self, name: str, last_byte: int) -> Host:
        """Add a host."""
        space, cable = f"{self._name}-{name}", f"{self._name}{name}"[:15]
        _ip("netns", "add", space)
        self._stack.callback(_end, space)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", cable, "master", self._name, "up")
        for arguments in (
            ("addr", "add", f"{self._prefix}.{last_byte}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", space, *arguments)
        return Host(name, self._name)

    def lead_to(self, behind: Behind) -> int:
        """Make a port of this machine lead to a server, and return it."""
        relay = Relay(self.address, behind)
        self._stack.callback(relay.server_close)
        self._stack.callback(relay.shutdown)
        threading.Thread(target=relay.serve_forever, args=(0.05,), daemon=True).start()
        return relay.port


@contextmanager
def network(third_byte: int) -> Iterator[Network]:
    """Make a network of its own; skip the test where that is not allowed."""
    import pytest  # noqa: PLC0415 - the rest of this file needs no test

    require_package("ip", "iproute2")
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("networks are made by root alone")
    made = Network(f"{_NAME}{os.getpid()}", third_byte)
    try:
        try:
            _remove_leftovers()
            made.open()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"networks cannot be made here: {error.stderr.strip()}")
        yield made
    finally:
        made.close()


def _remove_leftovers() -> None:
    """Remove the networks of test runs that were killed: two with the same addresses lead nowhere."""
    for bridge in json.loads(_ip("-json", "link", "show", "type", "bridge") or "[]"):
        name = bridge["ifname"]
        pid = name.removeprefix(_NAME)
        if name.startswith(_NAME) and pid.isdecimal() and not psutil.pid_exists(int(pid)):
            for space in json.loads(_ip("-json", "netns", "list") or "[]"):
                if space["name"].startswith(f"{name}-"):
                    _end(space["name"])
            _ip("link", "del", name)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def _end(space: str) -> None:
    for pid in _ip("netns", "pids", space).split():
        with suppress(psutil.NoSuchProcess):
            psutil.Process(int(pid)).kill()
    _ip("netns", "del", space)
