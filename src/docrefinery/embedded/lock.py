"""Who holds a data directory: an flock, which ends with its process whatever happens to it."""

import fcntl
import json
import os
import shlex
import sys
import weakref
from datetime import UTC, datetime
from pathlib import Path

from docrefinery.embedded.errors import DataDirInUse, EmbeddedError
from docrefinery.embedded.files import open_private
from docrefinery.embedded.waiting import until

# `held` takes the lock for a moment.
_PATIENCE_S = 0.5


class DataDirLock:
    """The exclusive lock on one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor = -1

    def acquire(self) -> None:
        """Take the lock, and say who holds it.

        :raises DataDirInUse: when another process has it.
        :raises EmbeddedError: when the directory cannot be written or its file system has no locks.
        """
        descriptor = _open(lock_file(self._data_dir), os.O_RDWR | os.O_CREAT)
        try:
            if not until(lambda: _try(descriptor, fcntl.LOCK_EX), _PATIENCE_S):
                raise _in_use(self._data_dir, descriptor)
            _write_holder(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        # exec closes the descriptor, a bare fork does not: a forked worker would hold the lock beyond its parent.
        forget = weakref.WeakMethod(self.release)
        os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    def release(self) -> None:
        """Let go of the lock; nothing happens when it is not held."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def lock_file(data_dir: Path) -> Path:
    """The file whose flock means that a process holds the directory."""
    return data_dir / "lock"


def held(data_dir: Path) -> bool:
    """Whether any process, this one included, holds the data directory.

    :raises EmbeddedError: when the lock file cannot be read.
    """
    if not lock_file(data_dir).exists():
        return False
    descriptor = _open(lock_file(data_dir), os.O_RDONLY)
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _open(path: Path, flags: int) -> int:
    try:
        return open_private(path, flags)
    except OSError as error:
        raise EmbeddedError(
            f"{path} cannot be opened ({error.strerror}). Use the data directory as the user that it belongs to."
        ) from error


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EmbeddedError(
            f"The data directory's file system has no locks ({error.strerror}). Choose a directory on a local disk."
        ) from error
    return True


def _write_holder(descriptor: int) -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    holder = {"pid": os.getpid(), "since": since, "command": shlex.join(sys.argv)}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _in_use(data_dir: Path, descriptor: int) -> DataDirInUse:
    try:
        holder = json.loads(os.pread(descriptor, 65536, 0))
        return DataDirInUse(data_dir, pid=int(holder["pid"]), since=holder["since"], command=holder["command"])
    except (ValueError, KeyError, TypeError):
        return DataDirInUse(data_dir)
