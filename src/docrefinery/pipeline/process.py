"""One converter process as its parent sees it: spoken to, measured, released."""

import asyncio
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from docrefinery.capabilities import Hardware
from docrefinery.pipeline import protocol
from docrefinery.pipeline.environment import environment
from docrefinery.pipeline.hearsay import storable
from docrefinery.pipeline.jail.cell import home
from docrefinery.pipeline.removal import remove_tree
from docrefinery.pipeline.scratch import child_folder
from docrefinery.pipeline.watched import Birth, Started, Watched, stderr_file

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 64 * 1024


class ChildGone(Exception):
    """The process died, or closed its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """Bounds of a converter process.

    :param memory_bytes: address space and resident memory it may use.
    :param max_jobs: conversions after which it is replaced.
    :param max_rss_bytes: resident memory above which it is replaced after its job; models that it holds come on top
        of both.
    :param scratch_bytes: what it may write to its folder, beside the file that it is given.
    :param ocr_threads: pages that it recognises at a time.
    """

    memory_bytes: int = 4096 * 1024 * 1024
    max_jobs: int = 200
    max_rss_bytes: int = 1024 * 1024 * 1024
    scratch_bytes: int = 4096 * 1024 * 1024
    ocr_threads: int = 1


class ChildProcess(Watched):
    """A converter process.

    :param connection: this side's end of its socket.
    :param folder: its own folder, which goes with it.
    :ivar jobs: how many conversions it was asked for.
    :ivar tenant: whose documents it has seen; ``None`` is nobody's yet.
    :ivar owner: user that its files must belong to; ``None`` is this process's own.
    """

    def __init__(self, birth: Birth, connection: socket.socket, stderr: IO[bytes], folder: Path) -> None:
        super().__init__(birth, stderr)
        self.folder = folder
        self.jobs = 0
        self.tenant: str | None = None
        self.owner: int | None = None
        self._held = (0, 0)
        self._socket = connection
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    @property
    def forked(self) -> bool:
        """Whether it came from a zygote, which makes the next one in milliseconds."""
        return not isinstance(self._birth, Started)

    @classmethod
    def start(cls, scratch: Path | None, hardware: Hardware | None) -> "ChildProcess":
        """Start a process with a folder of its own under ``scratch``, or under the system's temporary folder.

        :param hardware: given to a process that is to load models.
        """
        folder = child_folder(scratch)
        stderr = stderr_file()
        ours, theirs = socket.socketpair()
        with theirs:
            birth = Started(
                "docrefinery.pipeline.child", theirs.fileno(), stderr, environment(home(folder), hardware), home(folder)
            )
        return cls(birth, ours, stderr, folder)

    async def greet(self, setup: protocol.Setup | None = None) -> protocol.Reply:
        """Send the first message, if there is one, and wait for the answer: :class:`~protocol.Ready` if all is well."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        if setup is not None:
            self.send(setup)
        return await self.receive()

    def send(self, message: protocol.Request) -> None:
        """Send a message to a warm process; if it is gone, the next :meth:`receive` says so."""
        assert self._writer is not None
        self._writer.write(protocol.encode(message))

    async def receive(self) -> protocol.Reply:
        """Wait for the next message.

        :raises ChildGone: if the process ended.
        :raises protocol.ProtocolError: if it sent what it must not send.
        """
        try:
            header = await self._reader.readexactly(protocol.HEADER_BYTES)
            body = await self._reader.readexactly(protocol.body_length(header))
            reply: protocol.Reply = storable(protocol.replies.decode(body))
            return reply
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ChildGone from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise protocol.ProtocolError(f"an invalid message: {error}") from error

    def rss_bytes(self) -> int:
        """Return the resident memory of the process and of those it started, 0 if it is gone.

        Keeps the peak of its own address space up to date.
        """
        size, resident = _memory(self.pid)
        self.peak_bytes = max(self.peak_bytes, size - self._held[0])
        return resident + sum(_memory(child)[1] for child in _children(self.pid))

    def used_bytes(self) -> int:
        """Return the resident memory without the models that it holds: what its bounds are for."""
        return max(self.rss_bytes() - self._held[1], 0)

    @property
    def held_bytes(self) -> int:
        """Resident memory of the models that it holds."""
        return self._held[1]

    def hold(self) -> None:
        """Take what the process needs now for what it holds."""
        self._held = _memory(self.pid)

    async def released(self) -> None:
        """Wait until the process is gone, then release everything it held."""
        await self.ended()
        if self._writer is not None:
            # Also of what was not sent yet: nothing may wait for the number of a socket that is closed.
            self._writer.transport.abort()
        self._socket.close()
        await asyncio.to_thread(remove_tree, self.folder)


def _memory(pid: int | str) -> tuple[int, int]:
    """Return a process's address space and resident memory in bytes, 0 if it is gone."""
    try:
        size, resident = _read(f"/proc/{pid}/statm").split()[:2]
    except (OSError, ValueError):
        return 0, 0
    return int(size) * _PAGE, int(resident) * _PAGE


def _children(pid: int) -> list[str]:
    """Return the processes that a process's threads have started, such as Tesseract."""
    found: list[str] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            found += _read(f"/proc/{pid}/task/{thread}/children").split()
    except OSError:
        pass  # It ended meanwhile, or this kernel does not tell.
    return found


def _read(path: str) -> str:
    """Return what the kernel says there, without the layers of a file: it is asked ten times a second."""
    descriptor, said = os.open(path, os.O_RDONLY | os.O_CLOEXEC), b""
    try:
        while more := os.read(descriptor, _BLOCK):
            said += more
    finally:
        os.close(descriptor)
    return said.decode("ascii")
