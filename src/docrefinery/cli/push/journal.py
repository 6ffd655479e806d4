"""What is in the folder of results, and of which bytes: lines that are only added, so that a cut run costs none."""

import fcntl
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

NAME = ".docrefinery-push.jsonl"


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The results of one file: ``asked`` is a hash of what was asked, ``files`` has each name's SHA-256.

    A folder whose results are begun has but the SHA-256 of the PDF.
    """

    folder: str
    sha256: str
    asked: str = ""
    document_id: int = 0
    job_id: int = 0
    files: dict[str, str] = {}


# Names may be in no known encoding; msgspec's own JSON has no way to write these.
def _read(line: bytes) -> Entry:
    return msgspec.convert(json.loads(line), Entry)


def _write(entry: Entry) -> bytes:
    return json.dumps(msgspec.to_builtins(entry)).encode()


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
        self._folders: dict[str, dict[str, None]] = {}
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InUse from None
        for line in self._path.read_bytes().splitlines():
            try:
                entry = _read(line)
            except ValueError:
                # The line that was being written when everything stopped.
                continue
            self._take(entry)
        # Whatever was left without an end is a line of its own.
        self._file.write(b"\n")

    def find(self, folder: Path, sha256: str, asked: str) -> Entry | None:
        """Return what was noted of a file's results, if they are of these bytes and of what is asked."""
        entry = self._entries.get(self._name(folder))
        return entry if entry is not None and (entry.sha256, entry.asked) == (sha256, asked) else None

    def owner(self, folder: str) -> str:
        """Return the SHA-256 of the PDF whose results a folder has; nothing if that is not known."""
        entry = self._entries.get(folder)
        return entry.sha256 if entry is not None else ""

    def hashes(self) -> frozenset[str]:
        """Return the SHA-256 of every PDF of which some folder has results, or had them begun."""
        return frozenset(sha256 for sha256, folders in self._folders.items() if folders)

    def folders(self, sha256: str) -> list[str]:
        """Return the folders that have results of these bytes, or had them begun."""
        return list(self._folders.get(sha256, ()))

    def begin(self, folder: Path, sha256: str) -> None:
        """Note whose a folder is, before anything is written to it."""
        if self.owner(name := self._name(folder)) != sha256:
            self._add(Entry(folder=name, sha256=sha256))

    def add(self, folder: Path, entry: Entry) -> None:
        """Note that a file's results are complete."""
        self._add(msgspec.structs.replace(entry, folder=self._name(folder)))

    def _add(self, entry: Entry) -> None:
        self._take(entry)
        self._file.write(_write(entry) + b"\n")
        self._file.flush()

    def _take(self, entry: Entry) -> None:
        if (before := self._entries.get(entry.folder)) is not None:
            self._folders[before.sha256].pop(entry.folder)
        self._entries[entry.folder] = entry
        self._folders.setdefault(entry.sha256, {})[entry.folder] = None

    def _name(self, folder: Path) -> str:
        return str(folder.relative_to(self._out))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
