"""Whether a result is what its exporter declares: JSON that can be read, an archive that can be unpacked anywhere."""

import mmap
import stat
import struct
import zipfile
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from docrefinery.model import ALWAYS_EXPORTED

MOST_ENTRIES = 50_000
LARGEST_UNPACKED = 8 * 1024**3
_LARGEST_DIRECTORY = 16 * 1024**2
# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.16
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
# 4.3.15: where an archive says otherwise what its end says, just before that.
_ELSEWHERE = struct.Struct("<4sLQL")
_ELSEWHERE_SIGNATURE = b"PK\x06\x07"
_LONGEST_COMMENT = 2**16


class BadContent(Exception):
    """A file is not what it should be; the message is a predicate of it."""


class _Document(Struct):
    """What a Docling document says of itself; everything else is read past, and has to be JSON as well."""

    schema_name: Literal["DoclingDocument"]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]


def check(path: Path, kind: str, content_type: str) -> None:
    """Look into a result.

    :raises BadContent: if it is not what its kind and media type say.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if kind == ALWAYS_EXPORTED:
        _check_json(path, _Document)
    elif media_type == "application/json" or media_type.endswith("+json"):
        _check_json(path, msgspec.Raw)
    elif media_type == "application/zip" or kind.endswith("_zip"):
        _check_archive(path)


def _check_json(path: Path, type_: type[Struct | msgspec.Raw]) -> None:
    """Read JSON without keeping it: what the type does not name is only read past."""
    if path.stat().st_size == 0:
        raise BadContent("is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            # Nothing may be left of it when the file is closed, of which it may be a part.
            msgspec.json.decode(content, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadContent(f"is not the JSON it should be ({error})") from error


def _check_archive(path: Path) -> None:
    _check_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise BadContent(f"is no ZIP archive ({error})") from error
    if len(entries) > MOST_ENTRIES:
        raise BadContent(f"has more than {MOST_ENTRIES} entries")
    if len({entry.orig_filename for entry in entries}) != len(entries):
        raise BadContent("has two entries of one name")
    for entry in entries:
        _check_entry(entry)
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
        raise BadContent(f"would unpack to more than {LARGEST_UNPACKED} bytes")


def _check_directory(path: Path) -> None:
    """Bound the archive's table of contents before it is read whole."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _ELSEWHERE.size - _END.size - _LONGEST_COMMENT))
        tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise BadContent("is no ZIP archive (it has no end)")
    if tail[max(0, at - _ELSEWHERE.size) :].startswith(_ELSEWHERE_SIGNATURE):
        raise BadContent("is a ZIP64 archive, which it is too small to need")
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, at)
    # Archives that need more say so with the highest numbers.
    if count > MOST_ENTRIES or size > _LARGEST_DIRECTORY:
        raise BadContent(f"has more than {MOST_ENTRIES} entries, or a larger table of them than they need")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    parts = PurePosixPath(name).parts
    if not parts or "\0" in name or "\\" in name or name.startswith("/") or ".." in parts or ":" in parts[0]:
        raise BadContent(f"has an entry whose name leads elsewhere: {name[:80]!r}")
    mode = stat.S_IFMT(entry.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadContent(f"has an entry that is no file: {name[:80]!r}")
