"""Work in a fork of this process, which has all that this one has and a processor of its own.

What both have costs nothing but for what is written to.
"""

import errno
import gc
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Self

import psutil

_LENGTH_BYTES = 8
_ROOM = 1.5
"""Of the memory that is in use: what each process may come to, since its parent counts shared pages for each."""


def processes(wanted: int) -> int:
    """Return how many processes there may be: one if this has threads, which a fork would lose, or little room."""
    if wanted < 2 or sys.platform != "linux" or len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return 1
    bound = resource.getrlimit(resource.RLIMIT_AS)[0]
    if bound == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, int(bound / (_ROOM * psutil.Process().memory_info().rss)) - 1)


class Fork:
    """A process that is at work; as a context it ends where nobody has waited for its last answer.

    :ivar pid: its process id, 0 when it has ended.
    :param works: each returns an answer, one after the other; what one raises ends this process as it ended the other.
    """

    def __init__(self, *works: Callable[[], bytes]) -> None:
        self._answers: list[bytes] = []
        self._expected = len(works)
        answers, out = os.pipe()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid:
            os.close(out)
            self._stream = os.fdopen(answers, "rb")
            return
        # Nothing of the parent's own end may run here: it leaves through this.
        code = 1
        try:
            os.close(answers)
            # The collector would write to what is shared, and so have it copied.
            gc.freeze()
            with os.fdopen(out, "wb") as stream:
                for work in works:
                    answer = work()
                    stream.write(len(answer).to_bytes(_LENGTH_BYTES))
                    stream.write(answer)
                    stream.flush()
            code = 0
        except MemoryError:
            code = errno.ENOMEM
        except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody catches
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self._ended()

    def answer(self, number: int = 0) -> bytes:
        """Wait for the answer to one of its works; raises :class:`MemoryError` if there was no memory left for it.

        :param number: counted from 0.
        """
        while len(self._answers) <= number:
            if not self.pid:
                raise MemoryError
            header = self._stream.read(_LENGTH_BYTES)
            length = int.from_bytes(header)
            answer = self._stream.read(length)
            if len(header) < _LENGTH_BYTES or len(answer) < length:
                self._fall()
            self._answers.append(answer)
        if self.pid and len(self._answers) == self._expected:
            self._ended()
        return self._answers[number]

    def _fall(self) -> None:
        """End as the other process did; one that had no memory left ends the asking alone."""
        ended = self._ended()
        if ended == errno.ENOMEM:
            raise MemoryError
        if ended < 0:
            # What ended one would have ended the other, and its parent is to hear of the same.
            if ended != -signal.SIGKILL:
                signal.signal(-ended, signal.SIG_DFL)
            os.kill(os.getpid(), -ended)
        os._exit(max(ended, 1))

    def _ended(self) -> int:
        self._stream.close()
        pid, self.pid = self.pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
