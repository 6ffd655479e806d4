"""Removing folders that a child has filled, which may be deeper than a path can name or a stack can follow."""

import math
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TRIES = 5
"""Somebody else may be at a folder in it, and what was moved within that is seen the next time."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(folder: Path, seconds: float = math.inf) -> None:
    """Remove a folder with all that is in it; what cannot be removed stays, and nothing is raised.

    :param seconds: time after which the rest stays: a child that lives may make more than is removed.
    """
    until = time.monotonic() + seconds
    for _ in range(_TRIES):
        try:
            with _opened(folder) as top:
                _empty(top, until)
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            continue
        return


def _empty(top: int, until: float) -> None:
    """Empty a folder: folders in folders are moved up into it, so that none is ever deep."""
    waiting = _without_files(top)
    while waiting and time.monotonic() < until:
        name = waiting.pop()
        with suppress(OSError):
            with _opened(name, top) as folder:
                waiting += _moved_up(folder, top)
            os.rmdir(name, dir_fd=top)


def _moved_up(folder: int, top: int) -> Iterator[str]:
    """Empty a folder within the top one, and yield the new names of the folders that were in it."""
    for name in _without_files(folder):
        unused = secrets.token_hex(16)
        with suppress(OSError):
            os.rename(name, unused, src_dir_fd=folder, dst_dir_fd=top)
            yield unused


def _without_files(folder: int) -> list[str]:
    """Remove the files of a folder, and return the names of the folders in it."""
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            with suppress(OSError):
                os.unlink(entry.name, dir_fd=folder)
    return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


@contextmanager
def _opened(name: str | Path, within: int | None = None) -> Iterator[int]:
    """Open a folder, and have its owner allowed to remove what is in it."""
    descriptor = os.open(name, _FOLDER, dir_fd=within)
    try:
        with suppress(OSError):
            os.fchmod(descriptor, 0o700)
        yield descriptor
    finally:
        os.close(descriptor)
