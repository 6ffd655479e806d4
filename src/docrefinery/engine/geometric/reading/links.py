"""The links of a page that lead out of the document."""

import ctypes
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from docrefinery.engine.geometric.model import Link
from docrefinery.engine.geometric.reading.place import Place

_MOST = 2_000
_LONGEST = 2_048
_SCHEMES = ("http://", "https://", "mailto:", "ftp://", "doi:")


def read_links(page: pdfium.PdfPage, document: pdfium.PdfDocument, place: Place) -> list[Link]:
    """Return a page's links; whoever calls holds pdfium's lock."""
    found = list(_links(page, document))
    if not found:
        return []
    boxes = place.boxes(np.array([box for box, _ in found], np.float64)).round(2).tolist()
    return [
        Link(left, top, right, bottom, uri) for (left, top, right, bottom), (_, uri) in zip(boxes, found, strict=True)
    ]


def _links(page: pdfium.PdfPage, document: pdfium.PdfDocument) -> Iterator[tuple[tuple[float, ...], str]]:
    at, link, rect = ctypes.c_int(), pdfium_c.FPDF_LINK(), pdfium_c.FS_RECTF()
    for _ in range(_MOST):
        if not pdfium_c.FPDFLink_Enumerate(page, at, link):
            return
        action = pdfium_c.FPDFLink_GetAction(link)
        if not action or pdfium_c.FPDFAction_GetType(action) != pdfium_c.PDFACTION_URI:
            continue
        buffer = ctypes.create_string_buffer(_LONGEST)
        length = pdfium_c.FPDFAction_GetURIPath(document, action, buffer, _LONGEST)
        uri = buffer.value.decode("utf-8", "replace") if length <= _LONGEST else ""
        if uri.startswith(_SCHEMES) and pdfium_c.FPDFLink_GetAnnotRect(link, rect):
            yield (rect.left, rect.bottom, rect.right, rect.top), uri
