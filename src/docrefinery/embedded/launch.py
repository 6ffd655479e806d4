"""Run as a script between fork and exec: becomes a server that dies with its parent.

``launch.py PARENT SIGNAL UID GID PROGRAM ARGUMENT...``; UID -1 keeps the user. A script, because ``preexec_fn`` may
deadlock in a process with threads. It imports nothing of DocumentRefinery: it starts in 10 ms.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop the user, arrange the death signal, become the program."""
    parent, death_signal, uid, gid = (int(number) for number in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # Only now: a change of user clears it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        return
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Python ignores these two, and exec hands that on.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.umask(0o077)
    os.execv(program[0], program)  # noqa: S606 - the point of this script


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"could not start {sys.argv[5]}: {error}")
