"""What a child leaves behind when it ends: processes that were none of its group any more, or nobody waited for."""

import os
import signal
from collections.abc import Collection

import psutil

# One that starts others faster than they are found is not waited for.
_ROUNDS = 100


def end_orphans(living: Collection[int]) -> None:
    """Kill and bury this process's children; what they leave behind in turn becomes its own, and ends as well.

    :param living: those that it keeps.
    """
    for _ in range(_ROUNDS):
        killed = [child.pid for child in psutil.Process().children() if child.pid not in living and _kill(child.pid)]
        if not killed:
            return
        for pid in killed:
            os.waitpid(pid, 0)


def _kill(pid: int) -> bool:
    """Kill a process, and return whether that is allowed."""
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    return True
