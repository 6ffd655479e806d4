"""Servers that a killed parent left behind, found by what they are and where they work.

A process id from a file says nothing: the number may belong to anybody by now.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path
from signal import Signals

from docrefinery.embedded.errors import EmbeddedError
from docrefinery.embedded.waiting import until

# Debian's redis-server is a link to redis-check-rdb.
PROGRAMS = ("postgres", "initdb", "valkey-", "redis-")


def running(folder: Path) -> list[int]:
    """The servers whose working directory is this folder.

    :param folder: need not exist.
    :returns: process ids; no zombies.
    """
    try:
        place = folder.stat()
    except FileNotFoundError:
        return []
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _is_ours(entry, place)]


def end(folder: Path, ask: Signals, *, patience_s: float) -> None:
    """See to it that no server works in this folder any more.

    :param folder: need not exist.
    :param ask: the signal that stops such a server without damage.
    :param patience_s: seconds to wait: without a signal (the death of the parent sent one already), then after each.
    :raises EmbeddedError: when one does not even end on SIGKILL.
    """
    gone = until(lambda: not running(folder), patience_s)
    for word in (ask, Signals.SIGKILL):
        if gone:
            return
        _signal_all(folder, word)
        gone = until(lambda: not running(folder), patience_s)
    if not gone:
        numbers = ", ".join(map(str, running(folder)))
        raise EmbeddedError(f"Process {numbers} still works in {folder} and cannot be ended. Is the disk hanging?")


def _signal_all(folder: Path, word: Signals) -> None:
    place = folder.stat()
    for pid in running(folder):
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                # Looked at again through a handle that cannot change its process: the number could have.
                if _is_ours(Path(f"/proc/{pid}"), place):
                    signal.pidfd_send_signal(handle, word)
            finally:
                os.close(handle)


def _is_ours(process: Path, place: os.stat_result) -> bool:
    try:
        here = (process / "cwd").stat()
        if (here.st_dev, here.st_ino) != (place.st_dev, place.st_ino):
            return False
        return (process / "exe").readlink().name.startswith(PROGRAMS)
    except OSError:
        return False
