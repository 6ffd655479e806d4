"""``basic``: a few yara-x rules for the most obvious threats, where no real scanner is configured."""

import mmap
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from docrefinery.plugin import Clean, Infected, ScanEngine, Scanner, Unscannable, Verdict

if TYPE_CHECKING:
    import yara_x

_OBJECT_STREAM = re.compile(rb"/ObjStm\b")
_STREAM = re.compile(rb"\bstream\r?\n")
_PIECE = 64 * 1024
_ZLIB_HEADER = 2
# An object stream holds dictionaries, not pictures. Of 105 real files the one with the most has 407 on 400 pages, the
# longest inflates to 61 KB, and all of one file to 138 KB.
_LONGEST = 32 * 1024 * 1024
_ALL_TOGETHER = 256 * 1024 * 1024
_OBJECT_STREAMS = 100_000


class _TooMuch(Exception):
    """There is more than the rules are put to; the message says what."""


class Basic:
    """The compiled rules. They see the file itself, its object streams inflated, and the files attached to it."""

    def __init__(self) -> None:
        """Compile the rules."""
        import yara_x

        compiler = yara_x.Compiler()
        compiler.define_global("attachment", value=False)
        compiler.add_source(files(__package__).joinpath("basic.yar").read_text("utf-8"))
        self._rules = compiler.build()

    def scan(self, path: Path) -> Verdict:
        """Judge the file at ``path``."""
        import yara_x

        scanner = yara_x.Scanner(self._rules)
        try:
            return self._judged(scanner, path)
        except _TooMuch as error:
            # What follows was not looked at, and must not pass for clean: padding would be all that malware needs.
            return Unscannable(reason=str(error))

    def _judged(self, scanner: "yara_x.Scanner", path: Path) -> Verdict:
        if signature := _found(scanner.scan_file(str(path))):
            return Infected(signature=signature)
        for objects in _object_streams(path):
            if signature := _found(scanner.scan(objects)):
                return Infected(signature=signature)
        scanner.set_global("attachment", value=True)
        for attachment in _attachments(path):
            if signature := _found(scanner.scan(attachment)):
                return Infected(signature=signature)
        return Clean()

    def check(self) -> None:
        """Return: the rules are in this process."""


def _found(results: "yara_x.ScanResults") -> str:
    return next((rule.identifier for rule in results.matching_rules), "")


def _object_streams(path: Path) -> Iterator[bytes]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        left, at, count = _ALL_TOGETHER, 0, 0
        while (named := _OBJECT_STREAM.search(data, at)) and (begun := _STREAM.search(data, named.end())):
            at, count = begun.end(), count + 1
            if count > _OBJECT_STREAMS:
                raise _TooMuch(f"it has more than {_OBJECT_STREAMS} object streams")
            objects = _inflated(data, at)
            left -= len(objects)
            if left < 0:
                raise _TooMuch(f"its object streams inflate to more than {_ALL_TOGETHER // 2**20} MiB")
            yield objects


def _inflated(data: mmap.mmap, start: int) -> bytes:
    """Return what a stream inflates to, up to its end or to the piece in which it is broken."""
    # Without header and checksum: readers show a stream whose checksum is wrong.
    inflater, objects = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    for at in range(start + _ZLIB_HEADER, len(data), _PIECE):
        try:
            objects += inflater.decompress(data[at : at + _PIECE], _LONGEST + 1 - len(objects))
        except zlib.error:
            break
        if max(len(objects), at + _PIECE - start) > _LONGEST:
            raise _TooMuch(f"an object stream is longer than {_LONGEST // 2**20} MiB")
        if inflater.eof:
            break
    return bytes(objects)


def _attachments(path: Path) -> Iterator[bytes]:
    import pypdfium2 as pdfium

    try:
        with pdfium.PdfDocument(path) as document:
            for index in range(document.count_attachments()):
                # One that cannot be read must not hide those after it.
                with suppress(pdfium.PdfiumError):
                    yield bytes(document.get_attachment(index).get_data())
    except pdfium.PdfiumError:
        # What pdfium cannot open is refused by the conversion.
        return


def create(_environ: Mapping[str, str]) -> ScanEngine:
    """Make the scanner; it needs no settings."""
    return Basic()


BASIC = Scanner(
    name="basic",
    summary="A few rules for the most obvious threats, where no real scanner is configured.",
    create=create,
    runs_in="child",
    basic=True,
)
