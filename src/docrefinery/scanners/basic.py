"""``basic``: a few yara-x rules for the most obvious threats, where no real scanner is configured."""

import mmap
import re
import zlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from docrefinery.plugin import Clean, Infected, ScanEngine, Scanner, Verdict

if TYPE_CHECKING:
    import yara_x

_OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,400}?\bstream\r?\n", re.DOTALL)
# An object stream holds dictionaries, not pictures: real ones inflate to some hundred kilobytes.
_INFLATED_BYTES = 8 * 1024 * 1024
_OBJECT_STREAMS = 2000


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
        for count, match in enumerate(_OBJECT_STREAM.finditer(data)):
            if count == _OBJECT_STREAMS:
                return
            try:
                yield zlib.decompressobj().decompress(
                    data[match.end() : match.end() + _INFLATED_BYTES], _INFLATED_BYTES
                )
            except zlib.error:
                continue


def _attachments(path: Path) -> Iterator[bytes]:
    import pypdfium2 as pdfium

    try:
        with pdfium.PdfDocument(path) as document:
            for index in range(document.count_attachments()):
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
