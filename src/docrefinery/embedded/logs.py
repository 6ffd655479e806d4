"""The servers' log files: bounded, and quoted in errors."""

import os
import shutil
from pathlib import Path

from docrefinery.embedded.files import open_private

_LARGEST = 4 * 1024 * 1024
_QUOTED_LINES = 8
_QUOTED_BYTES = 4096


def open_log(path: Path) -> int:
    """Open a log for appending, as a descriptor; an overlong one starts anew."""
    trim(path)
    return open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def trim(path: Path) -> None:
    """Set the content of an overlong log aside as ``<name>.1``. The server goes on writing to the same file."""
    if path.is_file() and path.stat().st_size > _LARGEST:
        aside = path.with_name(path.name + ".1")
        aside.unlink(missing_ok=True)
        shutil.copyfile(path, aside)
        aside.chmod(0o600)
        os.truncate(path, 0)


def size(path: Path) -> int:
    """Bytes in a log, 0 if there is none."""
    return path.stat().st_size if path.is_file() else 0


def last_lines(path: Path, since: int = 0) -> str:
    """The last lines of a log, each indented, or a word that there are none.

    :param path: the log.
    :param since: byte that the lines of interest start at.
    """
    with path.open("rb") as file:
        file.seek(max(since, size(path) - _QUOTED_BYTES))
        return quote(file.read())


def quote(output: bytes) -> str:
    """The last lines of what a program wrote, each indented."""
    lines = output.decode(errors="replace").strip().splitlines()[-_QUOTED_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (it wrote nothing)"
