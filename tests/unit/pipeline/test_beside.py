"""What is done beside something else: in another process where there may be one, with the same result."""

import subprocess
import sys

from docrefinery.pipeline.beside import Beside


def test_alone_work_is_done_when_it_is_asked_for() -> None:
    found = [1]
    with Beside(1) as meanwhile:
        asked = meanwhile.later(lambda: set(found), set[int])
        meanwhile.begin()
        found.append(2)
        assert asked() == {1, 2}


def test_work_is_done_in_another_process_as_things_were_when_it_began() -> None:
    program = """
import os
from docrefinery.pipeline.beside import Beside
found = [1]
with Beside(2) as meanwhile:
    where = meanwhile.later(os.getpid, int)
    asked = meanwhile.later(lambda: set(found), set[int])
    meanwhile.begin()
    found.append(2)
    print(asked(), where() != os.getpid(), where() == where())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ran.stdout.split() == [b"{1}", b"True", b"True"]


def test_work_that_nobody_asked_for_is_ended() -> None:
    program = """
import os, signal
from docrefinery.pipeline.beside import Beside
with Beside(2) as meanwhile:
    pid = meanwhile.later(os.getpid, int)
    meanwhile.later(signal.pause, int)
    meanwhile.begin()
    other = pid()
try:
    os.kill(other, 0)
except ProcessLookupError:
    print("it is gone")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ran.stdout == b"it is gone\n"


def test_work_that_fails_elsewhere_fails_where_it_is_asked_for() -> None:
    program = """
from docrefinery.pipeline.beside import Beside
with Beside(2) as meanwhile:
    wrong = meanwhile.later(lambda: 1 // 0, int)
    right = meanwhile.later(lambda: 6 * 7, int)
    meanwhile.begin()
    print(right())
    try:
        wrong()
    except ZeroDivisionError as error:
        print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ran.stdout.splitlines() == [b"42", b"integer division or modulo by zero"]
