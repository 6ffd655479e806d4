"""What is seen of a process from outside."""

import os
import subprocess
import sys
import threading

from docrefinery.pipeline.process import _children, _memory


def test_memory_counts_what_any_thread_of_a_process_has_started() -> None:
    started: list[subprocess.Popen[bytes]] = []
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        begun.set()
        done.wait(20)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert begun.wait(20)
        assert str(started[0].pid) in _children(os.getpid())
        assert _memory(started[0].pid)[1] > 0
    finally:
        done.set()
        thread.join()
        started[0].communicate(b"\n")
    assert _memory(started[0].pid) == (0, 0)
