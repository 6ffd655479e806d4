"""The private folder of the sockets: short, because a socket's path may have 107 bytes, and not guessable."""

import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from docrefinery.embedded.account import Account
from docrefinery.embedded.errors import EmbeddedError
from docrefinery.embedded.files import write_private

POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
_CONTENT = (POSTGRES_SOCKET, POSTGRES_SOCKET + ".lock", VALKEY_SOCKET)
_LONGEST_BASE = 107 - len("/docrefinery-0123456789abcdef/" + POSTGRES_SOCKET)
# PostgreSQL reads a list of folders, and the path is part of URLs.
_PLAIN = re.compile(r"/[\w./-]*", re.ASCII)
_NAME = re.compile(r"docrefinery-[0-9a-f]{16}")


def make(record: Path, account: Account | None) -> Path:
    """Make a new folder, mode 0700, for the servers of one data directory.

    :param record: file that keeps its path; written first, so that a kill at any moment leaves nothing unknown.
    :param account: whom it shall belong to; None is the caller.
    :raises EmbeddedError: when no place for it is found.
    """
    name = f"docrefinery-{secrets.token_hex(8)}"
    for base in _bases(account):
        folder = base / name
        write_private(record, str(folder))
        try:
            # Fails if the name exists in any form, a link included.
            folder.mkdir(mode=0o700)
        except OSError:
            continue
        if account:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
        return folder
    raise EmbeddedError("No folder for sockets can be made in /run, /tmp or /var/tmp. Make one of them writable.")


def sweep(record: Path) -> None:
    """Remove the folder that a record names, and the record. Only files that this package makes are removed."""
    with suppress(OSError, ValueError):
        folder = Path(record.read_text(encoding="utf-8"))
        if _NAME.fullmatch(folder.name):
            _remove(folder)
    record.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for name in _CONTENT:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    folder.rmdir()


def _bases(account: Account | None) -> list[Path]:
    """Places to try: for another user only those that everybody can pass through."""
    fixed = ["/run", "/tmp", "/var/tmp"]  # noqa: S108 - the name made in them cannot be guessed, nor taken over
    own = [] if account else [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()]
    return [Path(base) for base in dict.fromkeys((*own, *fixed)) if _fits(base)]


def _fits(base: str) -> bool:
    if not _PLAIN.fullmatch(base) or len(base) > _LONGEST_BASE or not os.access(base, os.W_OK | os.X_OK):
        return False
    status = Path(base).stat()
    # In a folder that others may write to, only the sticky bit keeps them from replacing ours.
    return not status.st_mode & 0o022 or bool(status.st_mode & stat.S_ISVTX)
