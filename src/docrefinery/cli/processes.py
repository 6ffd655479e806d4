"""The processes that `up` runs: started, watched, started again, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import structlog

log = structlog.get_logger(__name__)

STOP_SECONDS = 8.0
LOOK_SECONDS = 0.05
SLOWEST_RESTART = 15.0


class Process:
    """A child of `up` that should always run."""

    def __init__(self, name: str, arguments: Sequence[str], environ: dict[str, str], fds: Sequence[int] = ()) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "docrefinery", *arguments, "--parent", str(os.getpid())]
        self._environ = environ
        self._fds = tuple(fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = 0.0
        self._not_before = 0.0

    def start(self) -> None:
        """Start it. Ctrl-C on the terminal does not reach it: `up` stops it in order."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            pass_fds=self._fds,
            start_new_session=True,
        )
        self._started = time.monotonic()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid if self._process else 0

    @property
    def ended(self) -> int | None:
        """Its exit code if it has ended."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def ensure(self) -> None:
        """Start it again if it died: at once, but slower and slower if it dies soon after each start."""
        now = time.monotonic()
        code = self.ended
        if self._process is not None and code is not None:
            soon = now - self._started < SLOWEST_RESTART
            self._delay = min(max(self._delay * 2, 0.5), SLOWEST_RESTART) if soon else 0.0
            log.warning("process_died", name=self.name, exit_code=code, restart_in_seconds=self._delay)
            self._process, self._not_before = None, now + self._delay
        if self._process is None and now >= self._not_before:
            self.start()

    def ask_to_stop(self, number: int) -> None:
        """Send a signal."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def await_end(self, deadline: float) -> None:
        """Wait for its end until a time of the monotonic clock, then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            log.warning("process_killed", name=self.name)
            self._process.kill()
            self._process.wait()


def stop_all(processes: Sequence[Process], grace_seconds: float, hurried: Callable[[], bool]) -> None:
    """Stop processes, all at once: within seconds, after what they have in hand unless somebody is in a hurry."""
    # Also before SIGINT: one that has only begun to start ends of it, and does not print where it was.
    for process in processes:
        process.ask_to_stop(signal.SIGTERM)
    if not hurried():
        deadline = time.monotonic() + grace_seconds
        while not hurried() and time.monotonic() < deadline and any(process.running for process in processes):
            time.sleep(LOOK_SECONDS)
    if hurried():
        for process in processes:
            process.ask_to_stop(signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        process.await_end(deadline)
