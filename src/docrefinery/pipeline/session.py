"""All processes of a child, whoever their parent is by now: they cannot leave its session (Linux; elsewhere none)."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat after the name, which may hold anything.
_SESSION, _TIMES, _RESIDENT = 3, slice(11, 15), 21


def cpu_seconds(leader: int) -> float:
    """Return what the processes of a session have computed, with those of theirs that have ended."""
    return sum(sum(map(int, fields[_TIMES])) for _, fields in _members(leader)) / _TICKS


def resident_bytes(leader: int) -> int:
    """Return the resident memory of the processes of a session."""
    return sum(int(fields[_RESIDENT]) for _, fields in _members(leader)) * _PAGE


def nameless_bytes(leader: int) -> int:
    """Return what the processes of a session keep in files that they have open and nobody finds any more."""
    found: dict[tuple[int, int], int] = {}
    for folder, _ in _members(leader):
        with suppress(OSError):
            for descriptor in (folder / "fd").iterdir():
                with suppress(OSError):
                    about = descriptor.stat()
                    if stat.S_ISREG(about.st_mode) and not about.st_nlink:
                        found[about.st_dev, about.st_ino] = about.st_blocks * 512
    return sum(found.values())


def _members(leader: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield the processes of a session: each one's folder in /proc, and its fields after the name."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text("latin-1").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[_SESSION]) == leader:
            yield folder, fields
