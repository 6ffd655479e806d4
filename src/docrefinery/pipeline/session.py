"""All processes of a child, whoever their parent is by now: they cannot leave its session (Linux; elsewhere none)."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress

from msgspec import Struct

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat after the name, which may hold anything.
_SESSION, _TIMES, _RESIDENT = 3, slice(11, 15), 21


class Session(Struct, frozen=True):
    """The processes of a session at a moment.

    :param cpu_seconds: what they have computed, with those of theirs that have ended.
    :param resident_bytes: their memory.
    """

    pids: Sequence[int] = ()
    cpu_seconds: float = 0.0
    resident_bytes: int = 0

    @classmethod
    def of(cls, leader: int) -> "Session":
        """Look through all processes of the machine for those of a leader."""
        members = list(_members(leader))
        return cls(
            [pid for pid, _ in members],
            sum(sum(map(int, fields[_TIMES])) for _, fields in members) / _TICKS,
            sum(int(fields[_RESIDENT]) for _, fields in members) * _PAGE,
        )

    def nameless_bytes(self) -> int:
        """Return what they keep in files that they have open and nobody finds any more."""
        found: dict[tuple[int, int], int] = {}
        for pid in self.pids:
            with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as descriptors:
                for descriptor in descriptors:
                    with suppress(OSError):
                        about = descriptor.stat()
                        if stat.S_ISREG(about.st_mode) and not about.st_nlink:
                            found[about.st_dev, about.st_ino] = about.st_blocks * 512
        return sum(found.values())


def _members(leader: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the processes of a session: each one's number, and its fields after the name."""
    with suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - this is done all the time
            if not name.isdecimal():
                continue
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[_SESSION]) == leader:
                yield int(name), fields
