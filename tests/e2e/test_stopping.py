"""Ctrl-C and SIGTERM: everything ends within seconds, and nothing is lost."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital, slow
from tests.support.processes import DOCREFINERY, wait_until, working_in
from tests.support.refinery import Refinery, fresh

# Makes the terminal its controlling one, as a login shell does, and becomes the program.
ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
STOP_LIMIT = 8.0


def assert_finishes_what_was_in_hand(own: Refinery, job_ids: list[int]) -> None:
    assert not working_in(own.home)
    assert list(own.home.joinpath("tmp").iterdir()) == []
    assert list(own.data_dir.joinpath("scratch").iterdir()) == []
    own.start()
    for job_id in job_ids:
        own.assert_one_set(job_id)
        assert own.client.job(job_id)["attempt"] == 1


def times_claimed(own: Refinery) -> int:
    return own.log.read_text(errors="replace").count("job_claimed")


def test_sigterm_lets_the_job_in_hand_end_and_leaves_the_next_in_the_queue(make: Start) -> None:
    own = make(DOCREFINERY_STOP_GRACE_SECONDS="40", DOCREFINERY_MAX_CRASHES="1").start()
    in_hand = own.client.submit(fresh(slow(12)))["job_id"]
    queued = own.client.submit(fresh(born_digital()))["job_id"]
    own.client.running(in_hand)
    own.stop(signal.SIGTERM)
    assert times_claimed(own) == 1
    assert "job_given_back" not in own.log.read_text(errors="replace")
    assert_finishes_what_was_in_hand(own, [in_hand, queued])
    assert times_claimed(own) == 2


def test_a_second_sigterm_gives_the_job_in_hand_back_at_once(make: Start) -> None:
    own = make(DOCREFINERY_STOP_GRACE_SECONDS="300", DOCREFINERY_MAX_CRASHES="1").start()
    in_hand = own.client.submit(fresh(slow(60)))["job_id"]
    own.client.running(in_hand)
    own.send(signal.SIGTERM)
    wait_until(lambda: "worker_stops" in own.log.read_text(errors="replace"), 5)
    assert own.stop(signal.SIGTERM) < STOP_LIMIT
    assert "job_given_back" in own.log.read_text(errors="replace")


def test_sigterm_gives_a_job_back_that_does_not_end_in_time_without_counting_a_crash(make: Start) -> None:
    # One crash would fail the job.
    own = make(DOCREFINERY_MAX_CRASHES="1", DOCREFINERY_STOP_GRACE_SECONDS="0.5").start()
    in_hand = own.client.submit(fresh(slow(12)))["job_id"]
    queued = own.client.submit(fresh(born_digital()))["job_id"]
    own.client.running(in_hand)
    assert own.stop(signal.SIGTERM) < STOP_LIMIT
    assert_finishes_what_was_in_hand(own, [in_hand, queued])


class Terminal:
    """A terminal with a program in its foreground."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self.shown = b""
        self._master = master
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def text(self) -> str:
        """Return what was shown, without colours and movements."""
        return (
            re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.shown.decode(errors="replace"))
            .replace("\r\n", "\n")
            .replace("\r", "\n")
        )

    def close(self) -> None:
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        # The system's way to say that no program has the terminal open any more.
        with suppress(OSError):
            while data := os.read(self._master, 65536):
                self.shown += data


@contextmanager
def terminal(own: Refinery, *arguments: str) -> Iterator[Terminal]:
    """Run a command of ours on a terminal of its own."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")
    process = subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, *DOCREFINERY, *arguments],
        env=own.environ | {"TERM": "xterm"},
        cwd=own.home,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    screen = Terminal(process, master)
    try:
        yield screen
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        wait_until(lambda: not working_in(own.home), 15, "all of it ends")
        screen.close()


def test_ctrl_c_on_a_terminal_stops_all_of_it_and_loses_nothing(make: Start) -> None:
    own = make(DOCREFINERY_MAX_CRASHES="1")
    with terminal(own, "up", "--port", "0", "--workers", "1") as screen:
        wait_until(lambda: "  curl " in screen.text() and screen.text().endswith("/v1/documents/\n"), 45, "it is ready")
        own.read_greeting(screen.text())
        job_ids = [own.client.submit(fresh(content))["job_id"] for content in (slow(12), born_digital())]
        own.client.running(job_ids[0])
        started = time.monotonic()
        screen.press_ctrl_c()
        assert screen.process.wait(STOP_LIMIT) == 0
        assert time.monotonic() - started < STOP_LIMIT
        assert not working_in(own.home)
        shown = screen.text()
    assert "Stopping" in shown
    assert "Traceback" not in shown
    assert "job_given_back" in shown
    assert_finishes_what_was_in_hand(own, job_ids)


@pytest.mark.parametrize("moment", ["Creating the database", "Starting the API", "is ready at"])
def test_ctrl_c_while_it_starts_leaves_nothing_running(make: Start, moment: str) -> None:
    own = make()
    with terminal(own, "up", "--port", "0", "--workers", "1") as screen:
        wait_until(lambda: moment in screen.text(), 30, moment)
        screen.press_ctrl_c()
        # What has only begun to start may have to be killed, which is done after the grace that all of it is given.
        assert screen.process.wait(2 * STOP_LIMIT) == 0, screen.text()
        # A converter that is not up yet when its worker ends notices it a moment later.
        wait_until(lambda: not working_in(own.home), 5, "nothing runs any more")
    assert "Traceback" not in screen.text()


def test_an_impatient_second_ctrl_c_changes_nothing(make: Start) -> None:
    own = make()
    with terminal(own, "up", "--port", "0", "--workers", "1") as screen:
        wait_until(lambda: screen.text().endswith("/v1/documents/\n"), 45, "it is ready")
        screen.press_ctrl_c()
        wait_until(lambda: "Stopping" in screen.text(), 5)
        screen.press_ctrl_c()
        assert screen.process.wait(STOP_LIMIT) == 0
        assert not working_in(own.home)
    assert "Traceback" not in screen.text()
