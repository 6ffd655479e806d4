"""What is complete in the folder of results: lines that are only added, so that a run that was cut short costs none."""

import fcntl
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

NAME = ".docrefinery-push.jsonl"


class Entry(Struct, frozen=True, kw_only=True):
    """The results of one file: ``asked`` is a hash of what was asked, ``files`` has each name's SHA-256."""

    folder: str
    sha256: str
    asked: str
    document_id: int
    job_id: int
    files: dict[str, str]


_read = msgspec.json.Decoder(Entry).decode
_write = msgspec.json.Encoder().encode


def asked_of(*what: Any) -> str:
    """Return a short hash of what is asked of every file."""
    return hashlib.sha256(msgspec.json.encode(what, order="deterministic")).hexdigest()[:16]


class InUse(Exception):
    """Another push has the journal open."""


class Journal:
    """The lines of one folder of results; the last one about a folder counts.

    Whoever has it open is the only one: two would take each other's half-fetched files away.

    :raises InUse: if another has.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._path = out / NAME
        self._entries: dict[str, Entry] = {}
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InUse from None
        for line in self._path.read_bytes().splitlines():
            try:
                entry = _read(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                # The line that was being written when everything stopped.
                continue
            self._entries[entry.folder] = entry
        # Whatever was left without an end is a line of its own.
        self._file.write(b"\n")

    def find(self, folder: Path, sha256: str, asked: str) -> Entry | None:
        """Return what was noted of a file's results, if they are of these bytes and of what is asked."""
        entry = self._entries.get(self._name(folder))
        return entry if entry is not None and (entry.sha256, entry.asked) == (sha256, asked) else None

    def add(self, folder: Path, entry: Entry) -> None:
        """Note that a file's results are complete."""
        entry = msgspec.structs.replace(entry, folder=self._name(folder))
        self._entries[entry.folder] = entry
        self._file.write(_write(entry) + b"\n")
        self._file.flush()

    def _name(self, folder: Path) -> str:
        return str(folder.relative_to(self._out)).encode(errors="backslashreplace").decode()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
