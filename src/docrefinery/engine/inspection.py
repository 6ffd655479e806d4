"""What a PDF holds besides pages: code that a viewer would run, and files. It is told, and never touched.

It is seen in the document as pdfium writes it anew, and in the file's own bytes, since viewers may mend a broken file
in another way. Pdfium itself tells of the scripts that run when a document is opened, of the outline's actions, of XFA
forms, and the names of attachments.
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

from docrefinery.engine.rewriting import write_anew
from docrefinery.engine.sightings import JAVASCRIPT, LAUNCH, Sightings
from docrefinery.model import JobWarning

_MOST_ENTRIES = 10_000
_NAMES_SHOWN = 5
_LONGEST_NAME = 80
_SECONDS = 5.0
"""What a document is written anew for; 100 MB take less than half a second unless they are not compressed."""
MOST_OBJECTS = 400_000
"""Of a document that is written anew: each takes some 2 kB of memory and 12 µs."""
_SIZE = re.compile(rb"/Size[\x00\t\n\f\r ]+([0-9]{1,12})")
"""ISO 32000-1, 7.5.5 and 7.5.8: in every trailer and cross-reference stream."""
_READ_AT_ONCE = 1024 * 1024
_XFA = {pdfium_c.FORMTYPE_XFA_FULL, pdfium_c.FORMTYPE_XFA_FOREGROUND}


def inspect(document: pdfium.PdfDocument, source: Path) -> Iterator[JobWarning]:
    """Yield what is to be told of an open document; whoever calls holds pdfium's lock."""
    anew, as_it_is = Sightings(), _as_it_is(source)
    whole = _most_objects(source) <= MOST_OBJECTS and write_anew(document, anew.take, _SECONDS)
    anew.finish()
    if not whole:
        yield JobWarning(
            "NOT_INSPECTED",
            "the document is too large to be looked through for what a viewer would run and for attached files; there "
            "may be more than is told",
        )
    if found := _active(document, anew.active | as_it_is.active):
        told = ", ".join(f"{what} ({count})" if count > 1 else what for what, count in sorted(found.items()))
        yield JobWarning("ACTIVE_CONTENT", f"a viewer may run what is in this document, and we did not: {told}")
    names = list(islice(_attachments(document), _MOST_ENTRIES))
    if count := max(len(names), len(anew.files | as_it_is.files)):
        yield JobWarning(
            "EMBEDDED_FILES", f"files are attached to this document, and were not looked into: {_listed(names, count)}"
        )


def _most_objects(source: Path) -> int:
    """Return how many objects a file says that it has."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return max((int(match[1]) for match in _SIZE.finditer(content)), default=0)


def _as_it_is(source: Path) -> Sightings:
    seen = Sightings()
    with source.open("rb") as file:
        while piece := file.read(_READ_AT_ONCE):
            seen.take(piece)
    seen.finish()
    return seen


def _active(document: pdfium.PdfDocument, seen: Counter[str]) -> Counter[str]:
    """Add what pdfium tells itself; one that is seen in two ways is one."""
    scripts = max(0, pdfium_c.FPDFDoc_GetJavaScriptActionCount(document))
    launches = sum(1 for kind in _of_outline(document) if kind == pdfium_c.PDFACTION_LAUNCH)
    forms = int(pdfium_c.FPDF_GetFormType(document) in _XFA)
    return seen | Counter({JAVASCRIPT: scripts, LAUNCH: launches, "an XFA form": forms})


def _listed(names: list[str], count: int) -> str:
    if not names:
        return f"{count} on pages or in their content"
    more = count - len(names[:_NAMES_SHOWN])
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more else "")


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
