"""Tells an exporter's author of files that do not belong to the export.

A help, and no wall: C code and other processes pass it by. The wall is the converter process itself.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Event of `sys.audit` -> pairs of the arguments that hold a changed path and the folder it starts from, if any.
_CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
}
_NO_FOLDER = -1


class WroteElsewhere(PermissionError):
    """Something outside of the folders of an export was to be changed."""


class _Hook:
    """An audit hook cannot be taken out again, so there is one for the process, which mostly has nothing to do."""

    def __init__(self) -> None:
        self.folders: tuple[str, ...] = ()
        self._added = False

    def add(self) -> None:
        if not self._added:
            self._added = True
            sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folders:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._check(path, None, of_link=False)
        elif event in _CHANGES:
            for path_at, folder_at in _CHANGES[event]:
                folder = None if folder_at is None else arguments[folder_at]
                self._check(arguments[path_at], folder, of_link=event != "os.truncate")

    def _check(self, path: object, folder: int | None, *, of_link: bool) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a descriptor: how it was opened has been looked at
        name = _named(os.fsdecode(path), folder)
        if name == os.devnull or "__pycache__" in Path(name).parts:
            return  # imports leave their byte code where the module is
        place = _place(name, of_link=of_link)
        if not any(place == inside or place.startswith(inside + os.sep) for inside in self.folders):
            raise WroteElsewhere(
                f"it may not write {name}: an exporter writes to its stream, and what it has to put aside to temporary "
                "files (tempfile)"
            )


def _named(name: str, folder: int | None) -> str:
    """Return a path that may be relative to an open folder as one that is not."""
    if folder is None or folder == _NO_FOLDER:
        return name
    # The last part of a name alone would be judged as if it stood in the working directory.
    return os.path.join(os.path.realpath(f"/proc/self/fd/{folder}"), name)  # noqa: PTH118 - an absolute one stays


def _place(name: str, *, of_link: bool) -> str:
    """Return where a path leads; a link that is made or removed is itself what changes, not what it leads to."""
    if not of_link:
        return os.path.realpath(name)
    parent, last = os.path.split(name.rstrip(os.sep))
    return os.path.normpath(os.path.join(os.path.realpath(parent), last))  # noqa: PTH118 - `last` may be `..`


_hook = _Hook()


@contextmanager
def confined_to(*folders: Path) -> Iterator[None]:
    """Refuse changes outside of these folders, in the whole process, with :class:`WroteElsewhere`."""
    _hook.add()
    outer, _hook.folders = _hook.folders, tuple(os.path.realpath(folder) for folder in folders)
    try:
        yield
    finally:
        _hook.folders = outer
