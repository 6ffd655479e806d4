"""A zygote as its worker sees it, and the children that it forks."""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from docrefinery.capabilities import Hardware
from docrefinery.pipeline import protocol
from docrefinery.pipeline.environment import environment
from docrefinery.pipeline.jail.cell import home
from docrefinery.pipeline.process import ChildProcess
from docrefinery.pipeline.removal import remove_tree
from docrefinery.pipeline.scratch import child_folder
from docrefinery.pipeline.watched import Started, Watched, stderr_file

FORK_SECONDS = 20.0


class ZygoteGone(Exception):
    """The zygote died, or says what makes no sense; the message says which."""


class Zygote(Watched):
    """The process that children are forked from.

    :param control: this side's end of its socket.
    :param folder: its own folder, which goes with it.
    """

    def __init__(self, birth: Started, control: socket.socket, stderr: IO[bytes], folder: Path) -> None:
        super().__init__(birth, stderr)
        self.folder = folder
        self._control = control
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def start(cls, scratch: Path | None, hardware: Hardware | None) -> "Zygote":
        """Start one with a folder of its own under ``scratch``, or under the system's temporary folder.

        :param hardware: given to one that is to load models, in one thread.
        """
        folder = child_folder(scratch)
        stderr = stderr_file()
        # Keeps messages apart, and takes descriptors along.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        alone = msgspec.structs.replace(hardware, threads=1) if hardware else None
        with theirs:
            birth = Started(
                "docrefinery.pipeline.zygote", theirs.fileno(), stderr, environment(home(folder), alone), home(folder)
            )
        return cls(birth, ours, stderr, folder)

    async def warm(self, setup: protocol.Setup) -> protocol.Warm | protocol.Unusable:
        """Have it load everything; raises :class:`ZygoteGone`."""
        report = await self._order(setup)
        if isinstance(report, protocol.Warm | protocol.Unusable):
            return report
        raise ZygoteGone(f"it answered {report!r}")

    async def fork(self, scratch: Path | None) -> ChildProcess:
        """Have a child made, which then says by itself that it is ready; raises :class:`ZygoteGone`."""
        folder = child_folder(scratch)
        stderr = stderr_file()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                order = protocol.Fork(str(folder))
                async with asyncio.timeout(FORK_SECONDS):
                    report = await self._order(order, theirs.fileno(), stderr.fileno())
            if not isinstance(report, protocol.Forked) or report.problem:
                raise ZygoteGone(report.problem if isinstance(report, protocol.Forked) else f"it answered {report!r}")
            return ChildProcess(_Forked(report.pid, self), ours, stderr, folder)
        except BaseException as error:
            ours.close()
            stderr.close()
            remove_tree(folder)
            if isinstance(error, TimeoutError):
                raise ZygoteGone(f"it did not fork within {FORK_SECONDS:g} s") from None
            raise

    async def bury(self, pid: int) -> int:
        """Have it wait for a child of its own; one that died with it was killed."""
        try:
            async with asyncio.timeout(FORK_SECONDS):
                report = await self._order(protocol.Bury(pid))
        except (ZygoteGone, TimeoutError):
            return -signal.SIGKILL
        return report.returncode if isinstance(report, protocol.Buried) else -signal.SIGKILL

    async def released(self) -> None:
        """Wait until the process is gone, then release everything it held."""
        await self.ended()
        # Who waits for an answer hears that there is none, also where a child of it still has the other end. Only then
        # is the number free for another socket: the loop would not wait for what has it next.
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        async with self._one_at_a_time:
            self._control.close()
        await asyncio.to_thread(remove_tree, self.folder)

    async def _order(self, order: protocol.Order, *descriptors: int) -> protocol.Report:
        # An answer that nobody waits for any more would be taken for the next one's; what the order takes along is kept
        # open by its own descriptors until then.
        own = [os.dup(descriptor) for descriptor in descriptors]
        exchange = asyncio.ensure_future(self._exchange(order, own))
        exchange.add_done_callback(lambda _: _close(own))
        return await asyncio.shield(exchange)

    async def _exchange(self, order: protocol.Order, descriptors: list[int]) -> protocol.Report:
        async with self._one_at_a_time:
            try:
                socket.send_fds(self._control, [protocol.packet(order)], descriptors)
                answer = await asyncio.get_running_loop().sock_recv(self._control, protocol.MAX_PACKET)
            except OSError as error:
                raise ZygoteGone(f"it cannot be reached: {error.strerror}") from error
            if not answer:
                raise ZygoteGone("it ended")
            try:
                return protocol.reports.decode(answer)
            except msgspec.DecodeError as error:
                raise ZygoteGone(f"it sent an invalid message: {error}") from error


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class _Forked:
    """A child of a zygote."""

    def __init__(self, pid: int, zygote: Zygote) -> None:
        self.pid = pid
        self._zygote = zygote

    async def bury(self) -> int:
        """Wait for it; see :class:`~docrefinery.pipeline.watched.Birth`."""
        return await self._zygote.bury(self.pid)
