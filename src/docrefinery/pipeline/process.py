"""One converter process as its parent sees it: started, spoken to, watched, killed, reaped."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

import msgspec

from docrefinery.capabilities import Hardware
from docrefinery.pipeline import protocol

_STDERR_TAIL = 8 * 1024
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Slots are processes; a library that starts a thread per core inside each of them only makes them fight.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# Which of the machine's GPUs it may see, and where their libraries are.
_ACCELERATORS = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "ZE_AFFINITY_MASK")


class ChildGone(Exception):
    """The process died, or closed its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """Bounds of a converter process.

    :param memory_bytes: address space and resident memory it may use.
    :param max_jobs: conversions after which it is replaced.
    :param max_rss_bytes: resident memory above which it is replaced after its job; models that it holds come on top
        of both.
    :param ocr_threads: pages that it recognises at a time.
    """

    memory_bytes: int = 4096 * 1024 * 1024
    max_jobs: int = 200
    max_rss_bytes: int = 1024 * 1024 * 1024
    ocr_threads: int = 1


class ChildProcess:
    """A started process. It lives in a session of its own, so that the whole group dies with it."""

    def __init__(self, scratch: Path | None, hardware: Hardware | None = None) -> None:
        """Start a process with a folder of its own under ``scratch``, or under the system's temporary folder.

        The loop that runs must be the one that later awaits it.

        :param hardware: given to a process that is to load models.
        """
        self.peak_bytes = 0
        self._held = (0, 0)
        self.jobs = 0
        self.killed = False
        self._scratch = Path(tempfile.mkdtemp(prefix="docrefinery-child-", dir=scratch))
        self._stderr = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by _reap
        self._last_words = ""
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "docrefinery.pipeline.child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=(theirs.fileno(),),
                env=environment(self._scratch, hardware),
                cwd=self._scratch,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._gone = asyncio.Event()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._watch()

    async def warm(self, setup: protocol.Setup) -> protocol.Reply:
        """Send the first message and wait for the answer: :class:`~protocol.Ready` where all is well."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        self.send(setup)
        return await self.receive()

    @property
    def alive(self) -> bool:
        """Whether the process is neither ended nor about to end."""
        return not (self.killed or self._gone.is_set())

    @property
    def returncode(self) -> int | None:
        """Exit code, or minus the signal that ended it; ``None`` while it runs."""
        return self._process.returncode

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
            return protocol.replies.decode(body)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ChildGone from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
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

    def hold(self) -> None:
        """Take what the process needs now for what it holds."""
        self._held = _memory(self.pid)

    def kill(self) -> None:
        """End the process and everything it started, at once."""
        if self.alive:
            self.killed = True
            self._kill_group()

    async def ended(self) -> None:
        """Wait until the process is gone."""
        await self._gone.wait()

    async def released(self) -> None:
        """Wait until the process is gone, then release everything it held."""
        await self._gone.wait()
        if self._writer is not None:
            self._writer.close()
        self._socket.close()
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)

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

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        if sys.platform == "linux":
            pidfd = os.pidfd_open(self.pid)

            def ended() -> None:
                loop.remove_reader(pidfd)
                os.close(pidfd)
                self._reap()

            loop.add_reader(pidfd, ended)
        else:
            reap = partial(loop.call_soon_threadsafe, self._reap)
            Thread(target=lambda: (self._process.wait(), reap()), daemon=True).start()

    def _reap(self) -> None:
        # Before the wait: until then the number is ours, so the group cannot be somebody else's.
        self._kill_group()
        self._process.wait()
        self._last_words = self.stderr_tail()
        self._stderr.close()
        self._gone.set()


def _memory(pid: int | str) -> tuple[int, int]:
    """Return a process's address space and resident memory in bytes, 0 if it is gone."""
    try:
        size, resident = Path(f"/proc/{pid}/statm").read_text("ascii").split()[:2]
    except (OSError, ValueError):
        return 0, 0
    return int(size) * _PAGE, int(resident) * _PAGE


def _children(pid: int) -> list[str]:
    """Return the processes that a process's threads have started, such as Tesseract."""
    found: list[str] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += (thread / "children").read_text("ascii").split()
    except OSError:
        pass  # It ended meanwhile, or this kernel does not tell.
    return found


def environment(scratch: Path, hardware: Hardware | None = None) -> dict[str, str]:
    """Return a converter's environment variables: nothing that is secret, nothing that leads outside."""
    names = ("PATH", "PYTHONPATH", "TESSDATA_PREFIX", *(_ACCELERATORS if hardware else ()))
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "HF_HUB_OFFLINE": "1",
        **dict.fromkeys(_THREADS, str(hardware.threads if hardware else 1)),
    }
