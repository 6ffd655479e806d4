"""A place for programs that root can read but the servers' user cannot: those of a venv in root's home.

Copies belong to root, nobody else can write to them, and each is made once for what it is a copy of.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from docrefinery.embedded.errors import BinaryMissing
from docrefinery.embedded.files import remove_folder

SHELVES = (Path("/var/cache/docrefinery"), Path("/var/lib/docrefinery"), Path("/opt/docrefinery"))
_NEEDLESS = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "__pycache__")


def place(root: Path, sources: Iterable[Path]) -> Path:
    """Copy files and folders to where everybody can execute them.

    :param root: folder that the sources are in; the copies have the same places relative to each other.
    :param sources: what to copy; what does not exist is left out.
    :returns: the copy of ``root``, with nothing but the sources in it.
    :raises BinaryMissing: when there is no place for it.
    """
    present = [source for source in sources if source.exists()]
    key = _key(root, present)
    problems = []
    for shelf in SHELVES:
        try:
            return _put(_safe(shelf), key, root, present)
        except OSError as error:
            problems.append(f"{shelf}: {error.strerror or error}")
    raise BinaryMissing(
        f"The servers cannot run as root, and their user cannot reach {root}. "
        f"Copying them failed ({'; '.join(problems)}). "
        "Install DocumentRefinery outside of root's home, or start it as an ordinary user."
    )


def _put(shelf: Path, key: str, root: Path, sources: list[Path]) -> Path:
    target, draft = shelf / key, shelf / f"{key}.new"
    descriptor = os.open(shelf, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not target.exists():
            remove_folder(draft)
            try:
                for source in sources:
                    _copy(source, draft / source.relative_to(root))
                _open_to_all(draft)
                draft.rename(target)
            except BaseException:
                with suppress(OSError):
                    remove_folder(draft)
                raise
    finally:
        os.close(descriptor)
    return target


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=_NEEDLESS, symlinks=True)
    else:
        shutil.copy2(source, target)


def _open_to_all(folder: Path) -> None:
    """Readable and executable for everybody whatever the umask, writable for root alone."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _safe(shelf: Path) -> Path:
    """Make the shelf; refuse one that somebody else could have filled."""
    with suppress(FileExistsError):
        shelf.mkdir()
        shelf.chmod(0o755)
    status = shelf.lstat()
    if not shelf.is_dir() or shelf.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(0, "it does not belong to root alone")
    return shelf


def _key(root: Path, sources: list[Path]) -> str:
    """A name made from the content: a venv made anew from the same wheel finds its copy."""
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            digest.update(f"{path.relative_to(root)}\0".encode(errors="surrogateescape"))
            if path.is_file():
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
