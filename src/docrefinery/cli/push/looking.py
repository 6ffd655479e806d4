"""A look at a file before it is pushed: whether it is a PDF, and its hash."""

import hashlib
import stat
import threading
from pathlib import Path

from docrefinery.cli.push.inputs import failed
from docrefinery.cli.push.outcomes import Outcome
from docrefinery.model import MAGIC, MAGIC_WITHIN

BLOCK = 1024 * 1024


class Stopped(Exception):
    """Nobody wants to know any more."""


def look(path: Path, stop: threading.Event) -> str | Outcome:
    """Return a PDF's SHA-256 in hex, or why it cannot be pushed.

    :param stop: ends the reading of a large file.
    """
    try:
        # A pipe would be waited for.
        if not stat.S_ISREG(path.stat().st_mode):
            return failed(path, "NOT_A_PDF", "it is no file but something else")
        with path.open("rb") as file:
            head = file.read(MAGIC_WITHIN)
            if not head:
                return failed(path, "EMPTY_FILE", "it is empty")
            if MAGIC not in head:
                return failed(path, "NOT_A_PDF", "`%PDF-` does not stand within its first 1024 bytes")
            return digest(path, stop)
    except FileNotFoundError:
        return failed(path, "NO_SUCH_FILE", "there is no such file")
    except OSError as error:
        return failed(path, "UNREADABLE", error.strerror or str(error))


def digest(path: Path, stop: threading.Event) -> str:
    """Return a file's SHA-256 in hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if stop.is_set():
                raise Stopped
            found.update(block)
    return found.hexdigest()


def is_there(path: Path, sha256: str, stop: threading.Event) -> bool:
    """Whether a file is there, with these bytes."""
    try:
        return digest(path, stop) == sha256
    except OSError:
        return False
