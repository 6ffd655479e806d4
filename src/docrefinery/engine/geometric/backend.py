"""Docling's pdfium backend with the way to pdfium's own page."""

from typing import Any

import pypdfium2 as pdfium
from docling.backend.pypdfium2_backend import PyPdfiumDocumentBackend, PyPdfiumPageBackend
from docling.utils.locks import pypdfium2_lock

from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Page


class PageBackend(PyPdfiumPageBackend):
    """A page whose reader may call pdfium itself."""

    @property
    def native_page(self) -> pdfium.PdfPage:
        """Pdfium's own page; who uses it holds pdfium's lock."""
        return self._require_page()


class DocumentBackend(PyPdfiumDocumentBackend):
    """A document of such pages, and what has been read of them so far.

    :ivar layouts: the layouts of its pages, by their numbers.
    :ivar awaited: pages whose text is still being recognised.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.layouts: dict[int, Layout] = {}
        self.awaited: dict[int, Page] = {}

    @property
    def native_document(self) -> pdfium.PdfDocument:
        """Pdfium's own document; who uses it holds pdfium's lock."""
        return self._pdoc

    def load_page(self, page_no: int) -> PageBackend:
        """Return a page, counted from 0."""
        with pypdfium2_lock:
            return PageBackend(self._pdoc, self.document_hash, page_no)
