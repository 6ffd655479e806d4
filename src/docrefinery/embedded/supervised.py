"""One server: started, awaited, watched, stopped."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from docrefinery.embedded import logs, orphans
from docrefinery.embedded.account import Account
from docrefinery.embedded.errors import ServiceFailed
from docrefinery.embedded.spawner import Program, Spawner
from docrefinery.embedded.waiting import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What there is to know about a server.

    :ivar name: as the operator knows it.
    :ivar argv: program and arguments.
    :ivar folder: its data and working directory.
    :ivar log: file for what it writes.
    :ivar account: whom it runs as.
    :ivar stop_signal: what stops it in order.
    :ivar death_signal: what stops it at once without damage, for when the parent is gone.
    :ivar clear: removes what a dead predecessor left and what would keep it from starting.
    :ivar ready: whether the server with this process id takes requests.
    :ivar limit_s: seconds it may take to become ready.
    :ivar advice: what to do when it does not start.
    """

    name: str
    argv: tuple[str, ...]
    folder: Path
    log: Path
    account: Account | None
    stop_signal: Signals
    death_signal: Signals
    clear: Callable[[], None]
    ready: Callable[[int], bool]
    limit_s: float
    advice: str


class Supervised:
    """A server and its process, if it has one."""

    def __init__(self, service: Service, spawner: Spawner) -> None:
        self.service = service
        self._spawner = spawner
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def launch(self) -> None:
        """Start the server without waiting for it. Nobody else may be running in its folder.

        :raises OSError: when it cannot be started.
        """
        service = self.service
        service.clear()
        program = Program(
            argv=service.argv, folder=service.folder, account=service.account, death_signal=service.death_signal
        )
        log = logs.open_log(service.log)
        try:
            self._log_start = logs.size(service.log)
            self._process = self._spawner.start(program, output=log)
        finally:
            # The server has its own copy by now.
            os.close(log)

    def wait_ready(self, abandoned: Callable[[], bool]) -> None:
        """Wait until it takes requests.

        :param abandoned: whether somebody wants to stop it meanwhile.
        :raises ServiceFailed: when it ends first, or takes too long.
        """
        service = self.service
        ready = until(lambda: abandoned() or not self.alive or service.ready(self.pid), service.limit_s)
        if abandoned():
            raise ServiceFailed(f"{service.name} was stopped while it was starting.")
        if not self.alive:
            raise ServiceFailed(f"{service.name} did not start. {self.last_words()}\n{service.advice}")
        if not ready:
            raise ServiceFailed(
                f"{service.name} was not ready after {service.limit_s:.0f} seconds. {self._lines()}\n{service.advice}"
            )

    @property
    def pid(self) -> int:
        """The server's process id; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """How it ended, and its last log lines."""
        code = self._process.returncode if self._process else 0
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        return f"It {how}. {self._lines()}"

    def ask_to_stop(self) -> None:
        """Send the signal that stops it in order."""
        if self._process and self.alive:
            self._process.send_signal(self.service.stop_signal)

    def await_end(self, deadline: float) -> None:
        """Wait for its end until a time of the monotonic clock, then end it and all its children."""
        if not self._process:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        if self.alive:
            self._process.kill()
            self._process.wait()
        self.end_children()

    def end_children(self) -> None:
        """After its death, end what it left running: a busy backend notices only when it next waits."""
        orphans.end(self.service.folder, Signals.SIGKILL, patience_s=1.0)

    def _lines(self) -> str:
        return f"Its last lines in {self.service.log}:\n{logs.last_lines(self.service.log, self._log_start)}"


def end_all(servers: list[Supervised], limit_s: float) -> None:
    """Stop servers in order, all at once, and forget them; after so many seconds kill them and their children."""
    deadline = time.monotonic() + limit_s
    with ExitStack() as every:
        every.callback(servers.clear)
        for server in servers:
            every.callback(server.await_end, deadline)
            server.ask_to_stop()


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
