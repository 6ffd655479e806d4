"""A process that leads a session: watched, killed with all that it started, buried."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, Protocol

_STDERR_TAIL = 8 * 1024


class Birth(Protocol):
    """How a process came to be: whose child it is, and who has to wait for it."""

    @property
    def pid(self) -> int:
        """Its number, which is no other process's until it is buried."""

    async def bury(self) -> int:
        """Wait for the process, which has ended, and return its exit code or minus the signal."""


class Started:
    """A child of this process, started anew.

    :param module: what it runs; it is given the number of ``descriptor``, which it inherits.
    """

    def __init__(self, module: str, descriptor: int, stderr: IO[bytes], environ: dict[str, str], home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=(descriptor,),
            env=environ,
            cwd=home,
            start_new_session=True,
        )
        self.pid = self.process.pid

    async def bury(self) -> int:
        """Wait for it; see :class:`Birth`."""
        return self.process.wait()


class Watched:
    """A process that leads a session of its own, so that everything it started dies with it.

    The loop that runs must be the one that later awaits it.

    :ivar peak_bytes: the most of its address space that was seen, without what it holds for good.
    :ivar killed: whether this side ended it.
    :ivar returncode: exit code, or minus the signal that ended it; ``None`` while it runs.
    """

    def __init__(self, birth: Birth, stderr: IO[bytes]) -> None:
        self.pid = birth.pid
        self.peak_bytes = 0
        self.killed = False
        self.returncode: int | None = None
        self._birth = birth
        self._stderr = stderr
        self._last_words = ""
        self._gone = asyncio.Event()
        self._burial: asyncio.Task[None] | None = None
        self._watch()

    @property
    def alive(self) -> bool:
        """Whether the process is neither ended nor about to end."""
        return not (self.killed or self._burial is not None)

    def kill(self) -> None:
        """End the process and everything it started, at once."""
        if self.alive:
            self.killed = True
            self._kill_group()

    async def ended(self) -> None:
        """Wait until the process is gone."""
        await self._gone.wait()

    def stderr_tail(self) -> str:
        """Return the end of what the process wrote to stderr since it was last cleared."""
        if self._stderr.closed:
            return self._last_words
        size = os.fstat(self._stderr.fileno()).st_size
        tail = os.pread(self._stderr.fileno(), _STDERR_TAIL, max(0, size - _STDERR_TAIL))
        return tail.decode(errors="replace").strip()

    def clear_stderr(self) -> None:
        """Forget what was written to stderr, so that the file stays small and a tail is of one job."""
        if not self._stderr.closed:
            # Both processes share the offset, so this moves the child's as well.
            os.lseek(self._stderr.fileno(), 0, os.SEEK_SET)
            os.ftruncate(self._stderr.fileno(), 0)

    def _kill_group(self) -> None:
        # macOS refuses to signal a group of zombies.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # One that was forked a moment ago may not lead its session yet.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGKILL)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        if sys.platform == "linux":
            pidfd = os.pidfd_open(self.pid)

            def ended() -> None:
                loop.remove_reader(pidfd)
                os.close(pidfd)
                self._over()

            loop.add_reader(pidfd, ended)
        else:
            assert isinstance(self._birth, Started)
            wait = self._birth.process.wait
            Thread(target=lambda: (wait(), loop.call_soon_threadsafe(self._over)), daemon=True).start()

    def _over(self) -> None:
        self._burial = asyncio.ensure_future(self._bury())

    async def _bury(self) -> None:
        # Before the burial: until then the number is ours, so the group cannot be somebody else's.
        self._kill_group()
        self.returncode = await self._birth.bury()
        self._last_words = self.stderr_tail()
        self._stderr.close()
        self._gone.set()


def stderr_file() -> IO[bytes]:
    """Return a file without a name for what a process writes to stderr."""
    return tempfile.TemporaryFile(buffering=0)
