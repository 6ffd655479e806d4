"""What a PDF holds besides pages: code that a viewer would run, and files. It is told, and never touched.

Pdfium tells of the scripts that run when a document is opened, of the actions of its outline and of attachments; it has
no way to an action that hangs on the document or a page itself, so the file's own bytes are looked at as well. What is
in neither, such as an action in a compressed object, stays unseen.
"""

import ctypes
import mmap
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from docrefinery.model import JobWarning

_MOST_ENTRIES = 10_000
_NAMES_SHOWN = 5
_LONGEST_NAME = 80
# ISO 32000-1, 12.6: an action's type is the name under /S.
_ACTION = re.compile(rb"/S[\x00\t\n\f\r ]*/(JavaScript|Launch|ImportData|SubmitForm)(?![0-9A-Za-z])")
_TOLD = {
    b"JavaScript": "JavaScript",
    b"Launch": "an action that launches a program",
    b"ImportData": "an action that imports data",
    b"SubmitForm": "an action that sends a form",
}


def inspect(document: pdfium.PdfDocument, source: Path) -> Iterator[JobWarning]:
    """Yield what is to be told of an open document; whoever calls holds pdfium's lock."""
    if found := _actions(document, source):
        told = ", ".join(f"{what} ({count})" if count > 1 else what for what, count in sorted(found.items()))
        yield JobWarning("ACTIVE_CONTENT", f"a viewer may run what is in this document, and we did not: {told}")
    names = list(islice(_attachments(document), _MOST_ENTRIES))
    if names:
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        shown = ", ".join(names[:_NAMES_SHOWN])
        yield JobWarning(
            "EMBEDDED_FILES", f"files are attached to this document, and were not looked into: {shown}{more}"
        )


def _actions(document: pdfium.PdfDocument, source: Path) -> dict[str, int]:
    in_bytes = Counter(_in_bytes(source))
    scripts = max(0, pdfium_c.FPDFDoc_GetJavaScriptActionCount(document))
    launches = sum(1 for kind in _of_outline(document) if kind == pdfium_c.PDFACTION_LAUNCH)
    # One that both see is one.
    in_bytes[b"JavaScript"] = max(in_bytes[b"JavaScript"], scripts)
    in_bytes[b"Launch"] = max(in_bytes[b"Launch"], launches)
    return {_TOLD[name]: count for name, count in in_bytes.items() if count}


def _in_bytes(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for match in islice(_ACTION.finditer(content), _MOST_ENTRIES):
            yield match[1]


def _of_outline(document: pdfium.PdfDocument) -> Iterator[int]:
    """Yield the types of the actions of the outline, of which a file may hold rings."""
    waiting, seen = [pdfium_c.FPDFBookmark_GetFirstChild(document, None)], set[int]()
    while waiting and len(seen) < _MOST_ENTRIES:
        bookmark = waiting.pop()
        if not bookmark or (at := ctypes.cast(bookmark, ctypes.c_void_p).value or 0) in seen:
            continue
        seen.add(at)
        if action := pdfium_c.FPDFBookmark_GetAction(bookmark):
            yield int(pdfium_c.FPDFAction_GetType(action))
        waiting.append(pdfium_c.FPDFBookmark_GetNextSibling(document, bookmark))
        waiting.append(pdfium_c.FPDFBookmark_GetFirstChild(document, bookmark))


def _attachments(document: pdfium.PdfDocument) -> Iterator[str]:
    for number in range(document.count_attachments()):
        name = _name(document, number) or "a file without a name"
        yield name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _name(document: pdfium.PdfDocument, number: int) -> str:
    try:
        name = document.get_attachment(number).get_name()
    except (pdfium.PdfiumError, UnicodeDecodeError):
        return ""  # It is told nevertheless.
    return " ".join(name.split())
