"""Files that only their owner can read, written so that a kill leaves the old or the new one, never half of it."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

# A link in place of a file could make root write somewhere else: data directories may belong to another user.
_SAFE = os.O_NOFOLLOW | os.O_CLOEXEC


def open_private(path: Path, flags: int) -> int:
    """Open a file as a descriptor, mode 0600; a new one belongs to the owner of its folder.

    :param path: the file.
    :param flags: as of ``os.open``; ``O_NOFOLLOW`` and ``O_CLOEXEC`` are added.
    :raises OSError: when it cannot be opened, or is a link.
    """
    descriptor = os.open(path, flags | _SAFE, 0o600)
    give_away(descriptor, path.parent.stat())
    return descriptor


def write_private(path: Path, text: str) -> None:
    """Replace a file's content at once and on disk.

    :param path: the file; it belongs to the owner of its folder afterwards.
    :param text: its new content.
    :raises OSError: when it cannot be written.
    """
    draft = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_away(target: int | Path, owner: os.stat_result) -> None:
    """As root, give a file (not what a link points at) to the owner of something else; do nothing otherwise."""
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=isinstance(target, int))


def private_folder(path: Path) -> Path:
    """Make a folder of mode 0700 for the owner of the folder it is in, unless it is there.

    :raises OSError: when it cannot be made, or the name is taken by something that is no folder.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        give_away(path, path.parent.stat())
    if path.is_symlink() or not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    return path


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it, if it is there.

    :raises OSError: when something in it cannot be removed.
    """
    with suppress(FileNotFoundError):
        shutil.rmtree(path)
