"""A private folder for files in hand, one a process, which does not outlive it for long."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docrefinery.pipeline.jail.cell import home
from docrefinery.pipeline.removal import remove_tree


@contextmanager
def scratch_folder(base: Path) -> Iterator[Path]:
    """Make a folder under ``base`` and remove it at the end; what killed processes left there is removed first."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One at a time: a folder that another process is about to lock must not pass for abandoned.
    starting = _locked(base)
    try:
        for left in base.glob("worker-*"):
            if _abandoned(left):
                remove_tree(left)
        folder = Path(tempfile.mkdtemp(prefix="worker-", dir=base))
        in_use = _locked(folder)
    finally:
        os.close(starting)
    try:
        yield folder
    finally:
        os.close(in_use)
        remove_tree(folder)


def temporary_base() -> Path:
    """Return where this account's commands have their scratch folders, in the system's temporary folder.

    :raises PermissionError: if somebody else has put something there: it would see, or choose, what is in hand.
    """
    base = Path(tempfile.gettempdir(), f"docrefinery-{os.geteuid()}")
    base.mkdir(mode=0o700, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{base} is not a folder of this account alone; remove it, or set TMPDIR.")
    return base


def child_folder(scratch: Path | None) -> Path:
    """Make a converter's own folder with its home in it; the group, which may get to be its own, can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="docrefinery-child-", dir=scratch))
    folder.chmod(0o710)
    home(folder).mkdir(mode=0o700)
    return folder


def open_to(group: int, *folders: Path) -> None:
    """Let a group pass through private folders of root's: that of the converters, which have accounts of their own."""
    for folder in folders:
        if os.geteuid() == 0 and not folder.stat().st_mode & 0o077:
            os.chown(folder, -1, group)
            folder.chmod(0o710)


def _locked(folder: Path, mode: int = fcntl.LOCK_EX) -> int:
    """Lock a folder until its descriptor is closed, by the process's death at the latest."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _abandoned(folder: Path) -> bool:
    try:
        os.close(_locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except OSError:
        return False
    return True
