"""Starting children that cannot outlive this process."""

import os
import queue
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from docrefinery.embedded.account import Account

_LAUNCHER = Path(__file__).with_name("launch.py")
# Nothing of the caller's: PGDATA, LD_PRELOAD, a locale or a time zone would change what the servers do.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Something to run.

    :ivar argv: the program's absolute path and its arguments.
    :ivar folder: its working directory. Entered before the user is dropped: that user may not be able to reach it.
    :ivar account: whom to run it as; None is the caller.
    :ivar death_signal: what it gets when this process dies.
    """

    argv: tuple[str, ...]
    folder: Path
    account: Account | None
    death_signal: Signals


class Spawner:
    """Starts programs from one thread, which lasts until :meth:`close`.

    The death signal comes when the *thread* that forked ends, not only when the process does: started from a pool's
    thread, PostgreSQL would stop together with that thread.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[tuple[Program, int, int, Future[subprocess.Popen[bytes]]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._serve, name="docrefinery-embedded", daemon=True)
        self._thread.start()

    def start(self, program: Program, *, output: int, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, so that a Ctrl-C on the terminal does not reach it.

        :param program: what to run.
        :param output: descriptor (or ``subprocess.PIPE``) that gets what it writes.
        :param stdin: descriptor (or ``subprocess.PIPE``) that it reads from.
        :raises OSError: when it cannot be started.
        """
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._requests.put((program, output, stdin, answer))
        return answer.result()

    def close(self) -> None:
        """End the thread, and with it whatever still runs."""
        self._requests.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            program, output, stdin, answer = request
            try:
                answer.set_result(_popen(program, output, stdin))
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                answer.set_exception(error)


def _popen(program: Program, output: int, stdin: int) -> subprocess.Popen[bytes]:
    account = program.account or Account(-1, -1)
    words = (os.getpid(), int(program.death_signal), account.uid, account.gid)
    return subprocess.Popen(
        [sys.executable, "-IS", str(_LAUNCHER), *map(str, words), *program.argv],
        cwd=program.folder,
        env=_ENVIRONMENT,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
