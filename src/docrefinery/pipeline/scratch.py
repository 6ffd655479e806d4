"""A private folder for files in hand, one a process, which does not outlive it for long."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "in-use"
_STARTING = "starting"


@contextmanager
def scratch_folder(base: Path) -> Iterator[Path]:
    """Make a folder under ``base`` and remove it at the end; what killed processes left there is removed first."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One at a time: a folder that another process is about to lock must not pass for abandoned.
    starting = _locked(base / _STARTING)
    try:
        _sweep(base)
        folder = Path(tempfile.mkdtemp(prefix="worker-", dir=base))
        lock = _locked(folder / _LOCK)
    finally:
        os.close(starting)
    try:
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _sweep(base: Path) -> None:
    for folder in base.glob("worker-*"):
        if _abandoned(folder / _LOCK):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(path: Path) -> bool:
    """Return whether nobody holds the lock; a folder without one was left by a process killed as it made it."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(lock)
