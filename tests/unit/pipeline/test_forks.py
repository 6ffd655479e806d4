"""What runs in a fork, and what its end means to the process that waits for it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from docrefinery.pipeline.forks import Fork, processes


def said(work: str) -> subprocess.CompletedProcess[bytes]:
    """Have a process wait for a fork that does something."""
    program = f"""
import os, signal, sys
from docrefinery.pipeline.forks import Fork
def starve():
    raise MemoryError
try:
    sys.stdout.buffer.write(Fork(lambda: {work}).answer())
except MemoryError:
    sys.exit("no memory was left")
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)


def test_a_fork_answers_with_what_its_work_returned() -> None:
    ran = said("b'the answer' * 100_000")
    assert (ran.returncode, ran.stdout) == (0, b"the answer" * 100_000)


def test_memory_that_was_used_up_in_a_fork_is_used_up_here() -> None:
    ran = said("starve()")
    assert (ran.returncode, ran.stderr) == (1, b"no memory was left\n")


def test_what_nobody_catches_in_a_fork_ends_this_process_and_is_told() -> None:
    ran = said("1 / 0")
    assert ran.returncode == 1
    assert b"ZeroDivisionError" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_that_ends_a_fork_ends_this_process(number: signal.Signals) -> None:
    assert said(f"os.kill(os.getpid(), {int(number)})").returncode == -number


def test_an_empty_answer_is_one() -> None:
    ran = said("b''")
    assert (ran.returncode, ran.stdout) == (0, b"")


def test_a_fork_that_ends_without_an_answer_ends_this_process() -> None:
    assert said("os._exit(3)").returncode == 3
    assert said("os._exit(0)").returncode == 1


def test_works_are_done_one_after_the_other_and_asked_for_in_any_order() -> None:
    first, second = b"1" * 100_000, b"2" * 100_000
    fork = Fork(lambda: first, lambda: second)
    assert [fork.answer(1), fork.answer(0), fork.answer(1)] == [second, first, second]
    assert not fork.pid


def test_what_a_fork_answered_before_it_fell_is_heard() -> None:
    program = """
import sys
from docrefinery.pipeline.forks import Fork
fork = Fork(lambda: b"the first", lambda: b"1" if 1 / 0 else b"")
print(fork.answer(0).decode(), flush=True)
fork.answer(1)
print("no end")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (1, b"the first\n")
    assert b"ZeroDivisionError" in ran.stderr


def test_a_fork_ends_where_nobody_waits_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    fork = Fork(pipe.read_bytes)
    pid = fork.pid
    with fork:
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_a_process_with_threads_has_no_forks() -> None:
    program = """
import threading
from docrefinery.pipeline.forks import processes
alone = processes(3)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(alone, processes(3))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ran.stdout.split() == ([b"3", b"1"] if sys.platform == "linux" else [b"1", b"1"])
    assert processes(1) == 1
