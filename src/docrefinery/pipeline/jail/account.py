"""An account for root's converters: a user id that no user has, another one for each process."""

import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import docrefinery
from docrefinery.pipeline.jail.cell import Cell, home

# Above what systemd gives to containers, below what some programs take for negative; process ids have 22 bits.
_FIRST = 1_880_000_000
_PROCESSES = 2**22
_INSTALLATIONS = 60
# CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID: what the parent needs to look after a child that is somebody else.
_NEEDED = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 7


def first_of(installation: Path) -> int:
    """Return the first user id of an installation's converters, which is also the group of them all."""
    return _FIRST + zlib.crc32(bytes(installation.absolute())) % _INSTALLATIONS * _PROCESSES


def become(cell: Cell) -> str:
    """Take the account if this is root, and the folder with it; return why that cannot be."""
    if os.geteuid() != 0:
        return ""
    if _capabilities() & _NEEDED != _NEEDED:
        return "root lacks CHOWN, DAC_OVERRIDE, KILL, SETGID or SETUID here; grant them, or run as an unprivileged user"
    user, group, groups = cell.account + os.getpid(), os.getegid(), os.getgroups()
    try:
        _give(cell, user, cell.account)
        os.setgroups([])
        os.setegid(cell.account)
        os.seteuid(user)
        lacks = next(_unreadable(cell), "")
    except OSError as error:
        lacks = f"the user id {user} cannot be taken ({error.strerror}); run as an unprivileged user"
    os.seteuid(0)
    if lacks:
        os.setegid(group)
        os.setgroups(groups)
        _give(cell, 0, group)
        return lacks
    os.setresgid(cell.account, cell.account, cell.account)
    os.setresuid(user, user, user)
    return ""


def taken(cell: Cell) -> bool:
    """Whether this process has the account."""
    return os.geteuid() == cell.account + os.getpid()


def _give(cell: Cell, user: int, group: int) -> None:
    """Give away the home; the folder around it stays the parent's, and open to the group."""
    os.chown(cell.folder, -1, group)
    os.chown(home(cell.folder), user, group)


def _unreadable(cell: Cell) -> Iterator[str]:
    """Yield what a converter needs and this user cannot read."""
    interpreter = Path(sys.executable).resolve()
    for path in (str(interpreter), *sys.path, docrefinery.__file__, *cell.readable, str(home(cell.folder))):
        if not os.access(path, _rights(path), effective_ids=True) and _exists(path):
            yield f"others cannot read {path}; have it where they can, or run as an unprivileged user"


def _exists(path: str) -> bool:
    """Whether there is something, or may be, behind a folder that is closed."""
    try:
        os.lstat(path)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _rights(path: str) -> int:
    return os.R_OK | os.X_OK if os.path.isdir(path) else os.R_OK  # noqa: PTH112 - a string is all there is


def _capabilities() -> int:
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    return int(found[1], 16) if found else 0
